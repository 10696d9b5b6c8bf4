"""Cross-validation and sensitivity work for every engine's fit, or refuse with the reason.

Pathfinder, which needs an optional package, lays its draws out as ADVI does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines import ENGINES
from bayesmlm.errors import EngineError, StatisticError
from bayesmlm.summaries.rows import n_draws

pytestmark = pytest.mark.filterwarnings("ignore::bayesmlm.BayesmlmWarning")  # runs are short

Question = Callable[[mlm.Fit], Any]

FROM_DRAWS: dict[str, Question] = {
    "rows": lambda fit: fit.loo(refits=0),
    "groups": lambda fit: fit.loo("new group", refits=0),
    "named groups": lambda fit: fit.loo("new group", fit.result.design.random[-1].name, refits=0),
    "sensitivity": lambda fit: fit.prior_sensitivity(),
    "evidence": lambda fit: fit.savage_dickey(fit.result.design.random[-1].name),
}
FROM_MAXIMUM: dict[str, Question] = {"information": lambda fit: fit.information()}

MODELS = {
    "slopes": ("y ~ x + (x | g)", "gaussian"),
    "crossed": ("y ~ 1 + (1 | g) + (1 | h)", "gaussian"),
    "nested": ("y ~ 1 + (1 | k/g)", "gaussian"),
    "known": ("y | se(s) ~ 1 + (1 | g)", "gaussian"),
    "student effects": ('y ~ 1 + (1 | gr(g, dist="student"))', "gaussian"),
    "points": ('y ~ 1 + (1 | gr(g, dist="points", k=2))', "gaussian"),
    "binary": ("b ~ 1 + (1 | g)", "bernoulli"),
    "nested counts": ("n ~ 1 + (1 | k/g)", "poisson"),
    "negbinomial": ("n ~ 1 + (1 | g)", "negbinomial"),
}

REFUSED: dict[tuple[str, str], str] = {
    ("slopes", "evidence"): "pass effect=",
    ("crossed", "groups"): "crossed",
    ("student effects", "groups"): "not normal",
    ("student effects", "named groups"): "not normal",
    ("points", "groups"): "not normal",
    ("points", "named groups"): "not normal",
    ("points", "evidence"): "mass points",
}

SHORT: dict[str, Any] = {
    "nuts": mlm.NUTS(draws=150, tune=200, chains=2),
    "laplace": mlm.Laplace(draws=300),
    "quadrature": mlm.Quadrature(draws=300),
    "advi": mlm.ADVI(draws=300),
}


@pytest.fixture(scope="module")
def fits() -> Callable[[str, str], mlm.Fit]:
    """Return a function of an engine and a model that gives their fit, made once."""
    rng = np.random.default_rng(4)
    g = np.repeat(range(12), 6)
    frame = pd.DataFrame({"g": g, "h": np.tile(range(6), 12), "k": g // 3, "s": 0.9})
    frame["x"] = rng.normal(size=72)
    frame["y"] = frame["x"] + 1.5 * rng.normal(size=12)[g] + rng.normal(size=72)
    frame["b"] = (frame["y"] > 0).astype(int)
    frame["n"] = rng.poisson(np.exp(frame["y"] / 3))
    made: dict[tuple[str, str], mlm.Fit] = {}

    def get(engine: str, name: str) -> mlm.Fit:
        if (engine, name) not in made:
            formula, family = MODELS[name]
            model = mlm.Model(formula, frame, family=family)
            made[engine, name] = model.fit(SHORT.get(engine, engine), seed=1)
        return made[engine, name]

    return get


@pytest.mark.parametrize("question", FROM_DRAWS | FROM_MAXIMUM)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in ("nuts", "advi") else [])
        for name in ENGINES
        if name != "pathfinder"
    ],
)
def test_it_works_or_says_why_not(
    engine: str, name: str, question: str, fits: Callable[[str, str], mlm.Fit]
) -> None:
    try:
        fit = fits(engine, name)
    except EngineError:
        pytest.skip(f"{engine} does not fit this model")
    ask = (FROM_DRAWS | FROM_MAXIMUM)[question]
    is_point = n_draws(fit.result) == 1
    reason = REFUSED.get((name, question))
    if (engine, name) == ("advi", "points") and reason is None:
        reason = "a posterior without 'u_g'"
    if question in FROM_DRAWS and is_point:
        reason = "no draws"
    if question in FROM_MAXIMUM and engine not in ("ml", "reml", "npml"):
        reason = "fits by"
    if reason:
        with pytest.raises(StatisticError, match=reason) as refusal:
            ask(fit)
        assert "allowed:" in str(refusal.value)
        return
    found = ask(fit)
    assert str(found)
    if question in ("rows", "groups", "named groups"):
        assert np.isfinite(found.frame["elpd"]).all()
        assert len(found.frame) in (72, 12, 6, 4)
