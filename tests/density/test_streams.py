"""Streams of uniform numbers."""

import numpy as np
from scipy.stats import kstest

from bayesmlm.density.streams import fill, streams


def drawn(stream, n):
    out = np.empty(n)
    fill(stream, out)
    return out


def test_numbers_are_uniform_and_independent():
    x = drawn(streams(1, 1)[0], 200_000)
    assert x.min() > 0 and x.max() < 1
    assert kstest(x, "uniform").pvalue > 1e-3
    centred = x - 0.5
    for lag in (1, 2, 7):
        assert abs(12 * (centred[lag:] * centred[:-lag]).mean()) < 4 / np.sqrt(len(x))


def test_a_stream_goes_on_where_it_was_and_others_differ():
    first, second = streams(3, 2)
    whole = drawn(first.copy(), 10)
    parts = [drawn(first, 4), drawn(first, 6)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert not np.isin(drawn(second, 1000), drawn(streams(3, 2)[0], 1000)).any()
    assert np.array_equal(streams(3, 2), streams(3, 2))
    assert not np.isin(streams(4, 2), streams(3, 2)).any()
