"""What a check of importance draws says."""

import numpy as np
import pytest
import xarray as xr

from bayesmlm.checks import check, check_importance


def statistics(khat, ess=2000.0):
    return xr.Dataset({"k_hat": khat, "ess": ess, "evaluations": 8192})


@pytest.mark.parametrize("khat", [-np.inf, 0.1, 0.7])
def test_a_good_sample(khat):
    found = check_importance(statistics(khat))
    assert found.ok and not found.findings
    assert str(found).startswith("Converged: ")
    assert "effective sample size 2,000, 8,192 evaluations" in str(found)


def test_no_tail_is_said_in_words():
    assert "no tail in the weights" in str(check_importance(statistics(-np.inf)))
    assert "Pareto k-hat 0.25" in str(check_importance(statistics(0.25)))


@pytest.mark.parametrize("khat", [0.71, 3.0, np.nan])
def test_a_heavy_tail(khat):
    found = check_importance(statistics(khat))
    assert not found.ok
    assert "parts of the posterior may be missed" in str(found)
    assert "next:" in str(found)


@pytest.mark.parametrize("ess", [399.0, np.nan])
def test_few_effective_draws(ess):
    found = check_importance(statistics(0.2, ess))
    assert not found.ok
    assert str(found).startswith("Not converged: ")
    assert "below 400" in str(found)


def test_everything_wrong_is_listed():
    assert len(check_importance(statistics(0.9, 10.0)).findings) == 2


def test_the_statistics_choose_the_check():
    tree = xr.DataTree.from_dict({"sample_stats": statistics(0.2)})
    assert check(tree) == check_importance(statistics(0.2))


def test_a_shift_by_approximation_is_told():
    given = statistics_with_shift(0.05, -0.04)
    assert check_importance(given).ok
    assert "shift by approximation 0.05 SD (log sd_g[x])" in str(check_importance(given))
    found = check_importance(statistics_with_shift(0.1, -0.8))
    assert not found.ok and found.shift == -0.8
    assert "puts slope about 0.8 posterior SDs too high" in str(found)
    assert str(found).startswith("Converged, to an approximation that is off: ")
    assert not check_importance(statistics_with_shift(np.nan, 0.0)).ok


def statistics_with_shift(psi, beta):
    return xr.Dataset(
        {
            "k_hat": 0.1,
            "ess": 2000.0,
            "evaluations": 3000,
            "shift": (("hyperparameter",), [psi]),
            "beta_shift": (("coef",), [beta]),
        },
        coords={"hyperparameter": ["log sd_g[x]"], "coef": ["slope"]},
    )
