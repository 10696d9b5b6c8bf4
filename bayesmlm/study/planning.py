"""A study is planned: every design simulated many times, and fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from bayesmlm.engines import Engine, Progress, engine, is_interactive
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import EngineError, message
from bayesmlm.model_inputs import check_count, check_mapping, resolve_spec
from bayesmlm.parallel import available_cores
from bayesmlm.predict.study_rows import Covariates
from bayesmlm.priors import LKJ, Prior
from bayesmlm.spec.terms import ModelSpec
from bayesmlm.study.bundles import run
from bayesmlm.study.plan import StudyPlan, gather
from bayesmlm.study.simulated import Question, one_study
from bayesmlm.summaries.draws import PROBABILITY, check_probability


def plan_study(
    spec: ModelSpec | str,
    values: Mapping[str, Any],
    covariates: Covariates,
    *,
    groups: Sequence[int] = (10, 20, 40, 80),
    sizes: Sequence[int] = (5, 10, 20),
    simulations: int = 200,
    method: str | Engine = "ml",
    family: str | None = None,
    priors: Mapping[str, Prior | LKJ] | None = None,
    probability: float = PROBABILITY,
    width: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> StudyPlan:
    """Simulate studies of several sizes, fit each, and count what they find.

    Parameters
    ----------
    spec
        The model that studies are analysed by, and that makes their data.
    values
        What is so: a number for every parameter by name (``"Intercept"``, ``"x"``,
        ``"sd_school[Intercept]"``, ``"sigma"``), or a distribution such as
        ``Normal(0.3, 0.1)``, from which every study draws its own: the share of studies that
        find something is then an assurance (O'Hagan, Stevens & Campbell 2005,
        doi:10.1002/pst.175).
    covariates
        Every other column by its kind: ``"normal"`` or ``"binary"`` by row, ``"group normal"``
        or ``"group binary"`` by group, ``"time"`` (the place in the group, from 0), or a number
        that all rows have. Or a function of (groups, size, rng) that gives a data frame with
        all columns but the response; for it to be known to other processes, put it into a
        module.
    groups, sizes
        Numbers of groups, and of rows in each; every pair is a design.
    simulations
        Studies of each design, their covariates drawn anew.
    method
        ``"ml"``, ``"reml"`` (Wald intervals) or ``"laplace"`` (posterior intervals), or an
        engine.
    family
        Of the response.
    priors
        As of `Model`.
    probability
        Of the intervals: a coefficient is found where its interval excludes zero.
    width
        Of intervals that count as precise.
    seed
        Same seed, same studies, whatever the number of processes.
    workers
        Processes at once; None takes as many as there are processors.
    executor
        Something with the interface of `concurrent.futures.Executor` in place of processes.
    progress
        Whether to show progress; None shows it in a terminal and in Jupyter.

    Returns
    -------
    StudyPlan
        Prints a table; ``.frame``, ``.smallest("x", power=0.8)``, ``.plot()``.

    Raises
    ------
    BayesmlmError
        If no study of a design can be fitted, for values that are missing, and the like.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> plan = mlm.plan_study(
    ...     "y ~ treated + (1 | school)",
    ...     {"Intercept": 0, "treated": 0.3, "sd_school": 0.4, "sigma": 1},
    ...     {"treated": "group binary"},
    ...     groups=[20, 40, 80],
    ...     sizes=[10, 30],
    ...     seed=1,
    ... )  # doctest: +SKIP
    >>> plan.smallest("treated", power=0.8)  # doctest: +SKIP
    """
    check_count("simulations", simulations)
    check_probability(probability)
    if workers is not None:
        check_count("workers", workers)
    designs = [(J, n) for J in numbers("groups", groups) for n in numbers("sizes", sizes)]
    resolved = resolve_spec(spec, family, None)
    own = check_mapping(priors)
    question = Question(resolved, dict(values), covariates, engine(method), own, probability)
    start = resolve_seed(seed)
    one_study(question, *designs[0], np.random.default_rng([start, 0]), build=True)
    show = is_interactive() if progress is None else progress
    count = min(len(designs), workers or available_cores())
    found = run(question, designs, simulations, start, count, executor, Progress(show))
    return gather(question, designs, found, simulations, width, start)


def numbers(name: str, given: Any) -> list[int]:
    """Return distinct whole numbers from 2, ascending."""
    listed = list(given) if isinstance(given, Sequence | np.ndarray | range) else [given]
    whole = all(
        isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 2 for k in listed
    )
    if not listed or not whole or len(set(listed)) < len(listed):
        raise EngineError(
            message(
                f"{name}={given!r}",
                "different whole numbers from 2",
                f"pass {name}=[10, 20, 40], say",
            )
        )
    return sorted(int(k) for k in listed)
