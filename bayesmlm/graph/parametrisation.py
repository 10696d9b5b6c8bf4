"""Centred or non-centred: how a sampler meets each random effect.

Where the data of a group say much about its effect, the group's own coefficient is the
better coordinate (centred); where they say little, its standardised deviation is
(non-centred). The share that the data contribute is the effect's reliability.

References
----------
Papaspiliopoulos, Roberts & Sköld (2007), Statistical Science 22, 59–73,
doi:10.1214/088342307000000014.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, RandomBlock
from bayesmlm.errors import EngineError, message, suggestion

Array = NDArray[np.float64]

CENTRED = "centred"
NON_CENTRED = "non-centred"
CHOICES = (CENTRED, NON_CENTRED)

ENOUGH = 0.8
"""Reliability from which an effect is centred; above one half because a sampler pays more
for centring an effect whose SD may be near zero than for not centring one."""


@dataclass(frozen=True)
class EffectCoordinates:
    """The coordinates chosen for one random effect.

    Parameters
    ----------
    group, effect
        Which effect.
    choice
        ``"centred"`` or ``"non-centred"``.
    reliability
        A quick estimate of the effect's reliability, averaged over groups, in [0, 1].
    by_user
        Whether the user chose.
    holds_groups
        Whether another grouping nests in this one. Its rows are then not independent given
        its effect, the quick estimate of the reliability is too high, and it is not centred.
    parameter
        Whose linear predictor it belongs to. Of further parameters but sigma there is no
        quick estimate of the reliability, and they are not centred.
    """

    group: str
    effect: str
    choice: str
    reliability: float
    by_user: bool
    holds_groups: bool = False
    parameter: str = names.MU

    def __str__(self) -> str:
        why = "as asked" if self.by_user else f"reliability about {self.reliability:.2f}"
        if self.parameter not in (names.MU, names.SIGMA) and not self.by_user:
            why = f"of {self.parameter}"
        elif self.holds_groups and not self.by_user:
            why = "another grouping nests in it"
        return f"{self.effect} by {self.group}: {self.choice} ({why})"


def choose(
    design: Design, asked: str | Mapping[str, str] | None = None
) -> tuple[EffectCoordinates, ...]:
    """Choose the coordinates of every random effect.

    Parameters
    ----------
    design
        The model's design.
    asked
        One choice for all effects, or choices by ``"group"`` or ``"group[effect]"``.

    Effects that are not normal have no choice: Student-t ones are non-centred, and mass points
    are summed out.

    Raises
    ------
    EngineError
        For a choice that does not exist, or for an effect that the model lacks.
    """
    wishes = read_wishes(design, asked)
    chosen = []
    for block in design.blocks:
        if not block.is_normal:
            refuse_centred(block, wishes)
            continue
        of_mu = block.parameter == names.MU
        reliability = (quick_reliability if of_mu else scale_reliability)(design, block)
        outer = any(block.name in level.nested_in for level in design.levels.levels)
        for k, effect in enumerate(block.effects):
            wish = wishes.get(f"{block.name}[{effect}]", wishes.get(block.name))
            enough = reliability[k] >= ENOUGH and not outer
            automatic = CENTRED if enough else NON_CENTRED
            chosen.append(
                EffectCoordinates(
                    group=block.name,
                    effect=effect,
                    choice=wish or automatic,
                    reliability=float(reliability[k]),
                    by_user=wish is not None,
                    holds_groups=outer,
                    parameter=block.parameter,
                )
            )
    return tuple(chosen)


def read_wishes(design: Design, asked: str | Mapping[str, str] | None) -> dict[str, str]:
    """Return the user's choices by group or effect, checked."""
    known = [block.name for block in design.blocks]
    known += [f"{block.name}[{effect}]" for block in design.blocks for effect in block.effects]
    groups = [block.name for block in design.blocks]
    if not (asked is None or isinstance(asked, Mapping) or asked in CHOICES):
        raise refused(asked, "all effects")
    wishes = dict.fromkeys(groups, asked) if isinstance(asked, str) else dict(asked or {})
    for name, choice in wishes.items():
        if name not in known:
            raise EngineError(
                message(
                    f"a parametrisation for {name!r}{suggestion(name, known)}",
                    ", ".join(known) or "none: the model has no random effects",
                    "correct the name",
                )
            )
        if choice not in CHOICES:
            raise refused(choice, repr(name))
    return {name: str(choice) for name, choice in wishes.items()}


def refuse_centred(block: RandomBlock, wishes: Mapping[str, str]) -> None:
    """Refuse to centre effects that are not normal."""
    keys = [block.name, *(f"{block.name}[{effect}]" for effect in block.effects)]
    if CENTRED in [wishes.get(key) for key in keys]:
        raise EngineError(
            message(
                f"parametrisation {CENTRED!r} for {block.name!r}, whose effects are not normal "
                f"({block.distribution})",
                "normal effects",
                f"name the other groupings, or leave it out for {block.name!r}",
            )
        )


def refused(choice: object, place: str) -> EngineError:
    """Return the error of a choice that does not exist."""
    return EngineError(
        message(
            f"parametrisation {choice!r} for {place}",
            ", ".join(map(repr, CHOICES)),
            "choose one of these, or leave it out for the automatic choice",
        )
    )


def quick_reliability(design: Design, block: RandomBlock) -> Array:
    """Estimate the reliability of each effect of a block by moments, without a fit.

    One weighted regression gives a working residual; each group's own least squares gives
    estimates t_j with variances v_j; their excess spread gives tau² (DerSimonian & Laird
    1986, doi:10.1016/0197-2456(86)90046-2); the reliability is the mean of
    tau² / (tau² + v_j).

    Returns
    -------
    array, shape (q,)
        Zero where no group has rows enough.
    """
    residual, weight = working_residual(design)
    return moment_reliability(block, residual, weight, dispersion(design, residual, weight, block))


