"""The compiled log posteriors as C functions, which a sampler calls from its own threads.

A C function gets its arrays through one pointer, to a table with a row an array: address and
lengths. It is compiled once and cached; the table changes from model to model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import carray, cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from bayesmlm.density.conditional import ConditionalPosterior
from bayesmlm.density.conditional_kernel import log_posterior
from bayesmlm.density.crossed import Leading, Rest
from bayesmlm.density.elimination import Elimination
from bayesmlm.density.posterior import Posterior, crossed_posterior, nested_posterior
from bayesmlm.density.structure import flattened

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SIGNATURE = types.int64(
    types.uint64,
    types.CPointer(types.double),
    types.CPointer(types.double),
    types.CPointer(types.double),
    types.voidptr,
)
"""Of (size, theta, gradient, value, table): 0, or 3 where the density is not finite."""

COPY_SIGNATURE = types.int64(
    types.uint64,
    types.uint64,
    types.CPointer(types.double),
    types.CPointer(types.double),
    types.voidptr,
)
"""Of (size, size of the copy, theta, copy, table)."""

COLUMNS = 4
CONDITIONAL_ARRAYS, NESTED_ARRAYS, CROSSED_ARRAYS = 30, 18, 33
"""Shapes of the tables."""

COMPILED: list[Any] = []
"""Keeps what is compiled alive."""

NOT_FINITE = 3
"""What tells the sampler to shorten its step."""


@intrinsic
def pointer(typingctx: Any, address: Any) -> Any:
    """Return an integer address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@njit(cache=True, nogil=True)
def floats(table, k):
    """Return array k, of shape (n,)."""
    return carray(pointer(table[k, 0]), (table[k, 1],), np.float64)


@njit(cache=True, nogil=True)
def integers(table, k):
    """Return array k, whole numbers of shape (n,)."""
    return carray(pointer(table[k, 0]), (table[k, 1],), np.int64)


@njit(cache=True, nogil=True)
def short_integers(table, k):
    """Return array k, whole numbers of 32 bits, of shape (n,)."""
    return carray(pointer(table[k, 0]), (table[k, 1],), np.int32)


@njit(cache=True, nogil=True)
def matrix(table, k):
    """Return array k, of shape (m, n)."""
    return carray(pointer(table[k, 0]), (table[k, 1], table[k, 2]), np.float64)


@njit(cache=True, nogil=True)
def integer_matrix(table, k):
    """Return array k, whole numbers of shape (m, n)."""
    return carray(pointer(table[k, 0]), (table[k, 1], table[k, 2]), np.int64)


@njit(cache=True, nogil=True)
def cube(table, k):
    """Return array k, of shape (l, m, n)."""
    shape = (table[k, 1], table[k, 2], table[k, 3])
    return carray(pointer(table[k, 0]), shape, np.float64)


@njit(cache=True, nogil=True)
def status(value, gradient):
    """Return 0, or `NOT_FINITE`."""
    finite = np.isfinite(value)
    for k in range(len(gradient)):
        finite = finite and np.isfinite(gradient[k])
    return 0 if finite else NOT_FINITE


def conditional_callback(size, theta_at, gradient_at, value_at, table_at):
    """Set the conditional log posterior and its gradient."""
    table = carray(table_at, (CONDITIONAL_ARRAYS, COLUMNS), np.int64)
    fixed = (
        matrix(table, 0),
        floats(table, 1),
        integers(table, 2),
        floats(table, 3),
        floats(table, 4),
        matrix(table, 5),
    )
    hyper = (
        integers(table, 6),
        floats(table, 7),
        floats(table, 8),
        integers(table, 9),
        integers(table, 10),
        integers(table, 11),
    )
    effects = (
        integers(table, 12),
        integers(table, 13),
        integers(table, 14),
        matrix(table, 15),
        integers(table, 16),
        floats(table, 17),
        integers(table, 18),
    )
    outcome = (
        integers(table, 19),
        floats(table, 20),
        matrix(table, 21),
        matrix(table, 22),
        matrix(table, 23),
        integer_matrix(table, 24),
        matrix(table, 25),
        floats(table, 26),
        integer_matrix(table, 27),
        integers(table, 28),
        integers(table, 29),
    )
    gradient = carray(gradient_at, (size,))
    value_at[0] = log_posterior(carray(theta_at, (size,)), gradient, fixed, hyper, effects, outcome)
    return status(value_at[0], gradient)


