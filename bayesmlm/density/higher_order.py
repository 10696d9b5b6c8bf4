"""The higher-order correction of Laplace's approximation, compiled.

With T_k the term of degree k of the expansion of a group's log joint density h about its mode,
and E the expectation under the normal distribution with the curvature there,

    log int exp h(v) dv = Laplace's approximation + log(1 + E[T_4 + T_6 + T_3² / 2]).

What is left out is of the order of n^-2 in the n rows of a group, where Laplace's approximation
leaves out terms of n^-1. The expectations are polynomials', exact by Gauss-Hermite nodes.

References
----------
Raudenbush, Yang & Yosef (2000), doi:10.1080/10618600.2000.10474870.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmlm.density.chunks import (
    ROWS,
    fixed_part,
    part,
    private,
    room,
    scale_columns,
    until,
)
from bayesmlm.density.gauss_hermite import gauss_hermite
from bayesmlm.density.group_mode import CLOSE, find_modes
from bayesmlm.families.rows import BINOMIAL_LOGIT, POISSON_LOG
from bayesmlm.families.special import expit

Array = NDArray[np.float64]

PLAIN, SIXTH = 2, 6
"""Orders of the approximation: the degree of the last term of the expansion that it keeps."""

EXACT = 4
"""Nodes in each dimension that integrate polynomials of degree six."""

CANONICAL = (BINOMIAL_LOGIT, POISSON_LOG)
"""Codes of the families that have a correction."""


def moments_rule(dimensions: int) -> tuple[Array, Array]:
    """Return nodes (K, q) and weights (K,) that give expectations of standard normals."""
    nodes, log_weights = gauss_hermite(EXACT, dimensions)
    return nodes, np.exp(log_weights - 0.5 * (nodes**2).sum(axis=1))


@njit(cache=True, nogil=True, error_model="numpy")
def higher_derivatives(code, eta, known, w, out):
    """Set out to the third to sixth derivatives in eta of a row's log density, shape (4,)."""
    if code == POISSON_LOG:
        out[:] = -w * np.exp(eta)
        return
    p, q = expit(eta), expit(-eta)
    s, weight = p * q, -w * known * p * q
    out[0] = weight * (q - p)
    out[1] = weight * (1.0 - 6.0 * s)
    out[2] = weight * (q - p) * (1.0 - 12.0 * s)
    out[3] = weight * (1.0 - 30.0 * s + 120.0 * s * s)


@njit(cache=True, nogil=True, error_model="numpy")
def correction(rows, span, T, M, eta, rule, terms, derivatives):
    """Return E[T_4 + T_6 + T_3² / 2] of one group.

    Parameters
    ----------
    rows
        Of the chunk; see `chunks.part`.
    span, T, M
        The group's rows, columns (q, N) and inverse root of its curvature; see
        `group_mode.inverse_root`.
    eta
        At the mode, shape (n,).
    rule
        Of `moments_rule`.
    terms, derivatives
        Room to work in, shapes (3, K) and (4,).
    """
    code, _, known, weights = rows
    (low, high, first), (nodes, shares), q = span, rule, len(T)
    by_known, by_weight = int(known.shape[1] > 1), int(len(weights) > 1)
    terms[:] = 0.0
    for i in range(low, high):
        r = i - first
        fact = known[0, r * by_known] if len(known) > 0 else 1.0
        higher_derivatives(code, eta[r], fact, weights[r * by_weight], derivatives)
        for k in range(len(shares)):
            away = 0.0
            for c in range(q):
                for d in range(c, q):
                    away += T[c, i] * M[c, d] * nodes[k, d]
            cube = away * away * away
            terms[0, k] += derivatives[0] * cube / 6.0
            terms[1, k] += derivatives[1] * cube * away / 24.0
            terms[2, k] += derivatives[3] * cube * cube / 720.0
    total = 0.0
    for k in range(len(shares)):
        total += shares[k] * (terms[1, k] + terms[2, k] + 0.5 * terms[0, k] ** 2)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def add_corrections(
    start, stop, beta, G, others, offset, X, Z, rows, starts, rule, modes, values
):  # fmt: skip
    """Add the logs of the groups' corrections to values, NaN where one is not above zero.

    Parameters
    ----------
    start, stop, beta, G, others, offset, X, Z, rows, starts, modes, values
        As of `quadrature_kernel.evaluate`.
    rule
        Of `moments_rule`.
    """
    N, q, J = len(offset), Z.shape[1], len(starts) - 1
    base, T, v, own = np.empty(N), np.empty((q, N)), np.empty(modes.shape), private(rows)
    found, terms, derivatives = room(starts, ROWS, q), np.empty((3, len(rule[1]))), np.empty(4)
    for s in range(start, stop):
        v[:] = modes
        fixed_part(offset, X, beta[s], base)
        scale_columns(Z, G[s], T)
        further = others[s].copy().reshape(-1, 1)
        j = 0
        while j < J:
            last = until(starts, j, ROWS)
            first, bounds = starts[j], starts[j : last + 1]
            chunk = part(own, first, starts[last])
            find_modes(chunk, base, T, further, bounds, v[j:last], CLOSE, found)
            for g in range(last - j):
                span = (bounds[g], bounds[g + 1], first)
                part_of_group = correction(
                    chunk, span, T, found[0][g], found[2], rule, terms, derivatives
                )
                values[s] += np.log1p(part_of_group)
            j = last
