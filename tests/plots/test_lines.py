import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmlm.errors import StatisticError
from bayesmlm.plots import lines, spaghetti
from bayesmlm.plots.coefficients import group_coefficients
from bayesmlm.plots.spaghetti import new_effects


def test_lines_are_the_coefficients_of_the_group(slopes):
    found = group_coefficients(slopes, "g")
    axis = lines(slopes, "g", groups=[5]).axes[0]
    for line, b in zip(
        axis.lines, (found.population[5], found.separate[5], found.pooled[5]), strict=True
    ):
        x, y = line.get_data()
        assert y == pytest.approx(b[0] + b[1] * x)
    assert axis.get_title() == "g 5 (6)"


def test_of_many_groups_sixteen_are_shown(make):
    data = pd.DataFrame({"g": np.repeat(np.arange(200), 3), "y": np.arange(600.0) % 7})
    data["x"] = np.sin(np.arange(600))
    assert len(lines(make("y ~ x + (1 | g)", data), "g").axes) == 16


def test_a_predictor_made_of_several_columns_is_refused(make):
    fit = make("y ~ x + I(x**2) + (x | g)")
    with pytest.raises(StatisticError, match=r"with which I\(x \*\* 2\) moves"):
        lines(fit, "g")
    with pytest.raises(StatisticError, match="x='w'"):
        lines(fit, "g", "w")
    with pytest.raises(StatisticError, match="without a predictor that varies within groups"):
        lines(make("y ~ w + (1 | g)"), "g")


def test_lines_of_new_groups_spread_as_the_population_does(slopes):
    axis = spaghetti(slopes, "g", draws=4000, seed=3).axes[0]
    drawn = axis.lines[0].get_ydata().reshape(4000, -1)[:, :-1]
    x = axis.lines[0].get_xdata().reshape(4000, -1)[0, :-1]
    at = int(np.argmin(np.abs(x)))
    # sd of intercepts about 1.25, of slopes too; x at `at` is nearly 0
    assert drawn[:, at].std() == pytest.approx(1.25 * np.hypot(1, x[at]), rel=0.06)
    again = spaghetti(slopes, "g", draws=4000, seed=3).axes[0].lines[0].get_ydata()
    assert np.array_equal(again, axis.lines[0].get_ydata(), equal_nan=True)


def test_new_groups_of_student_effects_have_heavy_tails_and_the_same_sd(make):
    import xarray as xr

    result = make("y ~ x + (1 | gr(g, dist='student'))", size=4000, chains=1)
    nu = xr.DataArray(np.full((1, 4000), 5.0), dims=("chain", "draw"))
    result.tree["posterior"]["nu_g"] = nu
    u, at = new_effects(result, group_coefficients(result, "g"), 4000, 1)
    sd = result.posterior["sd_g"].to_numpy()[0, at, 0]
    standard = u[:, 0] / sd
    assert standard.std() == pytest.approx(1, abs=0.06)
    assert (np.abs(standard) > 3).mean() == pytest.approx(2 * stats.t(5).sf(3 / 0.6**0.5), abs=3e-3)


def test_mass_points_have_no_lines_of_new_groups(make):
    result = make("y ~ x + (1 | gr(g, dist='points', k=2))")
    with pytest.raises(StatisticError, match="mass points"):
        new_effects(result, group_coefficients(result, "g"), 10, 1)
