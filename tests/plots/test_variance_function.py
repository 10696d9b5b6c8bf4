import numpy as np
import pytest

from bayesmlm.errors import StatisticError
from bayesmlm.plots import variance_components, variance_function
from bayesmlm.summaries import icc
from bayesmlm.summaries.variance_components import covariance_draws


def test_the_curve_is_tau00_plus_2_tau01_x_plus_tau11_x2(slopes):
    axis = variance_function(slopes, "g").axes[0]
    x, y = axis.lines[1].get_data()
    T = covariance_draws(slopes, slopes.design.block("g")).mean(axis=0)
    assert y == pytest.approx(T[0, 0] + 2 * T[0, 1] * x + T[1, 1] * x**2)
    assert axis.get_ylabel() == "variance (y²)"


def test_a_constant_correlation_is_refused_with_where_to_read_it(make):
    with pytest.raises(StatisticError, match=r"fit.icc\(\) is constant in x"):
        variance_function(make("y ~ x + (1 | g)"), "g")


def test_shares_are_those_of_the_icc(make):
    fit = make("y ~ x + (1 | g)")
    axes = variance_components(fit).axes
    means = [points.get_offsets()[0, 0] for points in axes[1].collections]
    assert means[-1] == pytest.approx(icc(fit)["mean"].iloc[0])
    assert sum(means) == pytest.approx(1)
    assert [label.get_text() for label in axes[0].get_yticklabels()][-1] == "g: Intercept\n(y)"
    assert np.all(np.diff(axes[0].get_yticks()) > 0)
