import numpy as np
import pandas as pd
import pytest

from bayesmlm.reports import Page, Table
from bayesmlm.reports.cells import cell, decimals
from bayesmlm.reports.table import ROWS


@pytest.fixture
def table():
    frame = pd.DataFrame(
        {"mean": [12.0961, -0.00456], "sd": [0.1987, 0.00073], "r_hat": [1.0004, 1.0123]},
        index=pd.Index(["Intercept", "sd_school[<b>ses</b>]"], name="coefficient"),
    )
    return Table("Fixed effects", frame, ("a note [bold]",))


def test_estimates_show_two_digits_of_their_sd(table):
    text = str(table)
    assert "12.10" in text
    assert "0.20" in text
    assert "-0.00456" in text
    assert "0.00073" in text
    assert "1.012" in text


def test_square_brackets_are_text_and_not_markup(table):
    assert "sd_school[<b>ses</b>]" in str(table)
    assert "a note [bold]" in str(table)


def test_html_is_escaped(table):
    html = table._repr_html_()
    assert "sd_school[&lt;b&gt;ses&lt;/b&gt;]" in html
    assert "<b>ses</b>" not in html
    assert html.count("<tr>") == 3


def test_long_tables_are_cut_in_the_middle_and_say_so():
    frame = pd.DataFrame({"mean": np.arange(200.0), "sd": 1.0})
    text = str(Table("many", frame))
    assert f"… {200 - ROWS} more rows" in text
    assert "199.0" in text


def test_page_puts_parts_under_one_another(table):
    page = Page(("first [line]", table))
    assert str(page).splitlines()[0] == "first [line]"
    assert "Fixed effects" in str(page)
    assert "<pre>first [line]</pre>" in page._repr_html_()


@pytest.mark.parametrize(
    ("spread", "digits"), [(0.2, 2), (7.3, 1), (25, 0), (0.00073, 5), (0, 3), (None, 3)]
)
def test_decimals(spread, digits):
    assert decimals(spread) == digits


def test_cells_of_each_kind():
    assert cell("share", 0.0643, None) == "6.4 %"
    assert cell("ess_bulk", 12345.6, None) == "12,346"
    assert cell("corr Intercept", -0.339, None) == "-0.34"
    assert cell("mean", float("nan"), 1.0) == ""
    assert cell("prior", "Normal(0, 1)", None) == "Normal(0, 1)"
