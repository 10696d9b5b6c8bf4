import json
import re
from pathlib import Path

import pytest

from benchmarks.table import ess_cell, memory_cell, number, ratio, seconds_cell, tables

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = json.loads((Path(__file__).parent / "example.json").read_text())
SMALL, LARGE = (EXAMPLE["workloads"][name]["runs"] for name in ("small", "large"))
PAGE = tables(EXAMPLE)


def test_a_ratio_is_of_the_same_run():
    assert ratio(SMALL, "bambi", "laplace", "seconds") == pytest.approx(25.0)
    assert ratio(SMALL, "laplace", "bambi", "min_ess_per_second") == pytest.approx(100.0)
    assert ratio(SMALL, "brms", "laplace", "seconds") is None
    assert ratio(LARGE, "lme4", "ml", "seconds") is None


@pytest.mark.parametrize(
    ("name", "seconds", "ess", "memory"),
    [
        ("laplace", "0.2", "10,000", "300"),
        ("nuts", "2", "2,000", "350"),
        ("ml", "0.1", "", "200"),
        ("bambi", "5 (25×)", "100 (100×), R-hat 1.04", "400 + 1,200"),
        ("lme4", "0.05 (0.25×, 0.5×)", "", "210"),
        ("brms", "absent", "absent", "absent"),
    ],
)
def test_cells(name, seconds, ess, memory):
    assert seconds_cell(name, SMALL) == seconds
    assert ess_cell(name, SMALL) == ess
    assert memory_cell(name, SMALL) == memory


def test_what_was_not_measured_says_so():
    told = {name: seconds_cell(name, LARGE) for name in ("laplace", "nuts", "ml", "bambi")}
    assert told == {"laplace": "failed", "nuts": "–", "ml": "", "bambi": "over 600 s"}
    assert seconds_cell("lme4", LARGE) == "150"
    for reason in (
        "* brms: absent, no Rscript on PATH",
        "* ours, large: MemoryError",
        "* ours nuts, large: too many draws",
    ):
        assert reason in PAGE.splitlines()


def test_tables_have_a_column_a_fitter_and_a_line_a_workload():
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    heads = [line for line in rows if line.startswith("| workload")]
    assert heads == [
        *2 * ["| workload | rows | ours | ours nuts | ours ml | Bambi | lme4 ML | brms |"],
        "| workload | rows | ours | ours nuts | Bambi | brms |",
        "| workload | rows | ours | ours nuts | ours ml | Bambi | lme4 ML | brms |",
    ]
    assert len(rows) == 4 * (2 + len(EXAMPLE["workloads"]))
    assert "| small | 1,234 | 3 | 4 | 1 | 9 (3×) | 0.1 (0.033×, 0.1×) | absent |" in rows
    assert "| small | 1,234 | 0.2 | 2 | 0.1 | 5 (25×) | 0.05 (0.25×, 0.5×) | absent |" in rows


def test_the_lines_below():
    assert "First call ever, all caches empty: ours on small 22 s." in PAGE
    assert "of 100,000 groups: at 1,000,000 rows 4.0 ms (with its gradient 10.0 ms)" in PAGE
    assert "4 processors, 16 GB; Linux x86_64; load average 0.1 to 1.5." in PAGE
    assert "* ours: Laplace; priors: its defaults (numpy 2.0)" in PAGE
    assert "* Bambi: priors: its defaults (bambi 0.21.0)" in PAGE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "0.012"),
        (1.0, "1"),
        (5.25, "5.2"),
        (99.6, "100"),
        (119.9, "120"),
        (12345, "12,300"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_the_readme_shows_the_results_that_are_committed():
    path = ROOT / "benchmarks" / "results.json"
    if not path.is_file():
        pytest.skip("no results are committed")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:/|/home/|/root/|/tmp/|/work/", text)
    assert tables(json.loads(text)) in (ROOT / "README.md").read_text(encoding="utf-8")
