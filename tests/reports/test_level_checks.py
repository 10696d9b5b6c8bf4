"""Checks by level in words."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.reports.level_checks import LevelChecks


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(40), 15)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=600)})
    frame["y"] = (1 + 0.6 * rng.normal(size=40))[g] * frame["x"] + rng.normal(size=600)
    frame.loc[g == 7, "y"] += 6
    return frame


@pytest.fixture(scope="module")
def found(data):
    return mlm.Model("y ~ x + (1 | g)", data).fit("ml").check_levels(299)


def test_words_say_what_to_do(found):
    text = str(found)
    assert "the slope of x differs between groups of g" in text
    assert "next: let it vary: (x | g)" in text
    assert "group 7 of g lies far from the others" in text
    assert f"{len(found.findings)} of 7 stand out" in text and not found.ok
    assert max(map(len, text.splitlines())) <= 100


def test_html(found):
    html = found._repr_html_()
    assert "<caption" in html and "let it vary: (x | g)" in html


def test_nothing_stands_out(data):
    rng = np.random.default_rng(2)
    frame = data.assign(y=rng.normal(size=40)[data["g"]] + rng.normal(size=600))
    found = mlm.Model("y ~ x + (1 | g)", frame).fit("ml").check_levels(299)
    assert isinstance(found, LevelChecks) and found.ok and "Nothing stands out." in str(found)
