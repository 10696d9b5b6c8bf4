"""What a check of a variational approximation says."""

import numpy as np
import pytest
import xarray as xr

from bayesmlm.checks import check, check_approximation


def statistics(khat=0.3, settled=True, **more):
    values = {"k_hat": khat, "elbo": -12.5, "elbo_error": 0.01, "elbo_rise": 0.4}
    return xr.Dataset(values | {"settled": settled, "iterations": 9000} | more)


@pytest.mark.parametrize("khat", [-np.inf, 0.1, 0.5])
def test_a_good_approximation(khat):
    found = check_approximation(statistics(khat))
    assert found.ok
    assert str(found).startswith("Converged: ")
    assert "ELBO -12.50 (standard error 0.01), 9,000 iterations" in str(found)


@pytest.mark.parametrize("khat", [0.71, np.inf, np.nan])
def test_a_poor_one_names_the_engine_to_use(khat):
    found = check_approximation(statistics(khat))
    assert not found.ok
    assert str(found).startswith("Perhaps far off: ")
    assert 'next: fit with "nuts"' in str(found)


@pytest.mark.parametrize("wide", [1.5, 1.8])
def test_a_narrow_one_is_told_by_the_shape_of_its_weights(wide):
    """The posterior wide times as wide: p / q has a tail of index 1 / k, k = 1 - 1 / wide²."""
    found = check_approximation(statistics(1 - 1 / wide**2))
    assert not found.ok
    assert f"SDs are down to about {1 / wide:.1f} of the posterior's" in str(found)
    assert check_approximation(statistics(1 - 1 / wide**2, ess=900.0)).ok  # resampled


def test_one_that_did_not_settle():
    found = check_approximation(statistics(settled=False))
    assert str(found).startswith("Not converged: ")
    assert "0.4 nats" in str(found) and "ADVI(iterations=36_000)" in str(found)


def test_few_effective_draws():
    assert "below 400" in str(check_approximation(statistics(ess=12.0)))
    assert check_approximation(statistics(ess=900.0)).ok


def test_the_statistics_choose_the_check():
    tree = xr.DataTree.from_dict({"sample_stats": statistics()})
    assert check(tree) == check_approximation(statistics())
