"""Simulated studies: what each does, and what those of one design find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks import check
from bayesmlm.engines import Engine, Progress
from bayesmlm.errors import BayesmlmError, EngineError, message
from bayesmlm.families import family as family_of
from bayesmlm.parallel import tell
from bayesmlm.predict.given_parameters import by_name
from bayesmlm.predict.study_rows import Covariates, simulated_study, study_design, study_frame
from bayesmlm.priors import LKJ, Prior, resolve_priors
from bayesmlm.spec.terms import ModelSpec
from bayesmlm.summaries import parameters

Array = NDArray[np.float64]

Outcome = tuple[dict[str, Array], dict[str, int]]
"""Figures of each parameter, shape (studies fitted, 4), and why others were not."""

UNFIT = "the engine did not converge"


@dataclass(frozen=True)
class Question:
    """What every simulated study does.

    Parameters
    ----------
    spec
        The model, family included.
    values
        Parameters: numbers, or distributions.
    covariates
        How predictors are made.
    engine
        By which each data set is fitted.
    priors
        Of the user, for engines that have priors.
    probability
        Of the intervals.
    """

    spec: ModelSpec
    values: Mapping[str, Any]
    covariates: Covariates
    engine: Engine
    priors: Mapping[str, Prior | LKJ] | None
    probability: float


def one_study(
    question: Question, groups: int, size: int, rng: np.random.Generator, build: bool = False
) -> dict[str, tuple[float, float, float, float]] | None:
    """Simulate and fit one study; with `build` only build it, to see errors early.

    Returns
    -------
    dict
        Estimate, lower and upper bound and true value of every parameter; None for a fit that
        did not converge.
    """
    spec = question.spec
    frame = study_frame(spec, question.covariates, groups, size, rng)
    response = spec.response
    design = study_design(spec, family_of(response.family, response.link), frame, question.values)
    design, truth = simulated_study(design, question.values, rng)
    priors = resolve_priors(design, question.priors)
    if build:
        return None
    seed = int(rng.integers(2**31))
    result = question.engine.fit(design, priors, seed, Progress())
    if not check(result.tree).ok:
        return None
    table = parameters(result, question.probability).droplevel("part")
    known = {name: float(values[0]) for name, values in by_name(design, truth).items()}
    rows = zip(table.index, table[["estimate", "lower", "upper"]].to_numpy(), strict=True)
    return {name: (*row, known[name]) for name, row in rows if name in known}


def studies(question: Question, groups: int, size: int, simulations: int, seed: int) -> Outcome:
    """Simulate and fit all studies of one design, in whatever process this is."""
    found: list[dict[str, tuple[float, float, float, float]]] = []
    failures: dict[str, int] = {}
    for k in range(simulations):
        rng = np.random.default_rng([seed, groups, size, k])
        try:
            one, why = one_study(question, groups, size, rng), UNFIT
        except BayesmlmError as error:
            one, why = None, str(error).splitlines()[0]
        if one is None:
            failures[why] = failures.get(why, 0) + 1
        else:
            found.append(one)
        if k % 10 == 9:
            tell(10)
    if not found:
        raise EngineError(
            message(
                f"no study of {groups} groups of {size} could be fitted: {max(failures)}",
                "designs that the model can be fitted to",
                "plan larger ones, or a smaller model",
            )
        )
    return {name: np.array([one[name] for one in found]) for name in found[0]}, failures
