"""The study behind docs/level_checks.md: data as they are described, and the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.level_checks import DRAWS, LEVEL, SIZES, WORLDS, markdown, simulated, task

PAGE = Path(__file__).parents[2] / "docs" / "level_checks.md"


@pytest.mark.parametrize("name", WORLDS)
def test_data_are_made_again(name):
    one, two = (simulated(name, 30, 10, 4) for _ in range(2))
    assert one.equals(two) and len(one) == 300
    assert not one["y"].equals(simulated(name, 30, 10, 5)["y"])


def test_a_task_says_what_stands_out():
    found = task("far", 30, 10, [1, 2], "ml")
    assert len(found) == 2 and all(anything >= right for anything, right in found)


def test_the_page():
    rows = [{"data": "a", "should find": "nothing", "groups": 3, "rows a group": 2}]
    rows[0] |= {"found it": np.nan, "anything": 0.04}
    rows.append(rows[0] | {"data": "b", "should find": "slope", "found it": 0.9})
    text = markdown(pd.DataFrame(rows), 200, "ml")
    assert "| a | nothing | 3 | 2 |  | 4.0% |" in text
    assert "| b | slope | 3 | 2 | 90.0% | 4.0% |" in text


def test_the_committed_page_keeps_its_level():
    """What is as the model says is flagged as rarely as stated, and clear cases are found."""
    text = PAGE.read_text(encoding="utf-8")
    assert f"{DRAWS} replicates" in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    by_data = {(row[0], row[2], row[3]): row for row in rows[1:]}
    assert len(by_data) == len(WORLDS) * len(SIZES)
    worst = LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / 200)
    for world in WORLDS.values():
        J, n = map(str, SIZES[-1])
        row = by_data[world.words, J, n]
        share = [float(value.strip("% ")) / 100 for value in row[4:] if value.strip("% ")]
        if not world.statistic:
            assert share[-1] <= worst
        elif world.statistic in ("slope", "spread", "bimodality"):
            assert share[0] > 0.6
