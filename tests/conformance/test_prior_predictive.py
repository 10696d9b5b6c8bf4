"""Draws from the prior: shapes, laws, seeds; compiled without Numba."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest
import xarray as xr

from bayesmlm.model import Model
from bayesmlm.priors import LKJ, Exponential, HalfNormal, Normal

N = 30
RNG = np.random.default_rng(8)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(5, 2, N),
        "x": RNG.normal(3, 1, N),
        "g": np.arange(N) % 6,
        "s": RNG.uniform(0.5, 1, N),
        "n": RNG.integers(2, 9, N),
        "b": np.arange(N) % 2,
    }
).assign(t=lambda d: d.n // 2)
DATA["s"] = DATA["s"].clip(upper=0.99)
DATA["o"] = np.arange(N) % 4
DRAWS = 2000
NARROW = {"Intercept": Normal(0, 0.5), "slopes": Normal(0, 0.1), "sd": HalfNormal(0.3)}
"""Priors under which no count is too large for its type."""


def drawn(formula: str, draws: int = DRAWS, seed: int = 1, **options: Any) -> xr.DataTree:
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        return Model(formula, DATA, **options).prior_predictive(draws, seed)


def test_shapes_and_laws() -> None:
    priors = {
        "Intercept": Normal(10, 3),
        "x": Normal(-2, 0.5),
        "sd_g[Intercept]": HalfNormal(2),
        "sd_g[x]": Exponential(0.7),
        "corr": LKJ(1.5),
        "sigma": Exponential(1.3),
    }
    tree = drawn("y ~ x + (x | g)", priors=priors)
    prior = tree["prior"]
    assert prior["beta"].sizes == {"chain": 1, "draw": DRAWS, "coef": 2}
    assert prior["sd_g"].sizes == {"chain": 1, "draw": DRAWS, "g_effect": 2}
    assert prior["corr_g"].sizes == {"chain": 1, "draw": DRAWS, "g_pair": 1}
    assert prior["u_g"].sizes == {"chain": 1, "draw": DRAWS, "g": 6, "g_effect": 2}
    assert tree["prior_predictive"]["y"].sizes == {"chain": 1, "draw": DRAWS, "obs": N}

    def near(values: Any, mean: float, sd: float) -> None:
        # Eleven comparisons: 4.5 standard errors is a Bonferroni bound of 1e-4.
        found = np.asarray(values).ravel()
        assert found.mean() == pytest.approx(mean, abs=4.5 * sd / np.sqrt(DRAWS))

    half_normal = np.sqrt(2 / np.pi)
    near(prior["beta"].sel(coef="Intercept"), 10, 3)
    near(prior["beta"].sel(coef="x"), -2, 0.5)
    near(prior["sd_g"].sel(g_effect="Intercept"), 2 * half_normal, 2 * 0.603)
    near(prior["sd_g"].sel(g_effect="x"), 0.7, 0.7)
    near(prior["sigma"], 1.3, 1.3)
    r = prior["corr_g"].to_numpy().ravel()
    near(r, 0, 0.5)
    near(r**2, 1 / 4, 0.3)  # 2 Beta(b, b) - 1 has variance 1 / (2 b + 1), b = 1.5
    u, sds = prior["u_g"].to_numpy()[0], prior["sd_g"].to_numpy()[0]
    scaled = u / sds[:, None, :]
    near((scaled[..., 0] ** 2).mean(axis=1), 1, 0.6)
    near((scaled[..., 1] ** 2).mean(axis=1), 1, 0.6)
    near((scaled[..., 0] * scaled[..., 1]).mean(axis=1) - r, 0, 0.6)


def test_responses_follow_from_the_parameters() -> None:
    tree = drawn("y | se(s) ~ x + (1 | g)")
    beta = tree["prior"]["beta"].to_numpy()[0]
    u = tree["prior"]["u_g"].to_numpy()[0, :, :, 0]
    eta = beta[:, :1] + beta[:, 1:] * DATA.x.to_numpy() + u[:, DATA.g]
    z = (tree["prior_predictive"]["y"].to_numpy()[0] - eta) / DATA.s.to_numpy()
    assert z.mean() == pytest.approx(0, abs=4.5 / np.sqrt(z.size))
    assert z.var() == pytest.approx(1, abs=4.5 * np.sqrt(2 / z.size))


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ 1", {}),
        ("y ~ 0 + (1 | g)", {}),
        ("y ~ x + (1 | g)", {"priors": {"x": HalfNormal(1)}}),
        ("y | weights(s) ~ x + (1 | g)", {}),
        ("b ~ x + (1 | g)", {"family": "bernoulli", "link": "probit"}),
        ("t | trials(n) ~ x + (1 | g)", {"family": "binomial"}),
        ("n ~ x + (1 | g)", {"family": "poisson", "priors": {"slopes": Normal(0, 0.1)}}),
        ("y ~ x + (1 | g)", {"family": "student"}),
        ("s ~ x + (1 | g)", {"family": "lognormal", "priors": {"sigma": HalfNormal(1)}}),
        ("s ~ x + (1 | g)", {"family": "gamma", "priors": NARROW}),
        ("s ~ x + (1 | g)", {"family": "beta", "link": "cloglog", "priors": NARROW}),
        ("t | trials(n) ~ x + (1 | g)", {"family": "beta_binomial"}),
        ("n ~ x + (1 | g)", {"family": "negbinomial", "priors": NARROW}),
        ("n ~ 1", {"family": "zero_inflated_poisson", "priors": {"Intercept": Normal(0, 1)}}),
        ("n ~ x + (1 | g)", {"family": "zero_inflated_negbinomial", "priors": NARROW}),
        ("n ~ x + (1 | g)", {"family": "hurdle_poisson", "priors": NARROW}),
        ("n ~ x + (1 | g)", {"family": "hurdle_negbinomial", "priors": NARROW}),
        ("b ~ x + (1 | g)", {"family": "cumulative", "link": "probit"}),
        ("o ~ x + (1 | g)", {"family": "cumulative"}),
        ("o ~ 1", {"family": "cumulative"}),
        ("o ~ x + (1 | g)", {"family": "categorical"}),
    ],
)
def test_every_family(formula: str, options: dict[str, Any]) -> None:
    tree = drawn(formula, draws=20, **options)
    response = formula.split()[0]
    y = tree["prior_predictive"][response]
    assert y.sizes == {"chain": 1, "draw": 20, "obs": N}
    assert np.isfinite(y).all()
    if response == "t":
        assert ((y >= 0) & (y <= DATA.n.to_numpy())).all()
    if response == "b":
        assert set(np.unique(y)) == {0, 1}
    if response == "o":
        assert set(np.unique(y)) == {0, 1, 2, 3}
    if options.get("family") == "cumulative" and response == "o":
        assert (tree["prior"]["thresholds"].diff("threshold") > 0).all()


def test_same_seed_same_draws(capfd: pytest.CaptureFixture[str]) -> None:
    one, again, other = (drawn("y ~ x + (1 | g)", 5, seed) for seed in (3, 3, 4))
    xr.testing.assert_equal(one["prior"].to_dataset(), again["prior"].to_dataset())
    assert not one["prior"]["beta"].equals(other["prior"]["beta"])
    assert capfd.readouterr() == ("", "")
