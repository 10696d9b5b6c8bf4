"""ADVI: options, layout, honesty, and agreement with NUTS where it should agree."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines import ADVI
from bayesmlm.engines.elbo import WINDOW
from bayesmlm.errors import BayesmlmWarning, EngineError
from bayesmlm.saving import load_result, save_result


def tiny(seed=1, groups=30, size=10):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(size=len(g))
    y = 1 + 0.5 * x + rng.normal(0, 0.8, groups)[g] + rng.normal(0, 1, len(g))
    return pd.DataFrame({"y": y, "x": x, "g": g, "b": (y > 1).astype(int)})


@pytest.fixture(scope="module")
def model():
    return mlm.Model("y ~ x + (1 | g)", tiny())


@pytest.fixture(scope="module")
def fit(model):
    return model.fit("advi", seed=1)


def standardised(fit, reference, name):
    """Return the distance of the means in reference SDs, and the ratio of the SDs."""
    ours, theirs = (each.result.posterior[name] for each in (fit, reference))
    dims = ("chain", "draw")
    distance = (ours.mean(dims) - theirs.mean(dims)) / theirs.std(dims)
    return distance.to_numpy(), (ours.std(dims) / theirs.std(dims)).to_numpy()


def test_the_posterior_has_the_layout_of_nuts(model, fit):
    nuts = model.fit("nuts", seed=1)
    ours, theirs = fit.result.posterior, nuts.result.posterior
    assert set(ours) == set(theirs)
    for name in theirs:
        assert ours[name].dims == theirs[name].dims
        assert ours[name].sizes["draw"] == 4000
    assert fit.fixef().frame["ess"].to_list() == [4000, 4000]


def test_it_agrees_with_laplace_on_the_marginal_posterior(model, fit):
    laplace = model.fit("laplace", seed=1)
    for name in ("beta", "sd_g", "sigma"):
        distance, ratio = standardised(fit, laplace, name)
        assert np.abs(distance).max() < 0.2
        assert np.abs(ratio - 1).max() < 0.2


def test_the_path_of_the_elbo_is_kept_and_checked(fit):
    path = fit.tree["optimization"]["elbo"].to_numpy()
    statistics = fit.tree["sample_stats"].to_dataset()
    assert len(path) == int(statistics["iterations"]) and len(path) % WINDOW == 0
    assert path[-WINDOW:].mean() == pytest.approx(float(statistics["elbo"]), abs=0.2)
    assert bool(statistics["settled"])
    assert fit.check().khat == float(statistics["k_hat"])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_draws(model, fit):
    again = model.fit("advi", seed=1)
    assert again.result.posterior.equals(fit.result.posterior)


@pytest.mark.slow
def test_too_few_iterations_are_told(model):
    with pytest.warns(BayesmlmWarning, match=r"ELBO still rose.*\n.*ADVI\(iterations=20_000\)"):
        model.fit("advi", seed=1, iterations=5000)


def test_a_fit_is_saved_and_loaded(fit, tmp_path):
    save_result(fit.result, tmp_path / "fit.zip")
    loaded = load_result(tmp_path / "fit.zip")
    assert loaded.engine == fit.result.engine
    assert loaded.tree["optimization"].to_dataset().equals(fit.tree["optimization"].to_dataset())


@pytest.mark.slow
def test_effects_that_are_not_kept_are_drawn_again(model, fit):
    less = model.fit("advi", seed=1, keep_random_effects=False)
    assert "u_g" not in less.result.posterior
    assert np.array_equal(less.random_effects().values, fit.random_effects().values)


@pytest.mark.slow
def test_progress_is_shown(model, capfd):
    model.fit("advi", seed=1, progress=True, keep_random_effects=False)
    assert "ELBO -" in capfd.readouterr().err


@pytest.mark.slow
def test_full_rank_sees_the_correlation_that_mean_field_misses():
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
    nuts = model.fit("nuts", seed=1)
    with pytest.warns(BayesmlmWarning, match="k-hat"):
        full = model.fit("advi", seed=1, rank="full-rank")
    with pytest.warns(BayesmlmWarning, match="k-hat"):
        mean_field = model.fit("advi", seed=1)
    for fit in (full, mean_field):
        for name in ("beta", "sd_Subject", "corr_Subject", "sigma"):
            assert np.abs(standardised(fit, nuts, name)[0]).max() < 0.2
    shared = {
        each: np.corrcoef(np.log(each.result.posterior["sd_Subject"].to_numpy()[0].T))[0, 1]
        for each in (full, mean_field)
    }
    assert abs(shared[mean_field]) < 0.05


@pytest.mark.slow
def test_a_bernoulli_response_with_all_effects_approximated():
    model = mlm.Model("b ~ x + (1 | g)", tiny(0, 20, 20), family="bernoulli")
    nuts = model.fit("nuts", seed=1)
    with pytest.warns(BayesmlmWarning, match="k-hat"):
        full = model.fit("advi", seed=1, rank="full-rank")
    with pytest.warns(BayesmlmWarning, match='k-hat is .*\n.*fit with "nuts"'):
        mean_field = model.fit("advi", seed=1)
    for fit in (full, mean_field):
        assert set(fit.result.posterior) == set(nuts.result.posterior)
        assert np.abs(standardised(fit, nuts, "beta")[0]).max() < 0.2
        assert "Approximated Intercept by g" in str(fit.summary())
    narrow, wide = (float(standardised(fit, nuts, "sd_g")[1][0]) for fit in (mean_field, full))
    assert narrow < 0.85 < wide < 1.1


def test_integrating_what_does_not_integrate_is_refused():
    model = mlm.Model("b ~ x + (1 | g)", tiny(), family="bernoulli")
    with pytest.raises(EngineError, match=r"ADVI\(random_effects='integrate'\) cannot fit"):
        model.fit("advi", random_effects="integrate")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rank": "low"}, r"rank='low'"),
        ({"rank": 3}, r"rank=3"),
        ({"random_effects": "both"}, r"'auto', 'integrate', 'sample'"),
        ({"draws": 10}, r"whole number from 100"),
        ({"draws": True}, r"whole number from 100"),
        ({"iterations": 1e5}, r"whole number from 5,000"),
        ({"keep_random_effects": 1}, r"True, False"),
        ({"random_effects": "sample", "keep_random_effects": False}, r"kept where they are"),
        ({"random_effects": "integrate", "parametrisation": "centred"}, r"no parametrisation"),
    ],
)
def test_bad_options(options, said):
    with pytest.raises(EngineError, match=said):
        ADVI(**options)


def test_a_density_that_is_not_finite_is_an_engine_error(model, monkeypatch):
    import pymc as pm

    def explode(self, *_, **__):
        raise FloatingPointError("NaN occurred in optimization.\nmore")

    monkeypatch.setattr(pm.ADVI, "fit", explode)
    with pytest.raises(EngineError, match=r"(?s)NaN occurred.*fit with \"nuts\""):
        model.fit("advi", seed=1)
