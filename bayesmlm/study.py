"""Planning a study: how surely, and how precisely, it would tell what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.checks import check
from bayesmlm.engines import Engine, Progress, engine, is_interactive
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import BayesmlmError, EngineError, SpecError, message, suggestion
from bayesmlm.families import family as family_of
from bayesmlm.model_inputs import check_count, check_mapping, resolve_spec
from bayesmlm.parallel import Processes, available_cores, tell
from bayesmlm.plots import Picture, study_curves
from bayesmlm.predict.parameter_draws import parameter_names
from bayesmlm.predict.study_rows import Covariates, simulated_study, study_design, study_frame
from bayesmlm.priors import LKJ, Prior, resolve_priors
from bayesmlm.reports import Page, Table
from bayesmlm.spec.terms import ModelSpec
from bayesmlm.summaries import parameters
from bayesmlm.summaries.draws import PROBABILITY, check_probability

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ROWS = 3000
"""Rows whose fit takes as long as what every fit needs, roughly."""

ENOUGH = 0.8
"""Power that the smallest design is named for."""


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


@dataclass(frozen=True)
class StudyPlan:
    """Power and precision by number of groups and of rows in each.

    Parameters
    ----------
    frame
        Index (groups, size, parameter). ``power`` (of coefficients: the share of studies whose
        interval excludes zero; ``assurance`` where parameters were drawn from distributions)
        with its Monte Carlo error ``mcse``; ``width``, the mean width of the intervals;
        ``precise``, the share that is narrower than the width asked for; ``coverage``;
        ``bias`` and ``rmse`` of the estimates.
    simulations
        Studies simulated for each design.
    failures
        By (groups, size): why studies could not be fitted, and how many; they count as studies
        that found nothing.
    notes
        Of the table.
    seed
        Of all.
    """

    frame: pd.DataFrame
    simulations: int
    failures: Mapping[tuple[int, int], Mapping[str, int]]
    notes: tuple[str, ...]
    seed: int

    @property
    def measure(self) -> str:
        """``"power"`` or ``"assurance"``."""
        return str(self.frame.columns[0])

    def smallest(self, parameter: str, power: float = ENOUGH) -> tuple[int, int] | None:
        """Return the design of fewest rows, then fewest groups, that reaches a power, or None."""
        own = self.frame.xs(self.known(parameter), level="parameter")
        enough = [
            (int(J * n), int(J), int(n))
            for (J, n), value in zip(own.index.to_list(), own[self.measure], strict=True)
            if value >= power
        ]
        return min(enough)[1:] if enough else None

    def known(self, parameter: str) -> str:
        """Return a coefficient's name, or refuse."""
        own = self.frame[self.measure].dropna().index.get_level_values("parameter")
        labels = list(dict.fromkeys(own))
        if parameter not in labels:
            raise SpecError(
                message(
                    f"no power of {parameter!r}{suggestion(str(parameter), labels)}",
                    ", ".join(labels),
                    "name one of these coefficients",
                )
            )
        return parameter

    def plot(self, parameter: str | None = None, *, backend: str = "matplotlib") -> Picture:
        """Draw power and precision along the number of groups; see `plots.study_curves`."""
        own = self.frame
        if parameter is not None:
            labels = own.index.get_level_values("parameter")
            own = own[labels == self.known(parameter)]
        return study_curves(own, backend=backend)

    def page(self) -> Page:
        """Return the table."""
        shown = self.frame.dropna(axis=1, how="all")
        labels = shown.index.get_level_values("parameter")
        shown = shown.loc[[not label.startswith(names.INTERCEPT) for label in labels]]
        return Page((Table("Planned studies", shown, self.notes),))

    def __rich__(self) -> Any:
        return self.page().__rich__()

    def __str__(self) -> str:
        return str(self.page())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()


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
    parts = [truth.beta[0]]
    for block in design.random:
        parts += [truth.sds[block.name][0], truth.correlations[block.name][0]]
        parts += [truth.freedom[name] for name in (block.name,) if name in truth.freedom]
    parts += [np.ravel(truth.others[p.name]) for p in design.parameters]
    known = dict(zip(parameter_names(design), np.concatenate(parts), strict=True))
    rows = zip(table.index, table[["estimate", "lower", "upper"]].to_numpy(), strict=True)
    return {name: (*row, known[name]) for name, row in rows if name in known}


Outcome = tuple[dict[str, Array], dict[str, int]]
"""Figures of each parameter, shape (studies fitted, 4), and why others were not."""

