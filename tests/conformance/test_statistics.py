"""Every statistic works for every engine's fit, or refuses with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines import ENGINES
from bayesmlm.errors import EngineError, StatisticError
from bayesmlm.summaries.r2 import DEFINITIONS
from bayesmlm.summaries.rows import n_draws

pytestmark = pytest.mark.filterwarnings("ignore::bayesmlm.BayesmlmWarning")  # runs are short

Statistic = Callable[[mlm.Fit], Any]

STATISTICS: dict[str, Statistic] = {
    "variance components": lambda fit: fit.variance_components(),
    "icc": lambda fit: fit.icc(),
    "share": lambda fit: fit.icc(kind="share"),
    "exact icc": lambda fit: fit.icc(scale="exact", at=AT.get(len(fit.result.design.coef))),
    "simulated icc": lambda fit: fit.icc(scale="simulated", at=AT.get(len(fit.result.design.coef))),
    "variance function": lambda fit: fit.variance_function({"within(x, g)": [0, 1]}),
    "anova": lambda fit: fit.anova(),
    "reliability": lambda fit: fit.reliability("g"),
    "reliability by group": lambda fit: fit.reliability("g", by_group=True),
    "shrinkage": lambda fit: fit.shrinkage("g"),
    "pooling factors": lambda fit: fit.pooling_factors(),
    "standard errors": lambda fit: fit.standard_errors("g"),
    "ranks": lambda fit: fit.ranks("g"),
    "within between": lambda fit: fit.within_between(),
    "compare": lambda fit: mlm.compare_icc({"y": fit}, "g"),
    **{f"r2 {kind}": (lambda fit, kind=kind: fit.r2(kind)) for kind in DEFINITIONS},
}

AT = {3: {"within(x, g)": 0}}
"""Where a model with slopes is looked at, by its number of coefficients."""

MODELS = {
    "empty": ("y ~ 1 + (1 | g)", "gaussian"),
    "slopes": ("y ~ within(x, g) + between(x, g) + (within(x, g) | g)", "gaussian"),
    "crossed": ("y ~ 1 + (1 | g) + (1 | h)", "gaussian"),
    "nested": ("y ~ 1 + (1 | k) + (1 | g)", "gaussian"),
    "known": ("y | se(s) ~ 1 + (1 | g)", "gaussian"),
    "binary": ("b ~ 1 + (1 | g)", "bernoulli"),
    "count": ("n ~ 1 + (1 | g)", "poisson"),
}

POINT = {"pooling factors": "no draws of the effects", "r2 levels": "no draws of the effects"}
"""What a fit without draws does not define, and why."""

NO_SLOPE = {"variance function": "no random effect depends on"}
NO_PAIR = {"within between": "without a predictor and its group mean"}
NOT_GAUSSIAN = {
    "anova": "family",
    "reliability": "no normal residual",
    "reliability by group": "no normal residual",
    "shrinkage": "no normal residual",
    "r2 snijders-bosker": "no residual SD",
}
NO_LEVEL_1 = dict.fromkeys(
    (
        "icc",
        "share",
        "exact icc",
        "simulated icc",
        "compare",
        "r2 nakagawa",
        "r2 rights-sterba",
    ),
    "sampling SD differs by row",
)
TWO_GROUPINGS = {"r2 snijders-bosker": "2 groupings"}

REFUSED: dict[str, dict[str, str]] = {
    "empty": NO_SLOPE | NO_PAIR,
    "slopes": {"anova": "predictors", "r2 snijders-bosker": "random slopes"},
    "crossed": {
        **NO_SLOPE,
        **NO_PAIR,
        **TWO_GROUPINGS,
        "reliability": "crossed with",
        "reliability by group": "crossed with",
        "r2 rights-sterba": "which are crossed",
    },
    "nested": NO_SLOPE | NO_PAIR | TWO_GROUPINGS,
    "known": {
        **NO_SLOPE,
        **NO_PAIR,
        **NO_LEVEL_1,
        "anova": "se",
        "r2 snijders-bosker": "no residual SD",
    },
    "binary": NO_SLOPE | NO_PAIR | NOT_GAUSSIAN,
    "count": NO_SLOPE | NO_PAIR | NOT_GAUSSIAN,
}

SHORT: dict[str, Any] = {
    "nuts": mlm.NUTS(draws=100, tune=200, chains=2),
    "laplace": mlm.Laplace(draws=200),
}
"""Short runs of the engines that draw."""


def data() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.repeat(range(12), 8)
    frame = pd.DataFrame({"g": g, "h": np.tile(range(8), 12), "k": g // 3})
    frame["x"] = rng.normal(size=96) + rng.normal(size=12)[g]
    frame["y"] = frame["x"] + rng.normal(size=12)[g] + rng.normal(size=96)
    return frame.assign(
        b=(frame["y"] > 0).astype(int), n=rng.poisson(np.exp(frame["y"] / 3)), s=0.9
    )


@pytest.fixture(scope="module")
def fits() -> Callable[[str, str], mlm.Fit]:
    """Return a function of an engine and a model that gives their fit, made once."""
    frame, made = data(), {}

    def get(engine: str, name: str) -> mlm.Fit:
        if (engine, name) not in made:
            formula, family = MODELS[name]
            model = mlm.Model(formula, frame, family=family)
            made[engine, name] = model.fit(SHORT.get(engine, engine), seed=1)
        return made[engine, name]

    return get


GENERAL = {"nuts", "laplace", "advi", "ml", "reml"}
"""Engines that fit every Gaussian model; the others are for one grouping, or other families."""


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", ENGINES)
def test_it_works_or_says_why_not(
    engine: str, name: str, statistic: str, fits: Callable[[str, str], mlm.Fit]
) -> None:
    try:
        fit = fits(engine, name)
    except EngineError as refusal:
        assert engine not in GENERAL or MODELS[name][1] != "gaussian", refusal
        pytest.skip(f"{engine} does not fit this model")
    is_point = n_draws(fit.result) == 1
    reason = REFUSED[name].get(statistic)
    if reason is None and is_point:
        reason = POINT.get(statistic)
        if MODELS[name][1] != "gaussian" and statistic == "standard errors":
            reason = "which has no draws"
    if reason is not None:
        with pytest.raises(StatisticError, match=reason) as refusal:
            STATISTICS[statistic](fit)
        assert "allowed:" in str(refusal.value)
        assert "next:" in str(refusal.value)
        return
    table = STATISTICS[statistic](fit)
    frame = table.frame
    assert len(frame)
    assert str(table).startswith(table.title[:10])
    estimate = next(
        (c for c in ("mean", "estimate", "variance", "comparative") if c in frame), None
    )
    if estimate is not None and statistic != "shrinkage":
        assert np.isfinite(frame[estimate]).all()
    if is_point:
        assert not {"sd", "mean"} & set(frame) or statistic == "variance components"
    elif {"lower", "upper"} <= set(frame) and statistic != "variance components":
        assert (frame["lower"] <= frame["upper"]).all()
    if statistic in ("icc", "share", "exact icc", "simulated icc", "reliability", "r2 nakagawa"):
        assert frame[estimate].between(0, 1).all()


@pytest.mark.parametrize(
    "statistic",
    ["shrinkage", "pooling factors", "standard errors", "ranks", "r2 bayes", "r2 levels"],
)
@pytest.mark.parametrize("name", ["slopes", "crossed", "nested"])
def test_effects_that_were_not_kept_give_the_same(statistic: str, name: str) -> None:
    model = mlm.Model(MODELS[name][0], data())
    kept, again = (
        STATISTICS[statistic](model.fit(mlm.Laplace(draws=200, keep_random_effects=keep), seed=1))
        for keep in (True, False)
    )
    pd.testing.assert_frame_equal(kept.frame, again.frame)


@pytest.mark.parametrize("statistic", ["simulated icc", "exact icc"])
def test_same_seed_same_numbers(statistic: str, fits: Callable[[str, str], mlm.Fit]) -> None:
    fit = fits("nuts", "binary")
    pd.testing.assert_frame_equal(
        STATISTICS[statistic](fit).frame, STATISTICS[statistic](fit).frame
    )
