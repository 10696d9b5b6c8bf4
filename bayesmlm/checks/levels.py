"""Checks by level: whether a model replicates what its data show of rows and of groups.

For level 2 the groups are replicated too: new effects from their distribution, then new rows
(mixed predictive replication). With the groups' own effects the model has seen each of them,
and hardly anything about their distribution would stand out.

References
----------
Marshall & Spiegelhalter (2003), doi:10.1002/sim.1403;
Gelman, Meng & Stern (1996), Statistica Sinica 6, 733–807;
Box (1980), doi:10.2307/2982063, of replicates from the prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.checks.category_statistics import CategoryStatistics, level_statistics
from bayesmlm.checks.finding import Finding
from bayesmlm.checks.level_statistics import LevelStatistics, Statistic, labelled
from bayesmlm.checks.replicates import Replicates, adjusted, p_values
from bayesmlm.checks.residuals import Moments, binary, saturated
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ENVELOPE = 200
"""Replicates that the envelope of the ordered groups is drawn from."""

FEWEST = 99
"""Replicates at least, for p-values of one in a hundred."""


@dataclass(frozen=True)
class Envelope:
    """The standardised means or slopes of the groups in order, observed and replicated.

    Parameters
    ----------
    group, effect
        Of which grouping, and of which effect.
    observed
        Shape (J,).
    lower, middle, upper
        Quantiles of the replicated ones in order, 2.5 %, 50 % and 97.5 %, shape (J,).
    farthest
        Label of the group farthest from the others.
    """

    group: str
    effect: str
    observed: Array
    lower: Array
    middle: Array
    upper: Array
    farthest: str


@dataclass(frozen=True)
class LevelReplication:
    """What a check by level found.

    Parameters
    ----------
    statistics
        Which, K of them.
    observed
        Of the data, shape (K,).
    replicated
        With new groups, shape (R, K).
    frame
        A row a statistic: ``observed``, ``lower`` and ``upper`` (95 % of the replicates),
        ``p new`` and ``p same`` for new and for the same groups, ``p adjusted``.
    level
        Probability at most of any finding where the model holds.
    findings
        Statistics whose adjusted p-value is at most `level`.
    envelopes
        Of the groups.
    """

    statistics: tuple[Statistic, ...]
    observed: Array
    replicated: Array
    frame: pd.DataFrame
    level: float
    findings: tuple[Finding, ...]
    envelopes: tuple[Envelope, ...] = ()


def check_levels(
    result: FitResult, draws: int = 999, level: float = 0.05, seed: int = 0
) -> LevelReplication:
    """Check a fit by level; see `bayesmlm.Fit.check_levels`."""
    check_options(draws, level)
    design = result.design
    new, same = (Replicates(result, draws, kind, seed) for kind in (True, False))
    statistics = level_statistics(design, new)
    if not statistics.listed:
        raise StatisticError(
            message(
                "checks by level of a response of 0 or 1, or of categories, without groups",
                "models with groups, or a response whose density and spread can be checked",
                "add a grouping, or count successes by cell: y | trials(n)",
            )
        )
    moments = [Moments() for _ in statistics.shapes]
    for Y in new:
        for found, values in zip(moments, statistics.coefficients(Y), strict=True):
            found.add(values)
    centre = [found.mean for found in moments]
    scale = [np.maximum(found.sd, np.finfo(float).tiny) for found in moments]
    observed = statistics.values(design.y[None], centre, scale)
    with_new, with_same = (
        np.concatenate([statistics.values(Y, centre, scale) for Y in kind]) for kind in (new, same)
    )
    listed = statistics.listed
    frame = table(listed, observed[0], with_new)
    frame["p same"] = p_values(np.vstack([observed, with_same]), tails(listed))[0]
    frame = frame[["observed", "lower", "upper", "p new", "p same", "p adjusted"]]
    envelopes = tuple(envelope_of(statistics, new, centre, scale))
    return LevelReplication(
        statistics=listed,
        observed=observed[0],
        replicated=with_new,
        frame=frame,
        level=level,
        findings=found_wrong(listed, frame, level, envelopes),
        envelopes=envelopes,
    )


def check_options(draws: int, level: float) -> None:
    """Refuse too few replicates and a level that is no small probability."""
    whole = isinstance(draws, int | np.integer) and not isinstance(draws, bool)
    if not whole or draws < FEWEST:
        raise StatisticError(
            message(f"draws={draws!r}", f"a whole number from {FEWEST}", "999 is the default")
        )
    if not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise StatisticError(
            message(f"level={level!r}", "a number between 0 and 1", "0.05 is the default")
        )


def tails(listed: tuple[Statistic, ...]) -> tuple[str, ...]:
    """Return the tails of each statistic."""
    return tuple(statistic.tails for statistic in listed)


def table(listed: tuple[Statistic, ...], observed: Array, replicated: Array) -> pd.DataFrame:
    """Return a row a statistic."""
    import pandas as pd

    index = pd.MultiIndex.from_tuples(
        [(str(s.level), s.group, s.what, s.label) for s in listed],
        names=["level", "group", "statistic", "of"],
    )
    p = p_values(np.vstack([observed, replicated]), tails(listed))
    low, high = np.quantile(replicated, [0.025, 0.975], axis=0)
    columns = {"observed": observed, "lower": low, "upper": high, "p new": p[0]}
    return pd.DataFrame(columns | {"p adjusted": adjusted(p)}, index=index)


def envelope_of(
    statistics: LevelStatistics | CategoryStatistics,
    new: Replicates,
    centre: list[Array],
    scale: list[Array],
) -> list[Envelope]:
    """Return the envelope of every grouping's means and slopes."""
    held: list[list[Array]] = [[] for _ in statistics.shapes]
    count = 0
    for Y in new:
        for own, values, middle, spread in zip(
            held, statistics.coefficients(Y[: ENVELOPE - count]), centre, scale, strict=True
        ):
            own.append(np.sort((values - middle) / spread, axis=1))
        count += len(Y)
        if count >= ENVELOPE:
            break
    observed = statistics.coefficients(statistics.design.y[None])
    found = []
    for k, shape in enumerate(statistics.shapes):
        z = ((observed[k] - centre[k]) / scale[k])[0]
        low, middle, high = np.quantile(np.concatenate(held[k]), [0.025, 0.5, 0.975], axis=0)
        block = shape.sums.block
        pairs = zip(block.grouping.labels, shape.used, strict=True)
        labels = [label for label, kept in pairs if kept]
        found.append(
            Envelope(
                group=block.name,
                effect=labelled(shape.effect, shape.category),
                observed=np.sort(z),
                lower=low,
                middle=middle,
                upper=high,
                farthest=str(labels[int(np.argmax(np.abs(z - z.mean())))]),
            )
        )
    return found


