"""Draws of a nested approximation, weighted by the likelihood at their own fixed effects.

A nested approximation integrates the fixed effects beta together with the random effects: given the
hyperparameters psi they are Normal about a joint mode. With few rows a group that mode is not
beta's own, and beta is skew. Draws of it are therefore weighted by

    p(y | beta, psi) p(beta) / (p(y | psi) q(beta | psi)),

p(y | beta, psi) with the random effects alone integrated out, and q the Normal density that the
draws come from: its mean is the field found at psi, its covariance that of a Gaussian model of
the same information, corrected by a factor that the draws tell.

References
----------
van Niekerk & Rue (2024), Journal of Machine Learning Research 25, 62, correct the same mean by
another way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import GaussianMarginal, LatentMarginal, gaussian_marginal
from bayesmlm.engines.importance import smooth
from bayesmlm.engines.working import Working

if TYPE_CHECKING:
    from bayesmlm.engines.mode import Mode
    from bayesmlm.engines.nested import Recorded

Array = NDArray[np.float64]

PILOT = 128
"""Draws whose weights tell whether more are needed."""

EVEN = 0.05
"""SD of the log weights up to which they change nothing: no mean moves by more SDs than that."""

FAINT = 1e-10
"""Least information of a row."""


@dataclass(frozen=True)
class Reweighted:
    """Chosen draws.

    Parameters
    ----------
    chosen
        Indices of the draws kept, shape (D,).
    loss
        What the weights add to the inverse of the effective sample size.
    khat
        Pareto shape of the weights.
    """

    chosen: NDArray[np.int64]
    loss: float
    khat: float


def reweight(
    density: Recorded, mode: Mode, psi: Array, beta: Array, count: int, seed: int
) -> Reweighted:
    """Choose draws of a nested approximation by the weights of their fixed effects.

    Parameters
    ----------
    density
        The nested approximation, with what it found at psi.
    mode
        Of its hyperparameters.
    psi, beta
        Draws, in random order: hyperparameters (S, d) and the user's fixed effects (S, p).
    count
        So many of them are weighted, if the weights change anything.
    seed
        Of the choice.
    """
    marginal = density.marginal
    S, all_draws = len(psi), np.arange(len(psi))
    if not beta.shape[1] or marginal.design.family.name == "gaussian":  # it is exact
        return Reweighted(all_draws, 0.0, -np.inf)
    most = min(S, count)
    q = log_normal(density, mode, psi, beta)
    if q is None:
        return Reweighted(all_draws, 0.0, -np.inf)

    def log_weights(first: int, last: int) -> Array:
        own = slice(first, last)
        target = given(marginal, beta[own] @ marginal.data.to_X.T, psi[own])
        return target - density.values_at(psi[own]) - q[own]

    pilot = min(most, PILOT)
    found = log_weights(0, pilot)
    if np.isfinite(found).all() and found.std() < EVEN:
        return Reweighted(all_draws, 0.0, -np.inf)
    if most > pilot:
        found = np.concatenate([found, log_weights(pilot, most)])
    found = np.where(np.isfinite(found), found, -np.inf)
    if not np.isfinite(found).any():
        return Reweighted(all_draws, 0.0, np.inf)
    weights, khat = smooth(found)
    rng = np.random.default_rng([seed, 5])
    positions = (np.arange(S) + rng.uniform(size=S)) / S
    chosen = np.searchsorted(np.cumsum(weights)[:-1], positions, side="right")
    loss = float((weights**2).sum()) - 1 / len(weights)
    return Reweighted(rng.permutation(chosen), loss, khat)


def given(marginal: LatentMarginal, coordinates: Array, psi: Array) -> Array:
    """Return log p(y | beta, psi) + log p(beta), up to a constant, shape (S,)."""
    precision, shift, _ = marginal.prior
    with np.errstate(all="ignore"):
        values, _, _ = marginal.solve_given(
            np.ascontiguousarray(coordinates), *marginal.scales(psi)
        )
    quadratic = np.einsum("sa,ab,sb->s", coordinates, precision, coordinates)
    return np.asarray(values - 0.5 * quadratic + coordinates @ shift)


def log_normal(density: Recorded, mode: Mode, psi: Array, beta: Array) -> Array | None:
    """Return the log density, up to a constant, that the fixed effects were drawn from, (S,).

    None where their covariance cannot be computed.
    """
    marginal = density.marginal
    working = working_model(marginal, mode.point)
    if working is None:
        return None
    centre = marginal.to_user(density.at(psi)[:, : beta.shape[1]])
    factors = np.linalg.cholesky(covariances(working, psi))
    white = np.linalg.solve(factors, (beta - centre)[:, :, None])[:, :, 0]
    # what the working model misses of the covariance is alike for all psi
    left = np.cov(white.T).reshape(white.shape[1], -1)
    forms = np.einsum("sa,ab,sb->s", white, np.linalg.inv(left), white)
    log_scales = np.log(np.einsum("saa->sa", factors)).sum(axis=1)
    return np.asarray(-0.5 * forms - log_scales)


def working_model(marginal: LatentMarginal, psi: Array) -> GaussianMarginal | None:
    """Return the Gaussian model whose rows have the information that they have at one psi."""
    design = marginal.design
    _, fields, modes = marginal.solve(psi[None])
    coordinates, standard = marginal.split(fields)
    standard[design.random[marginal.data.order[0]].name] = modes
    eta = design.X @ marginal.to_user(coordinates)[0] + design.offset
    for slots in marginal.layout.groups:
        u = standard[slots.block.name][0] @ slots.factor(psi[None])[0].T
        eta = eta + (slots.block.Z * u[slots.block.grouping.codes]).sum(axis=1)
    rows = design.outcome.rows
    with np.errstate(all="ignore"):
        slope = design.family.link.inverse_slope(eta)
        weight = slope**2 / design.family.variance(eta, {}, rows) * rows.get("weights", 1.0)
    weight = np.maximum(np.nan_to_num(weight), FAINT)
    found = gaussian_marginal(Working(eta, weight).design(design), marginal.priors)
    return found if isinstance(found, GaussianMarginal) else None


def covariances(working: GaussianMarginal, psi: Array) -> Array:
    """Return the covariance of the user's fixed effects at each psi, shape (S, p, p)."""
    distinct, which = np.unique(psi, axis=0, return_inverse=True)
    scales, sigma = working.scales(distinct)
    back = np.linalg.inv(working.data.to_X)
    found = np.stack(
        [
            back @ working.structure.moments(G, s, working.prior.matrix)[3] @ back.T
            for G, s in zip(scales, sigma, strict=True)
        ]
    )
    return found[which.ravel()]
