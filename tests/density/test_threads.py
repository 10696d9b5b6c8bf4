"""Threads by the work of a batch; BLAS on one."""

import numba
import pytest
from threadpoolctl import threadpool_info

from bayesmlm.density.threads import SMALL, threads


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_a_small_batch_takes_one_thread_and_a_large_one_all():
    with threads(SMALL / 2):
        assert numba.get_num_threads() == 1
        assert blas_threads() == {1}
    with threads(SMALL * 2):
        assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
        assert blas_threads() == {1}


def test_what_was_set_comes_back():
    numba.set_num_threads(1)
    try:
        before = blas_threads()
        with pytest.raises(RuntimeError), threads(SMALL * 2):
            raise RuntimeError
        assert numba.get_num_threads() == 1
        assert blas_threads() == before
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