@njit(cache=True, nogil=True)
def hyperparameter_parts(table, k):
    """Return the slots, the prior and the fixed effects' prior, which start at array k."""
    slots = (
        integers(table, k)[0],
        integers(table, k + 1),
        integers(table, k + 2),
        integers(table, k + 3),
        integers(table, k + 4),
        floats(table, k + 5),
    )
    prior = (integers(table, k + 6), floats(table, k + 7), floats(table, k + 8))
    return slots, prior, matrix(table, k + 9), floats(table, k + 10)[0]


def nested_callback(size, psi_at, gradient_at, value_at, table_at):
    """Set the log posterior of the hyperparameters of a nested model and its gradient."""
    table = carray(table_at, (NESTED_ARRAYS, COLUMNS), np.int64)
    arguments = (
        floats(table, 0),
        integers(table, 1),
        integers(table, 2),
        integers(table, 3),
        integers(table, 4),
        integer_matrix(table, 5),
        matrix(table, 6),
    )
    slots, prior, fixed, n = hyperparameter_parts(table, 7)
    psi = carray(psi_at, (size,))
    value, gradient = nested_posterior(psi, arguments, slots, prior, fixed, n)
    value_at[0] = value
    carray(gradient_at, (size,))[:] = gradient
    return status(value, gradient)


def crossed_callback(size, psi_at, gradient_at, value_at, table_at):
    """Set the log posterior of the hyperparameters of a crossed model and its gradient."""
    table = carray(table_at, (CROSSED_ARRAYS, COLUMNS), np.int64)
    leading = Leading(
        cube(table, 0),
        cube(table, 1),
        integers(table, 2),
        integers(table, 3),
        matrix(table, 4),
        integers(table, 5),
        integers(table, 6),
        integers(table, 7),
        short_integers(table, 8),
    )
    rest = Rest(
        integer_matrix(table, 9),
        integer_matrix(table, 10),
        integers(table, 11),
        floats(table, 12),
        integers(table, 13),
        matrix(table, 14),
        matrix(table, 15),
    )
    shape = Elimination(
        integers(table, 16),
        integers(table, 17),
        integers(table, 18),
        integers(table, 19),
        integers(table, 20),
        integers(table, 21),
    )
    arguments = (leading, rest, shape)
    slots, prior, fixed, n = hyperparameter_parts(table, 22)
    psi = carray(psi_at, (size,))
    value, gradient = crossed_posterior(psi, arguments, slots, prior, fixed, n)
    value_at[0] = value
    carray(gradient_at, (size,))[:] = gradient
    return status(value, gradient)


def copy_callback(size, copied, theta_at, out_at, table_at):
    """Copy theta: what the sampler stores of a draw."""
    theta, out = carray(theta_at, (size,)), carray(out_at, (copied,))
    out[:] = theta
    return 0


@dataclass(frozen=True)
class Callback:
    """A log posterior as a C function of theta, and the arrays it reads.

    Parameters
    ----------
    size
        Length of theta.
    function
        Address of the C function.
    table
        Address and three lengths of each array, shape (K, 4).
    arrays
        The arrays, kept alive.
    """

    size: int
    function: int
    table: Ints
    arrays: tuple[Any, ...]


def callback(size: int, function: Any, arrays: tuple[Any, ...]) -> Callback:
    """Return a function, compiled, with a table of its arrays.

    Parameters
    ----------
    size
        Length of theta.
    function
        One of the functions above.
    arrays
        Of up to three dimensions.
    """
    kept = tuple(np.ascontiguousarray(array) for array in arrays)
    rows = [[a.ctypes.data, *(*a.shape, 1, 1)[: COLUMNS - 1]] for a in kept]
    address = address_of(function, SIGNATURE)
    return Callback(size, address, np.array(rows, dtype=np.int64), kept)


@cache
def address_of(function: Any, signature: Any) -> int:
    """Compile a function on first use, or load it from disk; return its address."""
    COMPILED.append(cfunc(signature, cache=True)(function))
    return int(COMPILED[-1].address)


def conditional_as_callback(posterior: ConditionalPosterior) -> Callback:
    """Return the conditional log posterior, up to a constant, as a C function."""
    arrays = tuple(array for part in posterior.arguments for array in part)
    return callback(posterior.size, conditional_callback, arrays)


def marginal_as_callback(posterior: Posterior) -> Callback:
    """Return the log posterior of the hyperparameters, up to a constant, as a C function."""
    marginal = posterior.marginal
    sigma_at, *slots = posterior.slots
    arrays = (
        *flattened(marginal.structure.arguments),
        np.array([sigma_at], dtype=np.int64),
        *slots,
        *posterior.prior,
        marginal.prior.matrix,
        np.array([marginal.data.n], dtype=float),
    )
    function = nested_callback if marginal.structure.is_nested else crossed_callback
    return callback(marginal.layout.size, function, arrays)
