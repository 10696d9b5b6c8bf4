"""Figures of a maximum likelihood fit."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.maximum import at_maximum, wald


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    return pd.DataFrame({"g": np.repeat(np.arange(8), 5), "x": x, "y": x + rng.normal(size=40)})


@pytest.fixture(scope="module")
def result(frame):
    return mlm.Model("y ~ x + (1 | g)", frame).fit("ml").result


def test_statistics_by_name(result):
    assert at_maximum(result, "deviance") == -2 * at_maximum(result, "log_likelihood")
    assert isinstance(at_maximum(result, "aic"), float)


def test_a_posterior_has_no_deviance(frame, make_result):
    model = mlm.Model("y ~ x + (1 | g)", frame)
    sampled = make_result(model, beta=np.zeros((2, 5, 2)))
    with pytest.raises(StatisticError, match=r'(?s)aic of a fit by \'nuts\'.*model.fit\("ml"\)'):
        at_maximum(sampled, "aic")


@pytest.mark.parametrize("probability", [0.5, 0.95])
def test_wald_intervals(result, probability):
    table = wald(result, probability)
    assert list(table.index) == ["Intercept", "x"]
    np.testing.assert_allclose(table["estimate"], result.posterior["beta"][0, 0])
    covariance = result.tree["standard_errors"]["beta_covariance"].to_numpy()
    np.testing.assert_allclose(table["se"] ** 2, np.diag(covariance))
    half = norm.ppf((1 + probability) / 2) * table["se"]
    np.testing.assert_allclose(table["upper"] - table["estimate"], half)
    np.testing.assert_allclose(table["estimate"] - table["lower"], half)
    np.testing.assert_allclose(table["t"], table["estimate"] / table["se"])


@pytest.mark.parametrize("probability", [0, 1, 1.5])
def test_probabilities_outside_zero_and_one_are_refused(result, probability):
    with pytest.raises(StatisticError, match="between 0 and 1"):
        wald(result, probability)
