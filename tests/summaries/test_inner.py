import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries import inner
from bayesmlm.summaries.inner import check_separate, inner_chain, precision_blocks
from bayesmlm.summaries.variance_components import covariance_draws


@pytest.fixture
def result(make_result):
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 5, 24)
    item = np.repeat(range(24), sizes)
    frame = pd.DataFrame({"item": item, "room": item // 2, "school": item // 6})
    frame = frame.assign(x=rng.normal(size=len(item)), y=rng.normal(size=len(item)))
    model = mlm.Model("y ~ x + (x | school) + (x | room) + (1 | item)", frame)

    def positive(*shape):
        return rng.uniform(0.5, 2, (1, 3, *shape))

    return make_result(
        model,
        sd_school=positive(2),
        corr_school=rng.uniform(-0.5, 0.5, (1, 3, 1)),
        sd_room=positive(2),
        corr_room=rng.uniform(-0.5, 0.5, (1, 3, 1)),
        sd_item=positive(1),
        sigma=positive(),
    )


@pytest.mark.parametrize("chunk", [1, 2**22])
def test_four_levels_are_the_dense_matrix(result, chunk, monkeypatch):
    monkeypatch.setattr(inner, "CHUNK", chunk)
    design = result.design
    block = design.block("school")
    chain = inner_chain(design, block)
    assert [b.name for b in chain] == ["item", "room"]
    weights = np.random.default_rng(1).uniform(0.5, 2, len(design.y))
    sigma2 = result.posterior["sigma"].to_numpy().ravel() ** 2
    found = np.concatenate(
        list(precision_blocks(result, block, chain, weights, sigma2, np.arange(4))), axis=1
    )
    T = {b.name: covariance_draws(result, b) for b in chain}
    for s in range(3):
        omega = np.diag(sigma2[s] / weights)
        for b in chain:
            same = b.grouping.codes[:, None] == b.grouping.codes
            omega += np.where(same, b.Z @ T[b.name][s] @ b.Z.T, 0)
        for j in range(4):
            at = np.flatnonzero(block.grouping.codes == j)
            Z = block.Z[at]
            expected = Z.T @ np.linalg.solve(omega[np.ix_(at, at)], Z)
            np.testing.assert_allclose(found[s, j], expected, rtol=1e-9)


def test_crossed_groupings_inside_are_refused():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(3), 12), "a": np.tile(np.repeat(range(3), 4), 3)})
    frame = frame.assign(b=np.tile(range(4), 9), y=rng.normal(size=36))
    design = mlm.Model("y ~ 1 + (1 | g) + (1 | g:a) + (1 | g:b)", frame).design
    check_separate(design, design.block("g"), "it")
    with pytest.raises(StatisticError, match="crossed with"):
        inner_chain(design, design.block("g"))
