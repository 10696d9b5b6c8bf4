"""Kernels over parts of a batch, on as many threads as the work deserves.

Compiled kernels release the interpreter lock, so that plain threads run them side by side;
BLAS inside keeps to one thread. What a part computes does not depend on how the batch is
cut, so neither does the result.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

SMALL = 2e6
"""Multiplications that one thread does in less time than others take to wake and join."""

PARTS = 4
"""Parts a thread, so that a slow one does not keep all waiting."""


def share(kernel: Callable[..., None], count: int, work: float, *arguments: Any) -> None:
    """Call ``kernel(first, last, *arguments)`` over the whole of ``range(count)``.

    Parameters
    ----------
    kernel
        Compiled without the interpreter lock; writes into its arguments.
    work
        Rough number of multiplications over all.
    """
    with one_blas_thread():
        spread(kernel, count, work, *arguments)


def spread(kernel: Callable[..., None], count: int, work: float, *arguments: Any) -> None:
    """Do what `share` does with a kernel that calls no BLAS.

    To limit BLAS takes milliseconds, more than a small kernel runs.
    """
    workers = min(n_threads() if work >= SMALL else 1, count)
    if workers <= 1:
        kernel(0, count, *arguments)
        return
    parts = min(PARTS * workers, count)
    bounds = [count * k // parts for k in range(parts + 1)]
    tasks = [
        pool(os.getpid()).submit(kernel, first, last, *arguments)
        for first, last in itertools.pairwise(bounds)
    ]
    for task in tasks:
        task.result()


def n_threads() -> int:
    """Return how many threads kernels may use: NUMBA_NUM_THREADS, or all processors."""
    from numba import config

    return int(config.NUMBA_NUM_THREADS)


@cache
def pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process; a forked one needs its own."""
    return ThreadPoolExecutor(n_threads(), thread_name_prefix=f"bayesmlm-{process}")


def one_blas_thread() -> AbstractContextManager[Any]:
    """Return a context in which BLAS keeps to one thread."""
    return controller().limit(limits=1, user_api="blas")


@cache
def controller() -> Any:
    """Return what sets the threads of BLAS; finding the libraries takes a millisecond."""
    import scipy.linalg  # noqa: F401 — loads the library the kernels call
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
