import numpy as np
import pytest

from bayesmlm.plots.coefficients import group_coefficients
from bayesmlm.summaries import ranef


def test_group_level_predictors_belong_to_the_coefficient_they_explain(slopes):
    found = group_coefficients(slopes, "g")
    of = dict(zip(slopes.design.coef, found.of_effect, strict=True))
    assert of == {"Intercept": 0, "w": 0, "x": 1, "x:w": 1}
    assert found.rest == pytest.approx(0)
    w = np.arange(8) % 3
    beta = dict(
        zip(
            slopes.design.coef,
            slopes.posterior["beta"].mean(("chain", "draw")).to_numpy(),
            strict=True,
        )
    )
    assert found.population[:, 1] == pytest.approx(beta["x"] + beta["x:w"] * w)
    u = ranef(slopes, "g")["mean"].to_numpy().reshape(8, 2)
    assert found.pooled == pytest.approx(found.population + u)


def test_separate_estimates_are_least_squares_in_each_group(slopes, frame):
    found = group_coefficients(slopes, "g")
    for j in range(8):
        rows = frame[frame["g"] == j]
        slope, intercept = np.polyfit(rows["x"], rows["y"], 1)
        assert found.separate[j] == pytest.approx([intercept, slope])


def test_what_other_parts_contribute_is_taken_away(make, frame):
    data = frame.assign(h=frame.index % 5, z=np.cos(frame.index))
    fit = make("y ~ x + z + (1 | g) + (1 | h)", data)
    found = group_coefficients(fit, "g")
    beta = fit.posterior["beta"].mean(("chain", "draw")).to_numpy()
    v = ranef(fit, "h")["mean"].to_numpy()
    rest = data["x"] * beta[1] + data["z"] * beta[2] + v[data["h"]]
    assert found.rest == pytest.approx(rest.to_numpy())
    means = (data["y"] - rest).groupby(data["g"]).mean()
    assert found.separate[:, 0] == pytest.approx(means.to_numpy())


def test_a_group_whose_rows_do_not_determine_its_estimate_has_none(make, frame):
    data = frame.assign(x=np.where(frame["g"] == 3, 1.0, frame["x"]))
    found = group_coefficients(make("y ~ x + (x | g)", data), "g")
    assert np.flatnonzero(np.isnan(found.separate[:, 0])).tolist() == [3]
    assert found.undetermined == 1


def test_a_column_in_the_span_of_the_effects_is_part_of_the_coefficients(make):
    """x less a constant is a slope, and moves the intercept of every group."""
    fit = make("y ~ grand(x) + (x | g)")
    found = group_coefficients(fit, "g")
    assert found.of_effect.tolist() == [0, 1]
    beta = fit.posterior["beta"].mean(("chain", "draw")).to_numpy()
    mean = fit.design.block("g").Z[:, 1].mean()
    assert found.population == pytest.approx(np.tile([beta[0] - mean * beta[1], beta[1]], (8, 1)))
    assert found.rest == pytest.approx(0)
