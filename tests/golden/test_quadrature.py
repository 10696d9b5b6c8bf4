"""Quadrature with stated priors hits long NUTS runs of Stan within Monte Carlo error."""

import pytest

import bayesmlm as mlm

pytestmark = pytest.mark.slow

MODELS = ("election88_simple", "cbpp", "bugs_seeds_halfnormal", "bugs_epil2")


@pytest.mark.parametrize("name", MODELS)
def test_means_and_quantiles_agree_with_stan(name, stated):
    model, compare = stated(name)
    fit = model.fit(mlm.Quadrature(draws=20000, evaluations=32768), seed=7)
    assert fit.check().ok
    compare(fit)
