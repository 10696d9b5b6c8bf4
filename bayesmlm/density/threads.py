"""How many threads a batch deserves; LAPACK inside keeps to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

SMALL = 2e6
"""Multiplications that one thread does in the time it takes to wake the others."""


@contextmanager
def threads(work: float) -> Iterator[None]:
    """Run kernels on one thread if `work` is small, else on all, with BLAS on one each."""
    import numba
    from threadpoolctl import threadpool_limits

    before = numba.get_num_threads()
    numba.set_num_threads(1 if work < SMALL else numba.config.NUMBA_NUM_THREADS)
    try:
        with threadpool_limits(1, "blas"):
            yield
    finally:
        numba.set_num_threads(before)
