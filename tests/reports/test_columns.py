"""Tables on narrow terminals: nothing cut, nothing left out."""

import numpy as np
import pandas as pd
import pytest

from bayesmlm.reports import Table
from bayesmlm.reports.columns import chunks, longest_word, parts_of, shrunk, width_of

HEADINGS = ["group", "mean", "complete pooling"]
BODY = [["a long name of words", "12.5", "3"], ["b", "-1.25", "4"], ("a heading",)]
NAMED = [True, False, False]


def test_a_table_with_room_has_its_full_widths():
    assert parts_of(HEADINGS, BODY, NAMED, 1, 100) == [{0: 20, 1: 5, 2: 16}]


def test_headings_and_names_fold_and_numbers_do_not():
    (widths,) = parts_of(HEADINGS, BODY, NAMED, 1, 30)
    assert width_of(list(widths.values())) == 30
    assert widths[1] == 5
    assert widths[0] >= 9 and widths[2] >= 8


def test_headings_fold_before_names():
    (widths,) = parts_of(HEADINGS, BODY, NAMED, 1, 41)
    assert widths == {0: 20, 1: 5, 2: 8}


def test_what_finds_no_room_goes_on_below():
    assert parts_of(HEADINGS, BODY, NAMED, 1, 20) == [{0: 10, 1: 5}, {0: 9, 2: 8}]
    assert chunks([5, 5, 5], 1, 1) == [[0, 1], [0, 2]]
    assert shrunk({0: 9}, [4], 1) == {0: 4}
    assert longest_word([], 5) == 0


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_every_cell_is_printed_at_every_width(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    values = np.arange(24).reshape(2, 12) + 1000
    index = pd.MultiIndex.from_product([["school"], ["Intercept", "within(ses, school)"]])
    frame = pd.DataFrame(values, index, [f"statistic {k}" for k in range(12)])
    text = str(Table("A title that is longer than the table is wide", frame, ("note",)))
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert all(str(value) in text for value in values.ravel())
    assert text.count("note") == 1
    if width >= 60:
        assert "Intercept" in text and "within(ses," in text
