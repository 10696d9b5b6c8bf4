"""One group's effects after a few more of its rows, without a fit.

Given a draw of the hyperparameters, the fixed effects and all other effects, the rows r = y -
(linear predictor without the group's effects) of a Gaussian response say of u = L v, T = L L':

    H = I + L' Z' W Z L,   v | r ~ Normal(H⁻¹ L' Z' W r, H⁻¹),
    log p(r) = -(n log 2 pi - log|W| + log|H| + r' W r - b' H⁻¹ b) / 2,   b = L' Z' W r,

W the inverse variances of the rows. The rows tell of the draws too: each counts by p(new rows |
draw), Pareto smoothed, k-hat told. The joint posterior is then that of a fit to all rows.

References
----------
Lindley & Smith (1972), Journal of the Royal Statistical Society B 34, 1–41;
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25, 72.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.one_group import draw_weighted
from bayesmlm.density.streams import streams
from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.further import refuse_by_row
from bayesmlm.engines.weights import smooth
from bayesmlm.errors import StatisticError, message
from bayesmlm.families.rows import code
from bayesmlm.predict.group_evidence import Evidence, new_evidence, old_evidence, own_draws
from bayesmlm.predict.parameters import Parameters, fitted_parameters
from bayesmlm.predict.simulation import refuse_points
from bayesmlm.result import FitResult

Array = NDArray[np.float64]

EXACT = ("gaussian", "lognormal")
"""Families whose effects have a normal distribution given everything else."""


DRAWS = 4000
"""Draws of the effects where the fit is a maximum, of one draw."""


@dataclass(frozen=True)
class GroupPosterior:
    """The posterior of one group's effects.

    Parameters
    ----------
    block, label
        The grouping and the group.
    known
        Whether the fit has rows of the group.
    draws
        Equally weighted, shape (S, q).
    mean, sd
        Shape (q,): exact given the weighted draws of the hyperparameters where the response is
        Gaussian, else of the draws.
    khat, ess
        Pareto shape of the weights (minus infinity where they have no tail, or there is one
        draw) and their effective number.
    rows
        Number of new rows.
    """

    block: RandomBlock
    label: Any
    known: bool
    draws: Array
    mean: Array
    sd: Array
    khat: float
    ess: float
    rows: int


def update_group(result: FitResult, data: Any, group: str | None, seed: int = 0) -> GroupPosterior:
    """Return the posterior of a group's effects given more rows; see `Fit.update_group`."""
    design = result.design
    refuse_points(result)
    refuse_by_row(design, "an update of one group")
    block = design.block(result.only_group(group))
    if not block.is_normal:
        raise StatisticError(
            message(
                f"an update of {block.distribution} effects by {block.name}",
                "normal effects",
                "fit again with the new rows",
            )
        )
    rng = np.random.default_rng([seed, 5])
    parameters = fitted_parameters(result)
    if parameters.size == 1:
        parameters = parameters.take(np.zeros(DRAWS, dtype=int))
    new, label, at = new_evidence(result, parameters, block, data, rng)
    old = None if at is None else old_evidence(result, parameters, block, at)
    values, vectors = np.linalg.eigh(parameters.covariance(block))
    L = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    if design.family.name in EXACT:
        found = exact(design, parameters, L, new, old, rng)
    else:
        found = weighted(result, parameters, L, new, old, block, at, rng)
    return GroupPosterior(block, label, at is not None, *found, rows=len(new.y))


Found = tuple[Array, Array, Array, float, float]
"""Draws, mean, SD, k-hat and ESS."""


def precisions(design: Design, parameters: Parameters, rows: Evidence) -> Array:
    """Return the inverse variances of rows of a Gaussian response, shape (S, n)."""
    shape = rows.base.shape
    if "se" in rows.additions:
        return np.broadcast_to(1 / rows.additions["se"] ** 2, shape)
    relative = rows.additions.get("precision", np.ones(shape[1]))
    return np.asarray(relative / parameters.others["sigma"][:, None] ** 2)


def normal(
    design: Design, parameters: Parameters, L: Array, rows: Evidence
) -> tuple[Array, Array, Array]:
    """Return mean and covariance of v, and log p(rows), draw by draw; rows may be none."""
    S, q = len(L), L.shape[1]
    if not len(rows.y):
        return np.zeros((S, q)), np.broadcast_to(np.eye(q), (S, q, q)), np.zeros(S)
    W = precisions(design, parameters, rows)
    power = rows.additions.get("weights", np.ones(len(rows.y)))
    r = design.family.on_link_scale(rows.y) - rows.base
    ZL = np.einsum("nq,sqa->sna", rows.Z, L)
    b = np.einsum("sna,sn->sa", ZL, power * W * r)
    H = np.eye(q) + np.einsum("sna,sn,snb->sab", ZL, power * W, ZL)
    C = np.linalg.inv(H)
    m = np.einsum("sab,sb->sa", C, b)
    fit = (power * W * r**2).sum(axis=1) - np.einsum("sa,sa->s", b, m)
    volume = np.linalg.slogdet(H)[1] - (power * np.log(W)).sum(axis=1)
    return m, C, -0.5 * (power.sum() * np.log(2 * np.pi) + volume + fit)