NEXT = {
    "dispersion": (
        "rows vary more than the family says at their mean",
        "take a family with a dispersion (negbinomial, beta_binomial), or an effect a row",
    ),
    "dispersion below": (
        "rows vary less than the family says at their mean",
        "look at how the response was made: standard errors are too large",
    ),
    "skewness": (
        "the residuals are skewed otherwise than the model's",
        "transform the response, or take a skewed family (lognormal, gamma)",
    ),
    "kurtosis": (
        "the tails of the residuals are heavier than the model's",
        'look for gross errors; family="student" has heavier tails',
    ),
    "kurtosis below": (
        "the tails of the residuals are lighter than the model's",
        "look for bounds of the response, floors and ceilings; intervals are somewhat wide",
    ),
    "spread": (
        "the residuals of some groups of {group} spread more than those of others",
        "look at these groups; standard errors assume one spread, and a random slope that is "
        "missing looks like this too",
    ),
    "sd": (
        "the groups of {group} differ by another SD than the model's",
        "look at the prior of the SD",
    ),
    "bimodality": (
        "the {of} by {group} falls into clusters, or is skewed: not normal",
        'look for a predictor of the groups; dist="points" has clusters',
    ),
    "extreme": (
        "group {farthest} of {group} lies far from the others in its {of}",
        'look at this group; dist="student" has heavier tails',
    ),
    "slope": (
        "the slope of {of} differs between groups of {group} more than chance makes it",
        "let it vary: ({of} | {group})",
    ),
    "mean": ("the mean of the response is not one the priors expect", "look at the intercept's"),
    "within": (
        "rows differ by another SD than the priors expect",
        "look at the priors of sigma and of the slopes",
    ),
    "between": (
        "groups of {group} differ by a larger SD than the priors expect",
        "widen the prior of sd_{group}",
    ),
    "between below": (
        "groups of {group} differ by a smaller SD than the priors expect",
        "wide priors do little harm where groups are many; narrow that of sd_{group} where few",
    ),
}
"""What a statistic says when it stands out, and what to do."""


def found_wrong(
    listed: tuple[Statistic, ...],
    frame: pd.DataFrame,
    level: float,
    envelopes: tuple[Envelope, ...] = (),
) -> tuple[Finding, ...]:
    """Return what stands out, in words."""
    far = {(each.group, each.effect): each.farthest for each in envelopes}
    found = []
    middles = (frame["lower"] + frame["upper"]) / 2
    below = frame["observed"] < middles
    for statistic, p, under in zip(listed, frame["p adjusted"], below, strict=True):
        if p <= level:
            words = {
                "group": statistic.group,
                "of": statistic.of,
                "farthest": far.get((statistic.group, statistic.label), ""),
            }
            what, step = NEXT[statistic.what]
            if under:
                what, step = NEXT.get(f"{statistic.what} below", (what, step))
            share = f"of the share of {statistic.category}, " if statistic.category else ""
            told = f"{share}{what.format(**words)} (p {p:.3f})"
            found.append(Finding(told, step.format(**words)))
    return tuple(found)


def left_out(result: FitResult) -> tuple[str, ...]:
    """Return what a check of a response of two values or of categories leaves out, in words."""
    if result.design.family.unordered:
        return ("of categories without an order shares by group are checked, and no rows",)
    if saturated(result.design):
        return ("of groups without rows to spare density and spread: no checks of them",)
    if not binary(result.design):
        return ()
    return ("of a response of 0 or 1 density and spread follow from the mean: no checks of them",)
