"""Parts of a batch on threads; BLAS on one."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from bayesmlm.density import threads
from bayesmlm.density.threads import SMALL, one_blas_thread, share


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


class Recorder:
    """In place of a kernel: notes what it was called with."""

    def __init__(self, count):
        self.times = np.zeros(count, dtype=int)
        self.names = set()
        self.blas = set()

    def __call__(self, first, last, offset):
        self.times[first:last] += offset
        self.names.add(threading.current_thread().name)
        self.blas |= blas_threads()


@pytest.mark.parametrize("work", [SMALL / 2, SMALL * 2])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_every_item_is_done_once(count, work, monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: 3)
    record = Recorder(count)
    share(record, count, work, 5)
    assert (record.times == 5).all()


def test_a_small_batch_stays_on_its_thread_and_a_large_one_does_not(monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: 3)
    here = threading.current_thread().name
    small, large = Recorder(50), Recorder(50)
    share(small, 50, SMALL / 2, 1)
    share(large, 50, SMALL * 2, 1)
    assert small.names == {here}
    assert here not in large.names
    assert small.blas == large.blas == {1}


def test_what_was_set_comes_back():
    before = blas_threads()
    with pytest.raises(RuntimeError), one_blas_thread():
        raise RuntimeError
    assert blas_threads() == before


def test_an_error_in_a_part_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: 3)

    def fail(first, last):
        if first <= 20 < last:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        share(fail, 50, SMALL * 2)
