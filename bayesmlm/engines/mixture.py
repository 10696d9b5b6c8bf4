"""The likelihood of a grouping whose effects take one of K values, the mass points.

With points a_k of masses pi_k, and the other fixed effects gamma,

    log L = sum_j log sum_k pi_k prod_{i in j} p(y_i | x_i' gamma + z_i' a_k).

Its gradient is that of the expected complete log likelihood, rows weighted by the posterior
probabilities t_jk of the points (Fisher's identity).

References
----------
Laird (1978), doi:10.1080/01621459.1978.10480103;
Aitkin (1999), doi:10.1111/j.0006-341X.1999.00117.x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import orthonormal
from bayesmlm.design import Design
from bayesmlm.families.rows import add_rows, code
from bayesmlm.priors import outcome_scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mixing:
    """Values of all parameters, in the coordinates of `Mixture`.

    Parameters
    ----------
    gamma
        Coefficients of the columns that do not vary, shape (r,).
    points
        Shape (K, q).
    log_mass
        Logarithms of the masses, shape (K,).
    log_sigma
        Of the residual SD; empty where it is known, else shape (1,).
    """

    gamma: Array
    points: Array
    log_mass: Array
    log_sigma: Array

    @property
    def mass(self) -> Array:
        """Masses, shape (K,)."""
        return np.exp(self.log_mass)

    def flat(self) -> Array:
        """Return all as one unconstrained vector."""
        logits = self.log_mass[1:] - self.log_mass[0]
        return np.concatenate([self.gamma, self.points.ravel(), logits, self.log_sigma])


@dataclass(frozen=True)
class Mixture:
    """The log likelihood, and its data in orthogonal columns of one length.

    Parameters
    ----------
    design
        The model: one grouping, whose effects have fixed coefficients.
    Z, X
        Effect columns, shape (N, q), and what is left of the other fixed columns, (N, r).
    to_Z, to_X, shift
        The user's columns are ``Z @ to_Z`` and ``X @ to_X + user_Z @ shift``.
    """

    design: Design
    Z: Array
    X: Array
    to_Z: Array
    to_X: Array
    shift: Array

    @property
    def codes(self) -> NDArray[np.int64]:
        """Group of each row, shape (N,)."""
        return np.asarray(self.design.random[0].grouping.codes)

    @property
    def size(self) -> int:
        """Number of groups, J."""
        return self.design.random[0].grouping.size

    @property
    def positions(self) -> tuple[list[int], list[int]]:
        """Positions in the design's coefficients of the effects and of all others."""
        effects = self.design.random[0].effects
        at = [self.design.coef.index(effect) for effect in effects]
        return at, [k for k in range(len(self.design.coef)) if k not in at]

    def unflat(self, flat: Array, K: int) -> Mixing:
        """Return the values in a vector of `Mixing.flat`."""
        r, q = self.X.shape[1], self.Z.shape[1]
        logits = np.concatenate([[0.0], flat[r + K * q : r + K * q + K - 1]])
        return Mixing(
            flat[:r],
            flat[r : r + K * q].reshape(K, q),
            logits - np.logaddexp.reduce(logits),
            flat[r + K * q + K - 1 :],
        )

    def predictors(self, gamma: Array, points: Array) -> Array:
        """Return the linear predictor of each row at each point, shape (K, N)."""
        fixed = self.X @ gamma + self.design.offset
        return np.asarray(fixed + points @ self.Z.T)

    def by_group(self, eta: Array, log_sigma: Array) -> Array:
        """Return the log likelihood of each group at each point, shape (J, K)."""
        design, rows = self.design, self.design.outcome.rows
        others = {"sigma": float(np.exp(log_sigma[0]))} if len(log_sigma) else {}
        weights = rows.get("weights", 1.0)
        with np.errstate(over="ignore"):
            parts = [
                weights * design.family.log_density(design.y, own, others, rows) for own in eta
            ]
        return np.column_stack([np.bincount(self.codes, part, self.size) for part in parts])

    def log_groups(self, at: Mixing) -> tuple[Array, Array]:
        """Return the log likelihood of each group (J,), and log t_jk, shape (J, K)."""
        eta = self.predictors(at.gamma, at.points)
        joint = self.by_group(eta, at.log_sigma) + at.log_mass
        total = np.logaddexp.reduce(joint, axis=1)
        return total, joint - total[:, None]

    def value(self, at: Mixing) -> float:
        """Return the log likelihood."""
        return float(self.log_groups(at)[0].sum())

    def slopes(self, at: Mixing, share: Array) -> tuple[Array, Array]:
        """Return the weighted slopes in eta, shape (K, N), and in log sigma, shape (1,) or (0,).

        Parameters
        ----------
        at
            Where.
        share
            t_jk, shape (J, K).
        """
        design, rows = self.design, self.design.outcome.rows
        kernel = code(design.family)
        known = np.ascontiguousarray(design.family.known(rows), dtype=float)
        weights = rows.get("weights", np.ones(len(design.y)))
        eta = self.predictors(at.gamma, at.points)
        slope = np.empty_like(eta)
        others = at.log_sigma.reshape(-1, 1).copy()
        other_slopes = np.zeros_like(others)
        for k, own in enumerate(eta):
            weight = np.ascontiguousarray(weights * share[self.codes, k])
            y = np.ascontiguousarray(design.y, dtype=float)
            add_rows(kernel, y, own, others, known, weight, slope[k], other_slopes)
        return slope, other_slopes[:, 0]

    def with_gradient(self, flat: Array, K: int) -> tuple[float, Array]:
        """Return the log likelihood of a flat vector, and its gradient."""
        at = self.unflat(flat, K)
        total, log_share = self.log_groups(at)
        share = np.exp(log_share)
        slope, by_sigma = self.slopes(at, share)
        parts = [
            self.X.T @ slope.sum(axis=0),
            (slope @ self.Z).ravel(),
            (share.sum(axis=0) - self.size * at.mass)[1:],
            by_sigma,
        ]
        return float(total.sum()), np.concatenate(parts)

    def gain(self, at: Mixing, points: Array) -> Array:
        """Return the slope of the log likelihood towards all mass at each of some points.

        Where it is nowhere above zero no further point raises the likelihood; shape (S,).

        References
        ----------
        Lindsay (1983), doi:10.1214/aos/1176346059.
        """
        total = self.log_groups(at)[0]
        there = self.by_group(self.predictors(at.gamma, points), at.log_sigma)
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(there - total[:, None]).sum(axis=0) - self.size)

    def user(self, at: Mixing) -> tuple[Array, Array]:
        """Return the fixed effects, shape (p,), and the points' deviations from them, (K, q)."""
        effects, rest = self.positions
        gamma = np.linalg.solve(self.to_X, at.gamma)
        points = np.linalg.solve(self.to_Z, at.points.T).T - self.shift @ gamma
        beta = np.empty(len(effects) + len(rest))
        beta[rest] = gamma
        beta[effects] = at.mass @ points
        return beta, points - beta[effects]


def mixture(design: Design) -> Mixture:
    """Return the likelihood of a design with one grouping, its effects in the fixed part."""
    block = design.random[0]
    s = outcome_scale(design)
    at = [design.coef.index(effect) for effect in block.effects]
    rest = [k for k in range(len(design.coef)) if k not in at]
    Z, to_Z = orthonormal(block.Z, s * np.sqrt(len(block.Z)))
    shift = np.linalg.lstsq(block.Z, design.X[:, rest], rcond=None)[0]
    left = design.X[:, rest] - block.Z @ shift
    X, to_X = orthonormal(left, s * np.sqrt(len(left)))
    return Mixture(design, Z, X, to_Z, to_X, shift)
