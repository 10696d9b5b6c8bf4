import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks.kfold import divide, kfold
from bayesmlm.checks.loo import loo
from bayesmlm.checks.target import group_target, row_target
from bayesmlm.errors import StatisticError


@pytest.fixture(scope="module")
def fit():
    rng = np.random.default_rng(1)
    g = np.repeat(range(12), 5)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=60)})
    frame["y"] = frame["x"] + rng.normal(size=12)[g] + rng.normal(size=60)
    return mlm.Model("y ~ x + (1 | g)", frame).fit("laplace", seed=1)


def test_folds_are_a_partition_that_takes_evenly_from_groups(fit):
    design = fit.result.design
    rows = divide(row_target(design), 5, 3)
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(60))
    codes = design.random[0].grouping.codes
    assert all((np.bincount(codes[fold], minlength=12) == 1).all() for fold in rows)
    groups = divide(group_target(design, None), 5, 3)
    assert sorted(map(len, groups)) == [2, 2, 2, 3, 3]
    again = divide(group_target(design, None), 5, 3)
    assert all((a == b).all() for a, b in zip(groups, again, strict=True))
    other = divide(group_target(design, None), 5, 4)
    assert any(list(a) != list(b) for a, b in zip(groups, other, strict=True))


def test_as_many_folds_as_groups_leave_out_one(fit):
    found = kfold(fit.result, folds=12, seed=7)
    single = loo(fit.result, "new group")
    np.testing.assert_allclose(found.frame["elpd"], single.frame["elpd"], atol=0.1)
    assert found.elpd == pytest.approx(single.elpd, abs=0.3)
    assert found.p == pytest.approx(single.p, abs=0.3)
    assert found.refitted == 12 and found.ok
    assert "12 folds" in str(found) and "refits by Laplace" in str(found)


def test_rows_are_predicted_from_the_rest_of_their_groups(fit):
    """With nearly all rows in training, near leave-one-out, and below it on average."""
    found, single = kfold(fit.result, "new row", folds=20), loo(fit.result)
    assert found.elpd == pytest.approx(single.elpd, abs=2.0)
    assert np.corrcoef(found.frame["elpd"], single.frame["elpd"])[0, 1] > 0.98


@pytest.mark.parametrize("folds", [1, 13, 2.5, True])
def test_impossible_folds(fit, folds):
    with pytest.raises(StatisticError, match=r"12 groups"):
        kfold(fit.result, folds=folds)
