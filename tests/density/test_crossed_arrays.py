"""The arrays of the crossed kernel: ranges and pairs."""

import numpy as np

from bayesmlm.density.crossed_arrays import pairs, spread, starts, unique_pairs


def test_starts():
    assert starts([2, 0, 3]).tolist() == [0, 2, 2, 5]


def test_ranges_end_to_end():
    assert spread(np.array([5, 1]), np.array([2, 3])).tolist() == [5, 6, 1, 2, 3]


def test_pairs_of_codes():
    met, which = unique_pairs(np.array([1, 0, 1, 1]), np.array([2, 0, 1, 2]))
    assert met.tolist() == [[0, 0], [1, 1], [1, 2]]
    assert which.tolist() == [2, 0, 1, 2]


def test_pairs_within_groups():
    one, other, first = pairs(np.array([0, 2, 2, 3]), np.array([4, 6, 5]))
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == [(4, 4), (4, 6), (6, 6), (5, 5)]
    assert first.tolist() == [0, 3, 3, 4]
