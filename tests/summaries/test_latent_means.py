"""Latent group means in the statistics: contextual effects, reliabilities, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import latent_means
from bayesmlm.summaries.latent_means import reliability_of_means

WITHIN, BETWEEN, TAU, ROWS = 0.3, 1.0, 0.5, 4


def simulated(groups: int, seed: int) -> pd.DataFrame:
    """Return groups of few rows: their observed means have a reliability of one half."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), ROWS)
    mean = rng.normal(0, TAU, groups)[g]
    deviation = rng.normal(size=len(g))
    y = 2 + WITHIN * deviation + BETWEEN * mean + rng.normal(0, 0.4, groups)[g]
    return pd.DataFrame({"g": g, "x": mean + deviation, "y": y + rng.normal(size=len(g))})


def stated(make_result: Any) -> Any:
    """Return a fit whose draws are stated."""
    data = simulated(6, 1)
    model = mlm.Model("y ~ within(x, g) + latent(x, g) + (1 | g)", data)
    import xarray as xr

    rng = np.random.default_rng(4)
    result = make_result(
        model,
        beta=rng.normal(size=(2, 50, 3)),
        sd_g=np.exp(rng.normal(size=(2, 50, 1))),
        u_g=rng.normal(size=(2, 50, 6, 1)),
        sigma=np.exp(rng.normal(size=(2, 50))),
    )
    posterior = result.tree["posterior"].to_dataset()
    for name in ("mu_x", "tau_x", "sigma_x"):
        posterior[name] = (("chain", "draw"), np.exp(rng.normal(size=(2, 50))))
    posterior["latent_x"] = (("chain", "draw", "g"), rng.normal(size=(2, 50, 6)))
    result.tree["posterior"] = xr.DataTree(posterior)
    return mlm.Fit(result)


def test_the_table_is_of_the_draws(make_result: Any) -> None:
    fit = stated(make_result)
    found = latent_means(fit.result, probability=0.9)
    posterior = fit.tree["posterior"]
    tau2, sigma2 = (posterior[name].to_numpy().ravel() ** 2 for name in ("tau_x", "sigma_x"))
    rows = found.loc["latent(x, g)"]
    assert rows.loc["ICC", "mean"] == pytest.approx((tau2 / (tau2 + sigma2)).mean())
    reliability = tau2 / (tau2 + sigma2 / ROWS)
    assert rows.loc["reliability of observed means", "mean"] == pytest.approx(reliability.mean())
    assert rows.loc["SD between groups", "upper"] == pytest.approx(np.quantile(tau2**0.5, 0.95))
    assert "reliability of observed means" in str(fit.summary())


def test_reliability_of_unequal_groups_is_averaged() -> None:
    found = reliability_of_means(np.array([1.0]), np.array([2.0]), np.array([1.0, 4.0]))
    assert found == pytest.approx([(1 / 5 + 1 / 2) / 2])


def test_contextual_effect_is_a_difference_of_the_draws(make_result: Any) -> None:
    fit = stated(make_result)
    beta = fit.tree["posterior"]["beta"].to_numpy().reshape(-1, 3)
    table = fit.within_between()
    found = table.frame["mean"]
    assert found["x", "between"] == pytest.approx(beta[:, 2].mean())
    assert found["x", "contextual"] == pytest.approx((beta[:, 2] - beta[:, 1]).mean())
    assert "latent group means" in str(table)


REFUSED = ["shrinkage", "pooling_factors", "r2", "plot.lines", "plot.shrinkage"]


@pytest.mark.parametrize("name", REFUSED)
def test_statistics_of_the_columns_are_refused(make_result: Any, name: str) -> None:
    fit = stated(make_result)
    method = fit
    for part in name.split("."):
        method = getattr(method, part)
    with pytest.raises(StatisticError, match="latent\\(x, g\\) is not observed"):
        method()


def test_standard_errors_are_the_posterior_ones_alone(make_result: Any) -> None:
    fit = stated(make_result)
    table = fit.standard_errors()
    assert list(table.frame) == ["posterior"]
    assert "latent(x, g) is not observed" in str(table)
    with pytest.raises(StatisticError, match="not observed"):
        fit.standard_errors(kind="given beta")


def test_pictures_show_latent_means_and_their_priors(make_result: Any) -> None:
    fit = stated(make_result)
    means = fit.tree["posterior"]["latent_x"].mean(("chain", "draw")).to_numpy()
    axes = fit.plot.within_between().axes
    drawn = axes[1].collections[0].get_offsets()[:, 0]
    np.testing.assert_allclose(drawn, means)
    assert axes[1].get_xlabel() == "latent(x, g), posterior means"
    titles = [axis.get_title() for axis in fit.plot.prior_posterior().axes]
    assert {"mu_x", "tau_x", "sigma_x"} <= set(titles)


def test_a_model_without_latent_means_has_no_such_table(make_result: Any) -> None:
    model = mlm.Model("y ~ x + (1 | g)", simulated(6, 1))
    with pytest.raises(StatisticError, match="without latent"):
        latent_means(make_result(model, beta=np.zeros((1, 2, 2))))


@pytest.mark.slow
def test_unreliable_means_bias_the_contextual_effect_and_latent_ones_do_not(tmp_path) -> None:
    """Lüdtke et al. (2008): the observed means give r (b_B - b_W), the latent ones b_B - b_W."""
    data = simulated(500, 11)
    true = BETWEEN - WITHIN
    reliability = TAU**2 / (TAU**2 + 1 / ROWS)
    observed = mlm.Model("y ~ within(x, g) + between(x, g) + (1 | g)", data).fit("ml")
    estimate, se = observed.within_between().frame.loc[("x", "contextual"), ["estimate", "se"]]
    assert abs(estimate - reliability * true) < 3 * se
    assert true - estimate > 4 * se
    for formula in ("y ~ within(x, g) + latent(x, g) + (1 | g)", "y ~ x + latent(x, g) + (1 | g)"):
        fit = mlm.Model(formula, data).fit("nuts", seed=3, progress=False)
        assert fit.check().ok
        assert "Sampled the PyMC graph: latent(x, g) is not observed." in fit.result.notes
        rows = fit.within_between().frame.loc["x"]
        assert abs(rows.loc["contextual", "mean"] - true) < 3 * rows.loc["contextual", "sd"]
        assert abs(rows.loc["within", "mean"] - WITHIN) < 3 * rows.loc["within", "sd"]
        table = latent_means(fit.result).loc["latent(x, g)"]
        row = table.loc["reliability of observed means"]
        assert row["lower"] < reliability < row["upper"]
    fit.save(tmp_path / "fit.zip")
    again = mlm.load(tmp_path / "fit.zip")
    assert str(again.summary()) == str(fit.summary())
    assert again.result.priors.latent == fit.result.priors.latent
    (column,) = again.result.design.latent.columns
    assert (column.name, column.means) == ("latent(x, g)", ("x",))
