import numpy as np
import pytest

from bayesmlm.plots import scatter_matrix, shrinkage
from bayesmlm.plots.coefficients import group_coefficients
from bayesmlm.plots.shrinkage import ellipse


def test_an_ellipse_holds_its_probability():
    rng = np.random.default_rng(1)
    T = np.array([[2.0, 0.6], [0.6, 0.5]])
    draws = rng.multivariate_normal([1, -1], T, size=40_000)
    outline = ellipse(np.array([1.0, -1.0]), T, 0.95)
    squared = np.einsum("sa,ab,sb->s", outline - [1, -1], np.linalg.inv(T), outline - [1, -1])
    assert np.ptp(squared) == pytest.approx(0, abs=1e-10)
    inside = np.einsum("sa,ab,sb->s", draws - [1, -1], np.linalg.inv(T), draws - [1, -1])
    assert (inside <= squared[0]).mean() == pytest.approx(0.95, abs=0.005)


def test_arrows_go_from_separate_to_pooled(slopes):
    found = group_coefficients(slopes, "g")
    axis = shrinkage(slopes, "g").axes[0]
    x = axis.lines[2].get_xdata().reshape(8, 3)
    assert x[:, 0] == pytest.approx(found.separate[:, 0])
    assert x[:, 1] == pytest.approx(found.pooled[:, 0])
    assert axis.get_xlabel() == "Intercept (y)"
    assert axis.get_ylabel() == "x (y per unit of x)"


def test_groups_left_out_are_counted(make, frame):
    data = frame.assign(x=np.where(frame["g"] == 3, 1.0, frame["x"]))
    axis = shrinkage(make("y ~ x + (x | g)", data), "g").axes[0]
    assert "1 groups without an estimate of their own" in axis.get_title()


def test_the_matrix_has_a_panel_a_pair(make):
    assert len(scatter_matrix(make("y ~ x + w + (x + w:x | g)"), "g").axes) == 9


def test_ellipses_move_only_with_predictors_of_the_groups(make, frame):
    data = frame.assign(x=0.1 * frame["x"] + 0.17)
    for formula, moves in (
        ("y ~ x + (x | g)", False),
        ("y ~ grand(x) + (x | g)", False),
        ("y ~ x*w + (x | g)", True),
    ):
        title = shrinkage(make(formula, data), "g").axes[0].get_title()
        assert ("ellipses move" in title) is moves