def exact(
    design: Design,
    parameters: Parameters,
    L: Array,
    new: Evidence,
    old: Evidence | None,
    rng: np.random.Generator,
) -> Found:
    """Return the update in closed form."""
    before = new if old is None else old
    together = new if old is None else old.joined(new)
    m, C, value = normal(design, parameters, L, together)
    log_weights = value - (0.0 if old is None else normal(design, parameters, L, before)[2])
    weights, khat, ess = counted(log_weights)
    means = np.einsum("sab,sb->sa", L, m)
    covariances = L @ C @ L.transpose(0, 2, 1)
    mean = weights @ means
    second = np.einsum("saa->sa", covariances) + (means - mean) ** 2
    chosen = rng.choice(len(weights), size=len(weights), p=weights)
    roots = np.linalg.cholesky(C[chosen])
    v = m[chosen] + np.einsum("sab,sb->sa", roots, rng.standard_normal(m.shape))
    draws = np.einsum("sab,sb->sa", L[chosen], v)
    return draws, mean, np.sqrt(weights @ second), khat, ess


def counted(log_weights: Array) -> tuple[Array, float, float]:
    """Return smoothed weights, k-hat and ESS; of weights that are all alike no k-hat."""
    if np.ptp(log_weights) < 1e-12:
        S = len(log_weights)
        return np.full(S, 1 / S), -np.inf, float(S)
    finite = np.maximum(log_weights, log_weights.max() - 700.0)
    weights, khat = smooth(finite)
    return weights, khat, float(1 / (weights**2).sum())


def weighted(
    result: FitResult,
    parameters: Parameters,
    L: Array,
    new: Evidence,
    old: Evidence | None,
    block: RandomBlock,
    at: int | None,
    rng: np.random.Generator,
) -> Found:
    """Return the update by importance weights.

    The draws of a group that the fit knows count by the density of its new rows. Effects of a
    new group, and of a maximum, are proposed at their mode, draw by draw.
    """
    design = result.design
    maximum = result.posterior.sizes["chain"] * result.posterior.sizes["draw"] == 1
    if at is not None and old is not None and not maximum:
        u = own_draws(result, block, at, parameters.size)
        eta = new.base + u @ new.Z.T
        power = new.additions.get("weights", np.ones(len(new.y)))
        log_density = design.family.log_density
        others = [{n: v[s] for n, v in parameters.others.items()} for s in range(len(eta))]
        log_weights = np.array(
            [
                (power * log_density(new.y, eta[s], own, new.additions)).sum()
                for s, own in enumerate(others)
            ]
        )
    else:
        together = new if old is None else old.joined(new)
        u, log_weights = proposed(design, parameters, L, together, rng)
    weights, khat, ess = counted(log_weights)
    mean = weights @ u
    sd = np.sqrt(weights @ (u - mean) ** 2)
    chosen = rng.choice(len(weights), size=len(weights), p=weights)
    return u[chosen], mean, sd, khat, ess


def proposed(
    design: Design, parameters: Parameters, L: Array, rows: Evidence, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return effects proposed at their modes, and their log weights."""
    lines = [
        p.line(v if v.ndim > 1 else v[:, None])
        for p, v in ((p, parameters.others[p.name]) for p in design.parameters)
    ]
    others = np.concatenate([*lines, np.empty((parameters.size, 0))], axis=1)
    kernel = code(design.family)
    if kernel is None:
        raise StatisticError(
            message(
                f"an update of a new group of the {design.family.name} family",
                "families with a compiled density",
                "fit again with the new rows",
            )
        )
    known = np.array(design.family.known(rows.additions), dtype=float)
    power = np.array(rows.additions.get("weights", np.ones(1)), dtype=float)
    v, log_weights = draw_weighted(
        np.ascontiguousarray(rows.base),
        np.ascontiguousarray(L),
        np.ascontiguousarray(others),
        np.ascontiguousarray(rows.Z),
        (kernel, rows.y, known, power),
        streams(int(rng.integers(2**31)), 1)[0],
    )
    return np.einsum("sab,sb->sa", L, v), log_weights
