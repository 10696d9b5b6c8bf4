"""The arrays of the nested kernel: families."""

import numpy as np
import pandas as pd

from bayesmlm.density import nested_arrays
from bayesmlm.density.nested_arrays import FAMILY, families, offsets
from bayesmlm.density.structure import nested_structure


def test_offsets():
    assert offsets([]).tolist() == [0]
    assert offsets([np.zeros(2), np.zeros(0), np.zeros(3)]).tolist() == [0, 2, 2, 5]


def test_a_family_holds_whole_outermost_groups():
    assert families([], []).shape == (2, 0)
    sizes = [3 * FAMILY, 6, 3]
    to_top = np.array([0, 0, 1, 1, 2, 2])
    to_middle = np.repeat(np.arange(6), FAMILY // 2)
    found = families(sizes, [to_middle, to_top])
    expected = [[k * FAMILY, 2 * k, k] for k in range(4)]
    assert found.tolist() == expected
    assert families([2 * FAMILY + 1], []).ravel().tolist() == [
        0,
        FAMILY,
        2 * FAMILY,
        2 * FAMILY + 1,
    ]


def test_the_sum_over_families_is_that_over_one(frame, marginal_of, psi_of, agrees, monkeypatch):
    data = frame(4, rows=60, groups=20)
    for formula in ("y ~ x + (x | a)", "y ~ x + (x | a) + (1 | b) + (w | top)"):
        whole = marginal_of(formula, data)
        assert len(whole.structure.arguments[5]) == 2
        with monkeypatch.context() as context:
            context.setattr(nested_arrays, "FAMILY", 3)
            cut = marginal_of(formula, data)
        assert len(cut.structure.arguments[5]) > 3
        psi = psi_of(cut, 4)
        np.testing.assert_allclose(cut.evaluate(psi), whole.evaluate(psi), rtol=1e-12)
        agrees(cut, psi)


def test_groups_of_a_parent_lie_side_by_side(marginal_of):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"inner": np.arange(24) % 12, "y": rng.normal(size=24)})
    data["outer"] = data["inner"] % 3  # groups of one parent are scattered
    marginal = marginal_of("y ~ 1 + (1 | inner) + (1 | outer)", data)
    assert (np.diff(marginal.structure.arguments[3]) >= 0).all()
    again = nested_structure(marginal.design.random, marginal.data, marginal.structure.order)
    for k, place in zip(again.order, again.places, strict=True):
        assert sorted(place) == list(range(marginal.design.random[k].grouping.size))
