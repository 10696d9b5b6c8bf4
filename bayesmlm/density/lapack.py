"""LAPACK in kernels: in place, without exceptions, and quick to compile.

A matrix is a square in a flat array, row by row, of which the upper triangle counts; to
LAPACK, which reads by columns, it is the lower triangle.
"""

from __future__ import annotations

import numpy as np
from llvmlite.binding import add_symbol
from numba import njit, types
from numba.extending import get_cython_function_address


def external(module, name, n_arguments):
    """Return a function of SciPy's LAPACK or BLAS that takes addresses.

    A symbol, unlike an address, can be named in a kernel that is cached on disk.
    """
    symbol = f"bayesmlm_{name}"
    add_symbol(symbol, get_cython_function_address(f"scipy.linalg.{module}", name))
    return types.ExternalFunction(symbol, types.void(*[types.intp] * n_arguments))


dpotrf = external("cython_lapack", "dpotrf", 5)
dpotri = external("cython_lapack", "dpotri", 5)
dtrsm = external("cython_blas", "dtrsm", 11)

LOWER, LEFT, TRANSPOSED, NOT_UNIT, AS_IT_IS = (ord(letter) for letter in "LLTNN")


@njit(cache=True, nogil=True, error_model="numpy")
def factor(H, at, m):
    """Replace A by R with A = R'R; return whether A is positive definite."""
    if m == 0:
        return True
    size, info = np.array([m], np.int32), np.zeros(1, np.int32)
    side = np.array([LOWER], np.uint8)
    dpotrf(side.ctypes.data, size.ctypes.data, H.ctypes.data + 8 * at, size.ctypes.data,
           info.ctypes.data)  # fmt: skip
    return info[0] == 0


@njit(cache=True, nogil=True, error_model="numpy")
def invert(H, at, m):
    """Replace R by the upper triangle of A⁻¹."""
    if m == 0:
        return
    size, info = np.array([m], np.int32), np.zeros(1, np.int32)
    side = np.array([LOWER], np.uint8)
    dpotri(side.ctypes.data, size.ctypes.data, H.ctypes.data + 8 * at, size.ctypes.data,
           info.ctypes.data)  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def solve(H, at, m, values, first, transposed):
    """Replace the last m entries of each row of `values` by R⁻¹, or R'⁻¹, of them.

    Parameters
    ----------
    values
        Shape (k, n).
    first
        n - m.
    """
    if m == 0 or len(values) == 0:
        return
    sizes = np.array([m, values.shape[0], values.shape[1]], np.int32)
    letters = np.array([LEFT, LOWER, AS_IT_IS if transposed else TRANSPOSED, NOT_UNIT], np.uint8)
    one = np.ones(1)
    letter, size = letters.ctypes.data, sizes.ctypes.data
    dtrsm(letter, letter + 1, letter + 2, letter + 3, size, size + 4, one.ctypes.data,
          H.ctypes.data + 8 * at, size, values.ctypes.data + 8 * first, size + 8)  # fmt: skip
