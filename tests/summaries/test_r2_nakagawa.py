import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.r2_nakagawa import (
    covariance_of,
    fixed_variance,
    marginal_and_conditional,
    r2_nakagawa,
)


def frame_of():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(6), 5), "x": rng.normal(size=30)})
    frame = frame.assign(y=rng.normal(size=30), b=np.arange(30) % 2, n=rng.poisson(2, 30))
    return frame.assign(t=rng.uniform(1, 2, 30), s=rng.uniform(1, 2, 30))


BETA = np.array([[[1.0, 2.0], [0.5, -1.0]]])


def test_formula_by_hand():
    marginal, conditional = marginal_and_conditional(*(np.array([v]) for v in (3.0, 2.0, 5.0)))
    assert (marginal[0], conditional[0]) == (0.3, 0.5)


def test_gaussian_with_random_slopes(make_result):
    """Johnson (2014): the mean over the rows of z' T z."""
    model = mlm.Model("y ~ x + (x | g)", frame_of())
    sds, sigma = np.array([[[2.0, 1.0], [1.0, 0.5]]]), np.array([[3.0, 1.0]])
    result = make_result(
        model, beta=BETA, sd_g=sds, corr_g=np.array([[[0.5], [-0.2]]]), sigma=sigma
    )
    x = model.design.X[:, 1]
    found, expected = r2_nakagawa(result), []
    for s, r in enumerate((0.5, -0.2)):
        fixed = (BETA[0, s, 1] * x).var()
        a, b = sds[0, s]
        random = (a**2 + 2 * r * a * b * x + b**2 * x**2).mean()
        total = fixed + random + sigma[0, s] ** 2
        expected.append((fixed / total, (fixed + random) / total))
    np.testing.assert_allclose(found["mean"], np.mean(expected, axis=0))
    np.testing.assert_allclose(found["sd"], np.std(expected, axis=0, ddof=1))


@pytest.mark.parametrize(
    ("response", "options"),
    [
        ("b", {"family": "bernoulli"}),
        ("b", {"family": "bernoulli", "link": "probit"}),
        ("n", {"family": "poisson"}),
    ],
)
def test_other_families(response, options, make_result):
    model = mlm.Model(f"{response} ~ x + (1 | g)", frame_of(), **options)
    result = make_result(model, beta=BETA[:, :1], sd_g=np.full((1, 1, 1), 0.7))
    x = model.design.X[:, 1]
    mean = np.exp((1 + 2 * x).mean() + 0.49 / 2)
    level1 = {"logit": np.pi**2 / 3, "probit": 1.0, "log": np.log1p(1 / mean)}[
        model.design.family.link.name
    ]
    fixed = (2 * x).var()
    total = fixed + 0.49 + level1
    expected = [fixed / total, (fixed + 0.49) / total]
    np.testing.assert_allclose(r2_nakagawa(result)["mean"], expected)


def test_an_offset_is_part_of_the_fixed_part(make_result):
    model = mlm.Model("n ~ x + offset(t) + (1 | g)", frame_of(), family="poisson")
    result = make_result(model, beta=BETA, sd_g=np.ones((1, 2, 1)))
    expected = (BETA[0] @ model.design.X.T + model.design.offset).var(axis=1)
    np.testing.assert_allclose(fixed_variance(result), expected)


def test_covariance_of_no_columns():
    assert covariance_of(np.empty((5, 0))).shape == (0, 0)


def test_refused_for_known_sampling_sds(make_result):
    model = mlm.Model("y | se(s) ~ x + (1 | g)", frame_of())
    with pytest.raises(StatisticError, match="known"):
        r2_nakagawa(make_result(model, beta=BETA, sd_g=np.ones((1, 2, 1))))
