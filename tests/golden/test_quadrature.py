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


def apart(fit, run, order):
    """Return, by parameter, the difference of means in SDs of the run, and the ratio of SDs."""
    posterior = fit.result.posterior
    found = {}
    for key, expected in run["summary"].items():
        kind, _, rest = key.partition(":")
        if kind == "b":
            draws = posterior["beta"].sel(coef=order[run["beta_names"].index(rest)])
        elif kind == "sd":
            draws = posterior[f"sd_{rest.split(':')[0]}"]
        else:
            continue
        off = (float(draws.mean()) - expected["mean"]) / expected["sd"]
        found[key] = off, float(draws.std()) / expected["sd"]
    return found


SEVERAL = ("guimmun_3level",)


@pytest.mark.parametrize("name", SEVERAL)
def test_the_hybrid_agrees_with_stan(name, stated, bayes):
    model, _ = stated(name)
    fit = model.fit("quadrature", seed=7)
    assert fit.check().ok
    found = apart(fit, bayes(name), model.design.coef)
    worst = max(found, key=lambda key: abs(found[key][0]))
    print(f"{name}: {fit.result.seconds}; worst {worst} by {found[worst][0]:.3f} SD")
    for key, (off, ratio) in found.items():
        assert abs(off) < 0.15, (key, off)
        assert 0.9 < ratio < 1.1, (key, ratio)


@pytest.mark.parametrize("name", SEVERAL)
def test_laplace_warns_of_its_shift(name, stated):
    model, _ = stated(name)
    with pytest.warns(mlm.BayesmlmWarning, match="Laplace's approximation puts log sd_"):
        model.fit("laplace", seed=7, draws=200, evaluations=256)
