"""EM for mass points, and what starts and ends it.

The E step gives the posterior probabilities t_jk of the points. In the M step masses are their
means, and the coefficients take one step of Fisher scoring in the weighted regression of every
row at every point, halved until the expected log likelihood does not fall. Quasi-Newton steps
on the likelihood itself finish, as EM is slow at the end.

References
----------
Dempster, Laird & Rubin (1977), Journal of the Royal Statistical Society B 39, 1–38;
Aitkin (1999), doi:10.1111/j.0006-341X.1999.00117.x.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesmlm.engines.mixture import Mixing, Mixture

Array = NDArray[np.float64]

EM_STEPS = 60
"""EM steps of each start."""

SMALL_GAIN = 1e-4
"""Gain of the log likelihood at which EM stops."""

REACH = 4.0
"""How far from the mean points are looked for, in SDs of the linear predictor's scale."""

NEW_MASS = 0.1
"""Mass of a point that is added."""

ROOM = 1e-10
"""Smallest mass, and smallest information of a coefficient, that a step works with."""


def first(mixture: Mixture) -> Mixing:
    """Return the maximum of one point: the regression without random effects."""
    design = mixture.design
    q = mixture.Z.shape[1]
    columns = np.column_stack([mixture.Z, mixture.X])
    trials = design.outcome.rows.get("trials", 1.0)
    link = design.family.link
    y = design.y / trials
    if design.family.has_scale:
        eta = y
    elif design.family.name == "poisson":
        eta = link.link(0.9 * y + 0.1 * max(float(y.mean()), 0.01))
    else:
        eta = link.link(0.8 * y + 0.2 * np.clip(y.mean(), 0.01, 0.99))
    found = np.linalg.lstsq(columns, eta - design.offset, rcond=None)[0]
    spread = float(np.std(eta - design.offset - columns @ found))
    log_sigma = np.array([np.log(max(spread, 1e-150))] if design.estimates_scale else [])
    return em(mixture, Mixing(found[q:], found[None, :q], np.zeros(1), log_sigma), 50)


def em(mixture: Mixture, at: Mixing, steps: int = EM_STEPS) -> Mixing:
    """Return where EM stops, after at most some steps."""
    last = -np.inf
    for _ in range(steps):
        total, log_share = mixture.log_groups(at)
        value = float(total.sum())
        if not value - last > SMALL_GAIN:
            break
        last = value
        at = step(mixture, at, np.exp(log_share))
    return at


def step(mixture: Mixture, at: Mixing, share: Array) -> Mixing:
    """Return the parameters after one M step, given t_jk of shape (J, K)."""
    mass = np.maximum(share.mean(axis=0), ROOM)
    at = replace(at, log_mass=np.log(mass / mass.sum()))
    move_gamma, move_points = scoring(mixture, at, share)

    def expected(tried: Mixing) -> float:
        eta = mixture.predictors(tried.gamma, tried.points)
        return float((share * mixture.by_group(eta, tried.log_sigma)).sum())

    value, size = expected(at), 1.0
    for _ in range(20):
        tried = replace(
            at, gamma=at.gamma + size * move_gamma, points=at.points + size * move_points
        )
        if expected(tried) >= value:
            at = tried
            break
        size /= 2
    if len(at.log_sigma):
        at = replace(at, log_sigma=residual(mixture, at, share))
    return at


def scoring(mixture: Mixture, at: Mixing, share: Array) -> tuple[Array, Array]:
    """Return the step of Fisher scoring of gamma, shape (r,), and of the points, (K, q)."""
    design, rows = mixture.design, mixture.design.outcome.rows
    family, (X, Z) = design.family, (mixture.X, mixture.Z)
    (K, q), r = at.points.shape, X.shape[1]
    slope, _ = mixture.slopes(at, share)
    others = {"sigma": float(np.exp(at.log_sigma[0]))} if len(at.log_sigma) else {}
    H = np.zeros((r + K * q, r + K * q))
    for k, eta in enumerate(mixture.predictors(at.gamma, at.points)):
        bounded = eta if family.has_scale else np.clip(eta, -15, 15)
        derivative = family.link.inverse_slope(bounded)
        information = derivative**2 / family.variance(bounded, others, rows)
        weight = information * rows.get("weights", 1.0) * share[mixture.codes, k]
        own = slice(r + k * q, r + (k + 1) * q)
        H[:r, :r] += X.T @ (weight[:, None] * X)
        H[:r, own] = X.T @ (weight[:, None] * Z)
        H[own, :r] = H[:r, own].T
        H[own, own] = Z.T @ (weight[:, None] * Z)
    H += ROOM * max(float(np.trace(H)), 1.0) * np.eye(len(H))
    gradient = np.concatenate([X.T @ slope.sum(axis=0), (slope @ Z).ravel()])
    move = np.linalg.solve(H, gradient)
    return move[:r], move[r:].reshape(K, q)


def residual(mixture: Mixture, at: Mixing, share: Array) -> Array:
    """Return the log residual SD that maximises the expected log likelihood, shape (1,)."""
    rows = mixture.design.outcome.rows
    weights = rows.get("weights", np.ones(len(mixture.design.y)))
    precision = rows.get("precision", 1.0)
    eta = mixture.predictors(at.gamma, at.points)
    squares = ((mixture.design.y - eta) ** 2 * precision * weights).T
    total = float((share[mixture.codes] * squares).sum() / weights.sum())
    return np.array([0.5 * np.log(max(total, 1e-300))])


def polish(mixture: Mixture, at: Mixing) -> tuple[Mixing, float, int]:
    """Return the maximum near some parameters, its largest derivative, and evaluations."""
    from scipy.optimize import minimize

    K = len(at.points)

    def negative(flat: Array) -> tuple[float, Array]:
        value, gradient = mixture.with_gradient(flat, K)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e300, np.zeros_like(flat)
        return -value, -gradient

    found = minimize(
        negative, at.flat(), jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 2000}
    )
    gradient = np.abs(mixture.with_gradient(found.x, K)[1]).max(initial=0.0)
    return mixture.unflat(found.x, K), float(gradient), int(found.nfev)


def candidates(mixture: Mixture, at: Mixing, rng: np.random.Generator) -> Array:
    """Return where a further point may lie, shape (S, q): a line, or a cloud."""
    q = mixture.Z.shape[1]
    around = at.mass @ at.points
    if q == 1:
        return np.asarray(around + REACH * np.linspace(-1, 1, 161)[:, None])
    return np.asarray(around + REACH / 2 * rng.normal(size=(400, q)))


def add_point(mixture: Mixture, at: Mixing, rng: np.random.Generator) -> Mixing:
    """Return the parameters with a further point where it promises most."""
    tried = candidates(mixture, at, rng)
    best = tried[np.argmax(mixture.gain(at, tried))]
    log_mass = np.append(at.log_mass + np.log1p(-NEW_MASS), np.log(NEW_MASS))
    return replace(at, points=np.vstack([at.points, best]), log_mass=log_mass)


def scattered(mixture: Mixture, one: Mixing, K: int, rng: np.random.Generator) -> Mixing:
    """Return K points of equal mass at random about the only point of `one`."""
    spread = rng.choice([0.5, 1.0, 2.0])
    points = one.points + spread * rng.normal(size=(K, mixture.Z.shape[1]))
    return replace(one, points=points, log_mass=np.full(K, -np.log(K)))
