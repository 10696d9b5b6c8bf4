"""Correlation of two rows on the scale of the response, by integration over normal effects.

Probit and logit: a sum over nodes; the trapezoidal rule converges faster than any power of
its step for functions analytic in a strip about the real line, which both are
(Trefethen & Weideman 2014, doi:10.1137/130932132). Log link: moments of the lognormal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmlm.families import Family

Array = NDArray[np.float64]

REACH, NODES = 8.5, 81
"""Standard deviations that the nodes reach, and their number."""

SHARED, OTHERS = 2000, 100
"""Random numbers that stand for the shared and for the other effects."""

CHUNK = 2**22


@dataclass(frozen=True)
class Nodes:
    """Points and weights that stand for a standard normal distribution.

    Parameters
    ----------
    shared, other
        Points for the shared and for the other effects, shapes (A,) and (B,).
    shared_weights, other_weights
        Weights of sum one.
    exact
        Whether moments known in closed form take their place.
    """

    shared: Array
    other: Array
    shared_weights: Array
    other_weights: Array
    exact: bool


def normal_nodes() -> Nodes:
    """Return the nodes of the trapezoidal rule."""
    points = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-(points**2) / 2)
    weights /= weights.sum()
    return Nodes(points, points, weights, weights, True)


def random_nodes(seed: int) -> Nodes:
    """Return normal random numbers of equal weight."""
    rng = np.random.default_rng(seed)
    shared, other = rng.standard_normal(SHARED), rng.standard_normal(OTHERS)
    return Nodes(shared, other, np.full(SHARED, 1 / SHARED), np.full(OTHERS, 1 / OTHERS), False)


def response_icc(family: Family, center: Array, common: Array, rest: Array, nodes: Nodes) -> Array:
    """Return Var(E[mu | a]) / (Var(mu) + E[v(mu)]).

    Parameters
    ----------
    family
        Of the response; of a binomial, one trial.
    center
        Fixed part of the linear predictor, shape (S,).
    common, rest
        Variances of the effects that two rows share and do not share, shape (S,).
    nodes
        What the normal distribution is replaced by.

    Returns
    -------
    array, shape (S,)
    """
    rest = np.maximum(rest, 0.0)
    if family.link.name == "log" and nodes.exact:
        return lognormal_icc(center, common, rest)
    alone = not (rest > 0).any()
    width = len(nodes.shared) * (1 if alone else len(nodes.other))
    step = max(1, CHUNK // width)
    parts = []
    for start in range(0, len(center), step):
        s = slice(start, start + step)
        parts.append(by_nodes(family, center[s], common[s], rest[s], nodes, alone))
    return np.concatenate(parts)


def by_nodes(
    family: Family, center: Array, common: Array, rest: Array, nodes: Nodes, alone: bool
) -> Array:
    """Return `response_icc` of some draws as a sum over the nodes."""
    other = np.zeros(1) if alone else nodes.other
    weights = np.ones(1) if alone else nodes.other_weights
    eta = (center[:, None] + np.sqrt(common)[:, None] * nodes.shared)[:, :, None]
    eta = eta + np.sqrt(rest)[:, None, None] * other
    mu = family.link.inverse(eta)
    given = mu @ weights
    mean = given @ nodes.shared_weights
    between = (given - mean[:, None]) ** 2 @ nodes.shared_weights
    spread = (mu - mean[:, None, None]) ** 2 @ weights @ nodes.shared_weights
    sampling = family.variance(eta, {}, {"trials": np.ones(1)}) @ weights @ nodes.shared_weights
    total = spread + sampling
    return np.where(total > 0, between / np.where(total > 0, total, 1.0), 0.0)


def lognormal_icc(center: Array, common: Array, rest: Array) -> Array:
    """Return the closed form for a log link and a variance equal to the mean.

    (exp(v_S) - 1) / (exp(v) - 1 + exp(-eta - v / 2)), v = v_S + v_U.
    """
    v = common + rest
    with np.errstate(over="ignore"):
        total = -np.expm1(-v) + np.exp(-center - 1.5 * v)
        found = np.exp(-rest) * -np.expm1(-common) / total
    return np.asarray(found)
