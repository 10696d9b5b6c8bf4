import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.summaries.joint import columns_of, joint


@pytest.fixture(scope="module")
def design():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {name: rng.integers(0, size, 90) for name, size in zip("abc", (9, 4, 5), strict=True)}
    )
    frame = frame.assign(x=rng.normal(size=90), y=rng.normal(size=90))
    return mlm.Model("y ~ x + (1 | b) + (x | a) + (x | c)", frame).design


def test_columns_of_every_group(design):
    for block in design.random:
        dense = columns_of(block).toarray()
        expected = np.zeros_like(dense)
        q = len(block.effects)
        for i, code in enumerate(block.grouping.codes):
            expected[i, code * q : code * q + q] = block.Z[i]
        np.testing.assert_array_equal(dense, expected)


@pytest.mark.parametrize("group", ["a", "b", "c"])
def test_three_groupings_are_the_dense_inverse(design, group):
    rng = np.random.default_rng(1)
    weights, sigma2 = rng.uniform(0.5, 2, 90), 1.7
    roots = {b.name: rng.normal(size=(len(b.effects),) * 2) for b in design.random}
    Z = np.concatenate([columns_of(b).toarray() for b in design.random], axis=1)
    T = np.zeros((Z.shape[1],) * 2)
    at, places = 0, {}
    for b in design.random:
        size, q = b.grouping.size * len(b.effects), len(b.effects)
        own = roots[b.name] @ roots[b.name].T
        T[at : at + size, at : at + size] = np.kron(np.eye(b.grouping.size), own)
        places[b.name] = np.arange(at, at + size).reshape(-1, q)
        at += size
    V = Z @ T @ Z.T + sigma2 * np.diag(1 / weights)
    C = T - T @ Z.T @ np.linalg.solve(V, Z @ T)
    found = joint(design, weights).variances(design.block(group), roots, sigma2)
    np.testing.assert_allclose(found, np.diag(C)[places[group]], rtol=1e-9)
