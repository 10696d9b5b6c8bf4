import numpy as np
import pytest
import xarray as xr

from bayesmlm.errors import StatisticError
from bayesmlm.summaries.draws import describe, flatten, table


def test_flatten_keeps_draws_together_and_names_every_parameter():
    values = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    array = xr.DataArray(
        values, dims=("chain", "draw", "g", "k"), coords={"g": ["a", "b"], "k": [0, 1]}
    )
    draws, index = flatten(array.transpose("g", "draw", "k", "chain"))
    assert index == [("a", "0"), ("a", "1"), ("b", "0"), ("b", "1")]
    assert np.array_equal(draws, values.reshape(6, 4))


def test_flatten_of_a_scalar():
    draws, index = flatten(xr.DataArray(np.zeros((2, 5)), dims=("chain", "draw")))
    assert draws.shape == (10, 1)
    assert index == [()]


def test_normal_draws_have_the_normal_interval():
    draws = np.random.default_rng(0).normal(3, 2, size=(200_000, 1))
    found = describe(draws, 0.9)
    assert found["lower"][0] == pytest.approx(3 - 2 * 1.6449, abs=0.03)
    assert found["upper"][0] == pytest.approx(3 + 2 * 1.6449, abs=0.03)


@pytest.mark.parametrize("probability", [0, 1, 95, -0.5])
def test_probability_outside_zero_to_one_is_refused(probability):
    with pytest.raises(StatisticError, match="between 0 and 1"):
        describe(np.zeros((3, 1)), probability)


def test_one_chain_has_no_r_hat():
    array = xr.DataArray(np.random.default_rng(0).normal(size=(1, 100)), dims=("chain", "draw"))
    assert "r_hat" not in table(array.rename("sigma"))