def scale_reliability(design: Design, block: RandomBlock) -> Array:
    """Estimate the reliability of each effect of a block on log sigma, zero elsewhere.

    The logarithm of a residual's size is log sigma and an error of variance pi² / 8, where the
    likelihood of a normal residual is as informative as an error of variance 1 / 2.

    Returns
    -------
    array, shape (q,)
    """
    part = next(part for part in design.further if part.target == block.parameter)
    if part.target != names.SIGMA or part.link.name != "log" or not design.family.has_scale:
        return np.zeros(len(block.effects))
    residual, weight = working_residual(design)
    for own in design.random:
        codes, size = own.grouping.codes, own.grouping.size
        total = np.bincount(codes, weight, size)
        residual = residual - (np.bincount(codes, weight * residual, size) / total)[codes]
    length = np.abs(residual) * np.sqrt(weight)
    if not length.any():
        return np.zeros(len(block.effects))
    working = np.log(np.maximum(length, 1e-3 * length.mean())) - part.offset
    ones = np.full(len(working), 1.0)
    rest = working - part.X @ weighted_least_squares(part.X, working, ones)
    return moment_reliability(block, rest, ones, np.pi**2 / 8, 0.5)


def moment_reliability(
    block: RandomBlock,
    residual: Array,
    weight: Array,
    error: float,
    informative: float | None = None,
) -> Array:
    """Estimate the reliability of each effect of a block from residuals, by moments.

    Parameters
    ----------
    block
        The effects.
    residual, weight
        Of the rows, shape (N,).
    error
        Variance of a row of weight one within groups.
    informative
        Variance of an error that would say as much as the likelihood does; None: `error`.
    """
    codes, size, q = block.grouping.codes, block.grouping.size, len(block.effects)
    cross = np.empty((size, q, q))
    moment = np.empty((size, q))
    for a in range(q):
        moment[:, a] = np.bincount(codes, weight * block.Z[:, a] * residual, size)
        for b in range(q):
            cross[:, a, b] = np.bincount(codes, weight * block.Z[:, a] * block.Z[:, b], size)
    scaled = cross / np.maximum(np.einsum("jaa->j", cross) / q, 1e-300)[:, None, None]
    full = np.linalg.cond(scaled) < 1e8
    if full.sum() < 2:
        return np.zeros(q)
    inverse = np.linalg.inv(cross[full])
    estimate = np.einsum("jab,jb->ja", inverse, moment[full])
    variance = np.einsum("jaa->ja", inverse) * error
    precision = 1 / variance
    centre = (precision * estimate).sum(0) / precision.sum(0)
    excess = (precision * (estimate - centre) ** 2).sum(0) - (full.sum() - 1)
    tau2 = np.maximum(excess, 0) / (precision.sum(0) - (precision**2).sum(0) / precision.sum(0))
    variance = variance * (1.0 if informative is None else informative / error)
    return np.asarray((tau2 / (tau2 + variance)).mean(0))


def working_residual(design: Design) -> tuple[Array, Array]:
    """Return residuals on the scale of the linear predictor, and their weights; shape (N,)."""
    working, weight = working_response(design)
    return working - design.X @ weighted_least_squares(design.X, working, weight), weight


def weighted_least_squares(X: Array, y: Array, weight: Array) -> Array:
    """Return the coefficients of a weighted regression, shape (p,)."""
    root = np.sqrt(weight)
    return np.asarray(np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0])


def working_response(design: Design) -> tuple[Array, Array]:
    """Return the response on the scale of the linear predictor, and its weights; shape (N,)."""
    family, rows = design.family, design.outcome.rows
    power = rows.get("weights", 1.0)
    if family.ordered:
        latent = family.latent_variance() or 1.0
        return latent_scores(design) - design.offset, power / latent * np.ones(len(design.y))
    if family.has_scale:
        working = family.on_link_scale(design.y) - design.offset
        relative = family.known(rows)[0] ** 2 if len(family.known(rows)) else 1.0
        return working, relative * power * np.ones(len(design.y))
    if family.unordered:
        return np.zeros(len(design.y)), np.ones(len(design.y))
    trials = rows.get("trials", np.ones(len(design.y)))
    share = design.y / trials
    mean = np.full(len(design.y), design.y.sum() / trials.sum())
    mean = np.clip(mean, 0.01, 0.99) if family.proportion else np.maximum(mean, 0.01)
    eta = family.link.link(mean)
    slope = family.link.inverse_slope(eta)
    working = eta + (share - mean) / slope - design.offset
    # with further parameters unknown, all the variance of y stands for that within groups
    variance = max(float(share.var()), 1e-4) if family.further else family.variance(eta, {}, rows)
    return working, slope**2 / variance * power


def latent_scores(design: Design) -> Array:
    """Return a value of the latent response amid each ordered category, shape (N,)."""
    codes = design.y.astype(int)
    share = np.bincount(codes) / len(codes)
    middle = np.cumsum(share) - share / 2
    scores = design.family.link.link(middle)
    return np.asarray((scores - share @ scores)[codes])


def dispersion(design: Design, residual: Array, weight: Array, block: RandomBlock) -> float:
    """Return the residual variance within groups, or 1 where it is known."""
    if not design.family.estimates_scale(design.outcome.rows):
        return 1.0
    codes, size = block.grouping.codes, block.grouping.size
    total = np.bincount(codes, weight, size)
    means = np.bincount(codes, weight * residual, size) / total
    within = float((weight * (residual - means[codes]) ** 2).sum())
    freedom = len(residual) - size
    return max(within / freedom, 1e-12) if freedom > 0 else 1.0
