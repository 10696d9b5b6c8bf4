"""Draws of a nested approximation, weighted by the likelihood at their own fixed effects.

A nested approximation integrates the fixed effects beta together with the random effects: given the
hyperparameters psi they are Normal about a joint mode. With few rows a group that mode is not
beta's own, and beta is skew. Draws of it are therefore weighted by

    p(y | beta, psi) p(beta) / (p(y | psi) q(beta | psi)),

p(y | beta, psi) with the random effects alone integrated out, and q the Normal density that the
draws come from: its mean is the field found at psi, its covariance that of a Gaussian model of
the same information, corrected by a factor that the draws tell; where psi holds parameters on
which the rows' information depends, that of the field.

References
----------
van Niekerk & Rue (2024), Journal of Machine Learning Research 25, 62, correct the same mean by
another way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import GaussianMarginal, LatentMarginal, gaussian_marginal
from bayesmlm.density.grouped_rows import fixed_columns, outcome
from bayesmlm.density.threads import spread
from bayesmlm.engines.weights import smooth, systematic
from bayesmlm.engines.working import Working
from bayesmlm.families.rows import information

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

ENOUGH = 3e-3
"""Squared length, in SDs, of the last Newton step of a search: log weights are off by about a
hundredth, far less than they vary."""

BASIS = 2
"""Fields, in terms of a regression on the parameters, from which there is one."""


@dataclass(frozen=True)
class Reweighted:
    """Chosen draws.

    Parameters
    ----------
    chosen
        Indices of the draws kept, shape (D,); None where the weights are even, and the draws
        as good as they are.
    loss
        What the weights add to the inverse of the effective sample size.
    khat
        Pareto shape of the weights.
    """

    chosen: NDArray[np.int64] | None
    loss: float
    khat: float


AS_THEY_ARE = Reweighted(None, 0.0, -np.inf)


def reweight(
    density: Recorded, mode: Mode, psi: Array, beta: Array, draws: int, seed: int
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
    draws
        So many are chosen.
    seed
        Of the choice.
    """
    marginal = density.marginal
    if is_exact(marginal):
        return AS_THEY_ARE
    q = log_normal(density, mode, psi, beta)
    if q is None:
        return AS_THEY_ARE
    coordinates = beta @ marginal.data.to_X.T
    values, fields = given(marginal, coordinates[:PILOT], psi[:PILOT])
    normal = density.values_at(psi) + q
    pilot = values - normal[:PILOT]
    if np.isfinite(pilot).all() and pilot.std() < EVEN:
        return AS_THEY_ARE
    centres = density.at(psi)
    moved = coordinates - centres[:, : coordinates.shape[1]]
    centres = centres[:, coordinates.shape[1] :]
    starts = predicted(psi, moved, centres, fields)
    rest, _ = given(marginal, coordinates[PILOT:], psi[PILOT:], starts)
    found = np.concatenate([values, rest]) - normal
    found = np.where(np.isfinite(found), found, -np.inf)
    if not np.isfinite(found).any():
        return Reweighted(None, 0.0, np.inf)
    weights, khat = smooth(found)
    loss = float((weights**2).sum()) - 1 / len(weights)
    chosen = systematic(weights, draws, np.random.default_rng([seed, 5]))
    return Reweighted(chosen, loss, khat)


def is_exact(marginal: LatentMarginal) -> bool:
    """Whether there is nothing to weight."""
    return not len(marginal.design.coef) or marginal.design.family.name == "gaussian"


def given(
    marginal: LatentMarginal, coordinates: Array, psi: Array, starts: Array | None = None
) -> tuple[Array, Array]:
    """Return log p(y | beta, psi) + log p(beta), up to a constant, (S,), and fields (S, m - p).

    By the approximation that gives p(y | psi), so that the weights do not move psi; not to the
    last digit, and begun where starts say.
    """
    precision, shift, _ = marginal.prior
    with np.errstate(all="ignore"):
        values, fields, _ = marginal.solve_given(
            np.ascontiguousarray(coordinates), *marginal.scales(psi), starts, ENOUGH, joint=False
        )
    quadratic = np.einsum("sa,ab,sb->s", coordinates, precision, coordinates)
    return values - 0.5 * quadratic + coordinates @ shift, fields


def predicted(psi: Array, moved: Array, centres: Array, fields: Array) -> Array | None:
    """Return fields of draws by a linear regression on how far their fixed effects moved.

    Parameters
    ----------
    psi, moved, centres
        Hyperparameters (S, d), and fixed effects less their mode given psi (S, p), at which the
        fields are centres (S, m).
    fields
        Of the first of the draws, shape (n, m).

    Returns
    -------
    array, shape (S - n, m), or None
        None where too few are known.
    """
    n = len(fields)
    sound = np.isfinite(fields).all(axis=1)
    one = np.ones(len(psi))
    z = np.column_stack([one, (psi - psi.mean(axis=0)) / (psi.std(axis=0) + 1e-8)])
    simple = np.column_stack([one, moved])
    terms = (simple[:, :, None] * z[:, None]).reshape(len(z), -1)
    terms = terms if sound.sum() >= BASIS * terms.shape[1] else simple
    if sound.sum() < BASIS * terms.shape[1]:
        return None
    slopes, *_ = np.linalg.lstsq(terms[:n][sound], (fields - centres[:n])[sound], rcond=None)
    return np.asarray(centres[n:] + terms[n:] @ slopes)


def log_normal(density: Recorded, mode: Mode, psi: Array, beta: Array) -> Array | None:
    """Return the log density, up to a constant, that the fixed effects were drawn from, (S,).

    None where their covariance cannot be computed.
    """
    marginal = density.marginal
    if marginal.layout.further_positions.size:  # the rows' information depends on psi
        own = marginal.covariances(psi, density.at(psi))
        if not np.isfinite(own).all():
            return None
    else:
        working = working_model(marginal, mode.point)
        if working is None:
            return None
        own = covariances(working, psi)
    centre = marginal.to_user(density.at(psi)[:, : beta.shape[1]])
    factors = np.linalg.cholesky(own)
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
    X = fixed_columns(design, marginal.priors)
    eta = X @ marginal.to_user(coordinates)[0] + design.offset
    for slots in marginal.layout.groups:
        u = standard[slots.block.name][0] @ slots.factor(psi[None])[0].T
        eta = eta + (slots.block.Z * u[slots.block.grouping.codes]).sum(axis=1)
    code, _, known, powers = outcome(design, np.arange(len(eta)))
    others, weight = marginal.layout.line(psi[None]).T.copy(), np.empty(len(eta))
    information(code, eta, others, known, powers, weight)
    weight = np.maximum(np.nan_to_num(weight), FAINT)
    own = replace(Working(eta, weight).design(design), X=X)
    found = gaussian_marginal(own, marginal.priors)
    return found if isinstance(found, GaussianMarginal) else None


def covariances(working: GaussianMarginal, psi: Array) -> Array:
    """Return the covariance of the user's fixed effects at each psi, shape (S, p, p)."""
    distinct, which = np.unique(psi, axis=0, return_inverse=True)
    (G, sigma), p = working.scales(distinct), len(working.design.coef)
    own = np.empty((len(distinct), p, p))

    def moments(first: int, last: int) -> None:
        for k in range(first, last):
            own[k] = working.structure.moments(G[k], sigma[k], working.prior.matrix)[3]

    spread(moments, len(own), working.structure.work * len(own))
    back = np.linalg.inv(working.data.to_X)
    return np.asarray((back @ own @ back.T)[which.ravel()])
