"""p-values by rank, and replicates that come again."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks import replicates
from bayesmlm.checks.replicates import Replicates, adjusted, p_values


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(10), 5)
    y = 2 * rng.normal(size=10)[g] + rng.normal(size=50)
    return mlm.Model("y ~ 1 + (1 | g)", pd.DataFrame({"g": g, "y": y})).fit("laplace", seed=1)


def test_p_values_are_ranks():
    values = np.array([[5.0], [1.0], [2.0], [5.0]])
    assert p_values(values, ("upper",))[:, 0].tolist() == [0.5, 1.0, 0.75, 0.5]
    assert p_values(values, ("both",))[:, 0].tolist() == [1.0, 0.5, 1.0, 1.0]
    assert p_values(np.array([[np.nan], [0.0]]), ("upper",))[0, 0] == 0.5


def test_adjusted_p_values_hold_the_level_for_all_together():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(2000):
        values = rng.normal(size=(100, 5))
        values[:, 4] = values[:, 3]  # two that are one
        hits += (adjusted(p_values(values, ("upper",) * 5)) <= 0.1).any()
    assert abs(hits / 2000 - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 2000)


def test_of_one_statistic_nothing_is_adjusted():
    values = np.random.default_rng(3).normal(size=(50, 1))
    p = p_values(values, ("both",))
    assert adjusted(p)[0] == p[0, 0]


def test_chunks_come_again_and_differ(fit, monkeypatch):
    monkeypatch.setattr(replicates, "CHUNK", 500)
    found = Replicates(fit.result, 25, True, 7)
    first, second = (np.concatenate(list(found)) for _ in range(2))
    assert first.shape == (25, 50) and (first == second).all()
    assert len(np.unique(first)) == first.size
    assert (first != np.concatenate(list(Replicates(fit.result, 25, True, 8)))).any()


def test_same_groups_keep_their_means_and_new_ones_do_not(fit):
    y = fit.result.design.y.reshape(10, 5).mean(1)
    for new, expected in ((False, 0.8), (True, 0.0)):
        means = (
            np.concatenate(list(Replicates(fit.result, 400, new, 1))).reshape(400, 10, 5).mean(2)
        )
        r = np.mean([np.corrcoef(each, y)[0, 1] for each in means])
        assert abs(r - expected) < 0.2
