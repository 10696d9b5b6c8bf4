import arviz_stats
import numpy as np
import pandas as pd
import pytest

from bayesmlm.checks.left_out import LeftOut


def made(k_hat, refitted, predict="new group"):
    rng = np.random.default_rng(0)
    columns = {"elpd": -3 + rng.normal(size=5), "p": np.full(5, 0.2), "k_hat": k_hat}
    frame = pd.DataFrame(columns | {"refitted": refitted}, index=list("abcde"))
    return LeftOut(predict, "school", frame, 1000, 0.67, ("y", np.zeros(9)), "By weights")


def test_sums_and_what_is_unreliable():
    found = made([0.1, 0.8, np.inf, 0.2, np.nan], [False, True, False, False, False])
    values = found.frame["elpd"].to_numpy()
    assert found.elpd == pytest.approx(values.sum())
    assert found.se == pytest.approx(np.sqrt(5 * values.var()))
    assert (found.p, found.refitted, found.unreliable) == (pytest.approx(1.0), 1, 1)
    assert not found.ok
    assert "5 groups of school" in str(found) and "unreliable: 1 groups" in repr(found)


def test_arviz_takes_it():
    one, other = made([0.1] * 5, [False] * 5), made([0.8] * 5, [True] * 5)
    table = arviz_stats.compare({"one": one.arviz(), "other": other.arviz()}, round_to="none")
    assert table["elpd"].iloc[0] == pytest.approx(one.elpd)
    assert table["elpd_diff"].abs().max() == 0
    assert (other.arviz().pareto_k == 0).all()
    assert "rows" in str(made([0.1] * 5, [False] * 5, "new row"))
