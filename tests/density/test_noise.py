"""Noise: any part made alone is the part of the whole."""

import numpy as np
import pytest
from scipy.stats import kstest

from bayesmlm.density import threads
from bayesmlm.density.noise import MEANS, Noise


def test_the_noise_of_a_group_does_not_depend_on_the_others():
    whole = Noise(3).leading(range(9), 2, 50)
    assert whole.shape == (9, 2, 50)
    assert np.array_equal(Noise(3).leading([7, 0], 2, 50), whole[[7, 0]])


def test_threads_give_the_same_numbers(monkeypatch):
    alone = Noise(3).leading(range(40), 2, 50)
    monkeypatch.setattr(threads, "SMALL", 1)
    assert np.array_equal(Noise(3).leading(range(40), 2, 50), alone)


def test_seeds_purposes_and_groups_have_streams_of_their_own():
    streams = [
        Noise(1).fixed(4, 25).ravel(),
        Noise(1).others(4, 25).ravel(),
        *Noise(1).leading(range(3), 4, 25).reshape(3, -1),
        Noise(2).fixed(4, 25).ravel(),
    ]
    correlations = np.corrcoef(streams)[np.triu_indices(len(streams), 1)]
    assert np.abs(correlations).max() < 0.45  # ten standard errors would be one


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_it_is_standard_normal(seed):
    draws = Noise(seed).leading(range(20), 2, 500).ravel()
    assert kstest(draws, "norm").pvalue > 1e-3


def test_no_seed_no_noise():
    for found in (MEANS.fixed(3, 2), MEANS.others(3, 4), MEANS.leading([5], 2, 3)):
        assert found.size and not found.any()
