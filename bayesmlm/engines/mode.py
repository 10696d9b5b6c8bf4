"""The mode of a density in few dimensions, and the curvature there, from batches of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]

Gradient = Callable[[Array], tuple[Array, Array]]

STEP, BEND = 1e-4, 1e-3

NEWTON, FLAT = 6, 1e-5
"""Newton steps at most, and the largest derivative at which none is taken."""

MOST_STEPS, HALVINGS, LONGEST, SHALLOW, SMALL_GAIN = 40, 8, 1.0, 1e-2, 1e-6
"""Of Newton steps on differences: how many, halvings of one, longest move of an entry, least
curvature, and the gain promised at which they end."""

GAIN = 1e-7
"""Gain of an iteration below which Newton steps take over: a line search is lost in rounding."""


@dataclass(frozen=True)
class Mode:
    """A maximum.

    Parameters
    ----------
    point
        Shape (d,).
    value
        Log density there.
    gradient
        Largest absolute derivative there.
    hessian
        Second derivatives, shape (d, d).
    evaluations
        Number of densities evaluated.
    """

    point: Array
    value: float
    gradient: float
    hessian: Array
    evaluations: int

    def covariance(self, smallest: float = 0.05) -> Array:
        """Return the inverse of the negative Hessian, with curvatures of at least `smallest`."""
        curvature, axes = np.linalg.eigh(-self.hessian)
        return np.asarray((axes / np.maximum(curvature, smallest)) @ axes.T)


class Counted:
    """A batched density with central differences, counting its evaluations."""

    def __init__(self, log_density: LogDensity) -> None:
        self.log_density = log_density
        self.evaluations = 0

    def __call__(self, points: Array) -> Array:
        """Return the log densities, shape (S,)."""
        self.evaluations += len(points)
        return self.log_density(points)

    def with_gradient(self, x: Array, step: float = STEP) -> tuple[float, Array]:
        """Return the value and the gradient at x by central differences, in one batch."""
        d = len(x)
        moves = step * np.eye(d)
        values = self(np.vstack([x, x + moves, x - moves]))
        with np.errstate(invalid="ignore"):  # infinite on both sides
            return float(values[0]), (values[1 : d + 1] - values[d + 1 :]) / (2 * step)

    def hessian(self, x: Array, step: float = BEND) -> Array:
        """Return second derivatives at x by central differences, in one batch."""
        return self.around(x, step)[2]

    def around(self, x: Array, step: float) -> tuple[float, Array, Array]:
        """Return value, gradient and second derivatives by central differences, in one batch."""
        d = len(x)
        moves = step * np.eye(d)
        upper = np.triu_indices(d, 1)
        pairs = [(a, b) for a, b in zip(*upper, strict=True)]
        both = [x + moves[a] + moves[b] for a, b in pairs]
        apart = [x - moves[a] - moves[b] for a, b in pairs]
        values = self(np.vstack([x, x + moves, x - moves, *both, *apart]))
        values = np.where(np.isfinite(values), values, np.nan)
        centre, plus, minus = values[0], values[1 : d + 1], values[d + 1 : 2 * d + 1]
        H = np.diag(plus - 2 * centre + minus)
        for k, (a, b) in enumerate(pairs):
            joint = values[2 * d + 1 + k] + values[2 * d + 1 + len(pairs) + k]
            H[a, b] = H[b, a] = 0.5 * (joint - plus[a] - plus[b] - minus[a] - minus[b] + 2 * centre)
        return float(centre), (plus - minus) / (2 * step), np.asarray(H / step**2)


class Gains:
    """Ends an optimisation when an iteration gains little."""

    def __init__(self) -> None:
        self.last = np.inf

    def __call__(self, intermediate_result: Any) -> None:
        """Take what an iteration has found; SciPy goes by the name of the argument."""
        value = float(intermediate_result.fun)
        if self.last - value < GAIN:
            raise StopIteration
        self.last = value


def find_mode(
    log_density: LogDensity,
    start: Array,
    information: Array | None = None,
    step: float = STEP,
    bend: float = BEND,
) -> Mode:
    """Maximise a log density from a start, by BFGS and then Newton steps.

    Parameters
    ----------
    log_density
        Of a batch of shape (S, d).
    start
        Shape (d,).
    information
        Rough negative second derivatives, shape (d,), for a first step of the right size.
    step, bend
        Of the differences that make gradients and Hessians.
    """
    from scipy.optimize import minimize

    counted = Counted(log_density)

    def negative(x: Array) -> tuple[float, Array]:
        value, gradient = counted.with_gradient(x, step)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e300, np.zeros_like(x)
        return -value, -gradient

    options: dict[str, Any] = {"gtol": 1e-4}
    if information is not None:
        options["hess_inv0"] = np.diag(1 / information)
    found = minimize(negative, start, jac=True, method="BFGS", options=options, callback=Gains())
    x = np.asarray(found.x)
    value, gradient = counted.with_gradient(x, step)
    hessian = counted.hessian(x, bend)
    for _ in range(5 if np.isfinite(hessian).all() else 0):
        curvature, axes = np.linalg.eigh(-hessian)
        move = axes @ ((axes.T @ gradient) / np.maximum(curvature, 1e-3))
        tried, slope = counted.with_gradient(x + move, step)
        if not tried > value:
            break
        gain, x, value, gradient = tried - value, x + move, tried, slope
        if gain < 1e-9:
            break
        hessian = counted.hessian(x, bend)
    return Mode(x, value, float(np.abs(gradient).max(initial=0.0)), hessian, counted.evaluations)


def find_mode_by_newton(log_density: LogDensity, start: Array, bend: float) -> Mode:
    """Maximise a log density by Newton steps on differences, a batch of values each.

    A step is no longer than `LONGEST`, and halved until it climbs. For densities of few
    dimensions whose values cost much and carry errors that a line search would follow.

    Parameters
    ----------
    log_density
        Of a batch of shape (S, d).
    start
        Shape (d,).
    bend
        Of the differences.
    """
    counted = Counted(log_density)
    x, (value, gradient, hessian) = start, counted.around(start, bend)
    for _ in range(MOST_STEPS):
        if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            break
        curvature, axes = np.linalg.eigh(-hessian)
        along = axes.T @ gradient
        move = axes @ (along / np.maximum(np.abs(curvature), SHALLOW))
        if gradient @ move < SMALL_GAIN and (curvature > 0).all():
            break
        move *= min(1.0, LONGEST / float(np.abs(move).max()))
        for halvings in range(HALVINGS):
            tried = x + move / 2**halvings
            there = counted.around(tried, bend)
            if there[0] > value:
                break
        else:
            break
        x, (value, gradient, hessian) = tried, there
    return Mode(x, value, float(np.abs(gradient).max(initial=0.0)), hessian, counted.evaluations)


def find_mode_by_gradient(gradient: Gradient, start: Array, step: float = 1e-3) -> Mode:
    """Maximise a log density whose gradient is known, by BFGS and then Newton steps.

    Parameters
    ----------
    gradient
        Log densities and gradients of a batch of shape (S, d).
    start
        Shape (d,).
    step
        Of the differences of gradients that make the Hessian, in the units of the point.
    """
    from scipy.optimize import minimize

    evaluations = 0

    def negative(x: Array) -> tuple[float, Array]:
        nonlocal evaluations
        evaluations += 1
        value, slope = gradient(x[None])
        if not (np.isfinite(value[0]) and np.isfinite(slope[0]).all()):
            return 1e300, np.zeros_like(x)
        return -float(value[0]), -slope[0]

    def around(x: Array) -> tuple[float, Array, Array]:
        nonlocal evaluations
        d = len(x)
        moves = step * np.eye(d)
        values, slopes = gradient(np.vstack([x, x + moves, x - moves]))
        evaluations += 2 * d + 1
        hessian = (slopes[1 : d + 1] - slopes[d + 1 :]) / (2 * step)
        return float(values[0]), slopes[0], (hessian + hessian.T) / 2

    found = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-3})
    x = np.asarray(found.x)
    value, slope, hessian = around(x)
    for _ in range(NEWTON if np.isfinite(hessian).all() else 0):
        if np.abs(slope).max(initial=0.0) < FLAT:
            break
        curvature, axes = np.linalg.eigh(-hessian)
        tried = x + axes @ ((axes.T @ slope) / np.maximum(np.abs(curvature), 1e-3))
        there = around(tried)
        if not there[0] > value - 1e-9 or not np.isfinite(there[2]).all():
            break
        x, (value, slope, hessian) = tried, there
    return Mode(x, value, float(np.abs(slope).max(initial=0.0)), hessian, evaluations)
