"""Outcomes that leave the likelihood without a maximum are fitted, and named."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import DataError, EngineError

NUTS = mlm.NUTS(draws=200, tune=200, chains=2)
BAYESIAN = {
    "quadrature": mlm.Quadrature(draws=500, evaluations=1024),
    "laplace": mlm.Laplace(draws=500, evaluations=1024),
    "nuts": NUTS,
}
EXTREMES = {
    "no count": ("zero", "poisson", "Every count is zero"),
    "one category": ("one", "bernoulli", "Complete separation"),
    "no success": ("zero | trials(n)", "binomial", "Complete separation"),
    "separation": ("apart", "bernoulli", "Complete separation"),
    "ordered": ("thirds", "cumulative", "Complete separation"),
    "no inflated count": ("zero", "zero_inflated_poisson", "Every count is zero"),
}


def data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=96)
    columns = {"g": np.repeat(np.arange(12), 8), "x": x, "apart": (x > 0).astype(int)}
    columns["thirds"] = np.digitize(x, [-0.5, 0.5])
    return pd.DataFrame(columns).assign(zero=0, one=1, n=3)


def model(response, family):
    return mlm.Model(f"{response} ~ x + (1 | g)", data(), family=family)


pytestmark = pytest.mark.filterwarnings("ignore::bayesmlm.errors.BayesmlmWarning")


@pytest.mark.parametrize("engine", BAYESIAN)
@pytest.mark.parametrize("case", EXTREMES)
def test_priors_bound_it_and_the_fit_says_so(case, engine):
    response, family, named = EXTREMES[case]
    fit = model(response, family).fit(BAYESIAN[engine], seed=1)
    (note,) = [note for note in fit.result.notes if named in note]
    assert "only their priors bound the coefficients" in note
    assert np.isfinite(fit.fixef().frame[["mean", "sd"]].to_numpy(dtype=float)).all()


@pytest.mark.parametrize("case", EXTREMES)
def test_maximum_likelihood_says_that_there_is_none(case):
    response, family, named = EXTREMES[case]
    fit = model(response, family).fit("ml")
    (note,) = [note for note in fit.result.notes if named in note]
    assert "the likelihood has no maximum" in note
    assert not fit.check().ok
    assert "the likelihood has no maximum" in str(fit.check())


@pytest.mark.parametrize("case", ["no count", "one category", "no success", "separation"])
def test_quasi_likelihood_is_an_error_with_its_reason(case):
    response, family, _ = EXTREMES[case]
    with pytest.raises(EngineError, match="(?s)did not converge .*next:.*whose priors bound them"):
        model(response, family).fit("pql")


def test_one_answer_is_told_before_anything_is_fitted():
    with pytest.warns(mlm.BayesmlmWarning, match="every response is 0: only the priors bound"):
        model("zero", "poisson")
    with pytest.warns(mlm.BayesmlmWarning, match="every response is 1: only the priors bound"):
        model("one", "bernoulli")


@pytest.mark.parametrize(
    ("response", "family", "got"),
    [
        ("half", "poisson", "outside the support of the poisson family: 0.5"),
        ("half", "negbinomial", "outside the support of the negbinomial family: 0.5"),
        ("many | trials(n)", "binomial", "outside the support"),
        ("half | trials(n)", "binomial", "outside the support"),
    ],
)
def test_impossible_counts_are_typed_errors(response, family, got):
    frame = data().assign(half=0.5, many=4)
    with pytest.raises(DataError, match=got):
        mlm.Model(f"{response} ~ x + (1 | g)", frame, family=family)


def test_one_row_out_of_order_is_no_separation():
    frame = data()
    frame.loc[frame["x"].idxmax(), "thirds"] = 1
    fit = mlm.Model("thirds ~ x + (1 | g)", frame, family="cumulative").fit("ml")
    assert not any("separation" in note for note in fit.result.notes)
