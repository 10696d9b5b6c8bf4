"""Threads give results in order, a few at a time, and pass errors on."""

import time
from itertools import count

import pytest

from bayesmlm.predict.in_order import MOST, in_order


def test_results_come_in_order():
    def slow_first(k):
        time.sleep(0.02 if k == 0 else 0.0)
        return k * k

    assert list(in_order(slow_first, range(20))) == [k * k for k in range(20)]


def test_few_pieces_are_taken_ahead():
    taken = []

    def pieces():
        for k in count():
            taken.append(k)
            yield k

    found = in_order(lambda k: k, pieces())
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= 3 + MOST
    found.close()


def test_errors_are_raised():
    def fails(k):
        if k == 3:
            raise ValueError("three")
        return k

    with pytest.raises(ValueError, match="three"):
        list(in_order(fails, range(10)))
