"""The log likelihood of the hyperparameters and its gradient behind a C address.

Code that Numba compiles takes in what it calls and optimises it again, which for these kernels
costs ten seconds a model. What it calls by the name of a symbol it leaves alone: the kernels are
compiled once, and their addresses get names.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, cfunc, njit, types

from bayesmlm.density.crossed import Leading, Rest
from bayesmlm.density.elimination import Elimination
from bayesmlm.density.gaussian import GaussianMarginal
from bayesmlm.density.nested_arrays import offsets
from bayesmlm.density.posterior import crossed_posterior, nested_posterior
from bayesmlm.density.structure import flattened

SIGNATURE = types.float64(types.voidptr, types.intp, *[types.voidptr] * 5)
"""psi, its length, the four arrays of `pack`, the gradient; gives the log likelihood."""

NESTED_REALS, NESTED_WHOLES = 5, 10
CROSSED_REALS, CROSSED_WHOLES = 9, 21
"""Numbers of arrays of reals and of whole numbers that are packed."""


def pack(marginal: GaussianMarginal) -> tuple[Any, Any, Any, Any]:
    """Return what the likelihood needs of the data, put end to end.

    Returns
    -------
    reals, real_starts, wholes, whole_starts
        The arrays of reals and of whole numbers, flat, and where each of them starts.
    """
    sigma_at, sizes, widths, sd_at, partial_at, to_Z = marginal.slots
    arguments, prior, n = marginal.structure.arguments, marginal.prior, marginal.data.n
    left_out = -0.5 * (n * np.log(2 * np.pi) - marginal.data.log_weight - prior.log_det)
    lengths = [sigma_at, len(prior.matrix)]
    if not marginal.structure.is_nested:
        lengths += arguments[0].own.shape[:2]
    parts = [
        np.array([n, left_out]),
        prior.matrix,
        to_Z,
        np.array(lengths, dtype=np.int64),
        sizes,
        widths,
        sd_at,
        partial_at,
        *flattened(arguments),
    ]
    reals = [array.ravel() for array in parts if array.dtype.kind == "f"]
    wholes = [array.ravel() for array in parts if array.dtype.kind == "i"]
    return np.concatenate(reals), offsets(reals), np.concatenate(wholes), offsets(wholes)


@njit(cache=True, nogil=True, error_model="numpy")
def part(flat, starts, k):
    """Return array k of those put end to end."""
    return flat[starts[k] : starts[k + 1]]


@njit(cache=True, nogil=True, error_model="numpy")
def common(reals, R, wholes, W):
    """Return the slots, the prior of the fixed effects, number of rows and what is left out."""
    lengths, numbers = part(wholes, W, 0), part(reals, R, 0)
    slots = (
        lengths[0],
        part(wholes, W, 1),
        part(wholes, W, 2),
        part(wholes, W, 3),
        part(wholes, W, 4),
        part(reals, R, 2),
    )
    matrix = part(reals, R, 1).reshape(lengths[1], lengths[1])
    return slots, matrix, numbers[0], numbers[1]


@njit(cache=True, nogil=True, error_model="numpy")
def no_prior(d):
    """Return the arrays of d entries of psi without a prior; see `posterior.log_prior`."""
    return np.zeros(d, dtype=np.int64), np.zeros(d), np.zeros(d)


def nested_likelihood(psi_at, d, reals_at, R_at, wholes_at, W_at, gradient_at):
    """Return the log likelihood of nested groupings, and fill the gradient."""
    R = carray(R_at, NESTED_REALS + 1, np.int64)
    W = carray(W_at, NESTED_WHOLES + 1, np.int64)
    reals = carray(reals_at, R[NESTED_REALS], np.float64)
    wholes = carray(wholes_at, W[NESTED_WHOLES], np.int64)
    slots, matrix, n, left_out = common(reals, R, wholes, W)
    own, root = part(reals, R, 3), part(reals, R, 4).reshape(matrix.shape)
    starts, widths, parents = part(wholes, W, 5), part(wholes, W, 6), part(wholes, W, 7)
    parent_starts, cuts = part(wholes, W, 8), part(wholes, W, 9)
    levels = len(widths)
    families = cuts.reshape(len(cuts) // levels, levels) if levels else np.zeros((2, 0), np.int64)
    arguments = (own, starts, widths, parents, parent_starts, families, root)
    psi = carray(psi_at, d, np.float64)
    value, gradient = nested_posterior(psi, arguments, slots, no_prior(d), matrix, n)
    carray(gradient_at, d, np.float64)[:] = gradient
    return value + left_out


def crossed_likelihood(psi_at, d, reals_at, R_at, wholes_at, W_at, gradient_at):
    """Return the log likelihood of crossed groupings, and fill the gradient."""
    R = carray(R_at, CROSSED_REALS + 1, np.int64)
    W = carray(W_at, CROSSED_WHOLES + 1, np.int64)
    reals = carray(reals_at, R[CROSSED_REALS], np.float64)
    wholes = carray(wholes_at, W[CROSSED_WHOLES], np.int64)
    slots, matrix, n, left_out = common(reals, R, wholes, W)
    lengths = part(wholes, W, 0)
    J, q, extra = lengths[2], lengths[3], len(matrix)
    touched, border = part(reals, R, 5), part(reals, R, 7)
    leading = Leading(
        part(reals, R, 3).reshape(J, q, q),
        part(reals, R, 4).reshape(J, q, extra),
        part(wholes, W, 5),
        part(wholes, W, 6),
        touched.reshape(len(touched) // q, q),
        part(wholes, W, 7),
        part(wholes, W, 8),
        part(wholes, W, 9),
        part(wholes, W, 10),
    )
    groups, blocks = part(wholes, W, 11), part(wholes, W, 12)
    rest = Rest(
        groups.reshape(len(groups) // 3, 3),
        blocks.reshape(len(blocks) // 2, 2),
        part(wholes, W, 13),
        part(reals, R, 6),
        part(wholes, W, 14),
        border.reshape(len(border) // extra, extra),
        part(reals, R, 8).reshape(extra, extra),
    )
    shape = Elimination(
        part(wholes, W, 15),
        part(wholes, W, 16),
        part(wholes, W, 17),
        part(wholes, W, 18),
        part(wholes, W, 19),
        part(wholes, W, 20),
    )
    arguments = (leading, rest, shape)
    psi = carray(psi_at, d, np.float64)
    value, gradient = crossed_posterior(psi, arguments, slots, no_prior(d), matrix, n)
    carray(gradient_at, d, np.float64)[:] = gradient
    return value + left_out


@cache
def kernel(is_nested: bool) -> Any:
    """Return the compiled kernel, which lives as long as the process, as its name does."""
    function = nested_likelihood if is_nested else crossed_likelihood
    return cfunc(SIGNATURE, cache=True, error_model="numpy")(function)


@cache
def compiled(is_nested: bool) -> Any:
    """Return a compiled function of psi and the arrays of `pack`.

    It gives the log likelihood as a 0-d array, and its gradient, shape (d,); minus infinity and
    zeros where they cannot be computed.
    """
    from llvmlite import binding

    symbol = f"bayesmlm_{'nested' if is_nested else 'crossed'}_likelihood"
    binding.add_symbol(symbol, kernel(is_nested).address)
    call = types.ExternalFunction(symbol, SIGNATURE)

    @njit(nogil=True)
    def likelihood(psi, reals, real_starts, wholes, whole_starts):
        point = np.ascontiguousarray(psi)
        gradient = np.full(len(psi), np.nan)  # it stays so if the kernel fails
        value = call(
            point.ctypes,
            len(psi),
            reals.ctypes,
            real_starts.ctypes,
            wholes.ctypes,
            whole_starts.ctypes,
            gradient.ctypes,
        )
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return np.asarray(-np.inf), np.zeros(len(psi))
        return np.asarray(value), gradient

    return likelihood