UNFIT = "the engine did not converge"


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


def bundles(designs: list[tuple[int, int]], count: int) -> list[list[tuple[int, int]]]:
    """Return the designs in so many bundles of much the same work."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    work = [0.0] * count
    for J, n in sorted(designs, key=lambda pair: -pair[0] * pair[1]):
        at = int(np.argmin(work))
        found[at].append((J, n))
        work[at] += ROWS + J * n
    return [each for each in found if each]


def bundle(
    question: Question, designs: list[tuple[int, int]], simulations: int, seed: int
) -> dict[tuple[int, int], Outcome]:
    """Simulate and fit the studies of several designs."""
    return {pair: studies(question, *pair, simulations, seed) for pair in designs}


def run(
    question: Question,
    designs: list[tuple[int, int]],
    simulations: int,
    seed: int,
    workers: int,
    executor: Executor | None,
    progress: Progress,
) -> dict[tuple[int, int], Outcome]:
    """Run all studies: a process starts in seconds, and does many designs."""
    total = simulations * len(designs)
    with progress.running():
        update = progress.counter(f"{total:,} studies")
        done = 0

        def listen(more: int) -> None:
            nonlocal done
            done += more
            if update is not None:
                update(min(done, total), total, "")

        def start(pool: Executor) -> dict[tuple[int, int], Outcome]:
            waiting: list[Future[dict[tuple[int, int], Outcome]]] = []
            try:
                for pairs in bundles(designs, workers):
                    waiting.append(pool.submit(bundle, question, pairs, simulations, seed))
                return {
                    p: own for each in as_completed(waiting) for p, own in each.result().items()
                }
            finally:
                for each in waiting:
                    each.cancel()

        if executor is not None:
            return start(executor)
        with Processes(workers, listen) as pool:
            return start(pool)


def gather(
    question: Question,
    designs: list[tuple[int, int]],
    found: Mapping[tuple[int, int], Outcome],
    simulations: int,
    width: float | None,
    seed: int,
) -> StudyPlan:
    """Return the plan of what all studies found."""
    import pandas as pd

    drawn = any(isinstance(value, Prior) for value in question.values.values())
    measure = "assurance" if drawn else "power"
    records = {
        (*pair, name): figures(name, values, simulations, width, measure)
        for pair in designs
        for name, values in found[pair][0].items()
    }
    frame = pd.DataFrame.from_dict(records, orient="index")
    frame.index = pd.MultiIndex.from_tuples(records, names=["groups", "size", "parameter"])
    failures = {pair: found[pair][1] for pair in designs if found[pair][1]}
    percent = f"{100 * question.probability:g} %"
    notes = [
        f"{simulations:,} studies a design by {question.engine.name}, seed {seed}",
        f"{measure}: share of studies whose {percent} interval excludes zero, mcse its error; "
        "width: mean width of the intervals",
    ]
    notes += [
        f"{sum(why.values())} of {simulations} studies of {J} groups of {n} not fitted "
        f"({max(why, key=lambda each: why[each])}): they count as finding nothing"
        for (J, n), why in failures.items()
    ]
    plan = StudyPlan(frame, simulations, failures, (), seed)
    for name in frame[measure].dropna().index.get_level_values("parameter").unique():
        if name != names.INTERCEPT:
            best = plan.smallest(name)
            said = "no design" if best is None else f"{best[0]} groups of {best[1]}"
            notes.append(f"{name}: fewest rows with a {measure} of {ENOUGH:.0%}: {said}")
    return StudyPlan(frame, simulations, failures, tuple(notes), seed)


def figures(
    name: str, values: Array, simulations: int, width: float | None, measure: str
) -> dict[str, float]:
    """Return one row: studies that were not fitted find nothing, and are left out elsewhere."""
    estimate, lower, upper, truth = values.T
    error = estimate - truth
    row = dict.fromkeys((measure, "mcse", "width", "precise", "coverage"), np.nan)
    if np.isfinite(lower).all():
        if "[" not in name or not name.startswith(("sd_", "corr_")):
            p = float(((lower > 0) | (upper < 0)).sum()) / simulations
            row |= {measure: p, "mcse": float(np.sqrt(p * (1 - p) / simulations))}
        row |= {
            "width": float((upper - lower).mean()),
            "coverage": float(((lower <= truth) & (truth <= upper)).mean()),
        }
        if width is not None:
            row["precise"] = float(((upper - lower) <= width).sum()) / simulations
    return row | {"bias": float(error.mean()), "rmse": float(np.sqrt((error**2).mean()))}
