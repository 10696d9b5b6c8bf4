"""The engine on small graphs, compiled in PyTensor's fast mode; real fits are in golden/."""

import logging
import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines.quiet import quiet
from bayesmlm.engines.sampled import posterior_names
from bayesmlm.errors import EngineError


@pytest.fixture(scope="module")
def fast():
    """Compile in pure Python: a third of a second a graph, and slow to run."""
    with quiet():
        import pytensor

        with pytensor.config.change_flags(mode="FAST_COMPILE", linker="py"):
            yield


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(["a", "b", "c", "d"], 5), "x": rng.normal(size=20)})
    frame["y"] = 3 + frame["x"] + rng.normal(size=20)
    return mlm.Model("y ~ x + (x | g)", frame)


def fit(model, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        return model.fit(
            "nuts",
            seed=seed,
            sampler="pymc",
            draws=20,
            tune=20,
            chains=2,
            cores=1,
            max_treedepth=4,
        )


@pytest.fixture(scope="module")
def fitted(fast, model):
    return fit(model, 5)


def test_layout_of_the_posterior(fitted):
    posterior = fitted.tree["posterior"].to_dataset()
    assert list(posterior) == ["beta", "sd_g", "corr_g", "u_g", "sigma"]
    assert posterior["beta"].dims == ("chain", "draw", "coef")
    assert posterior["sd_g"].dims == ("chain", "draw", "g_effect")
    assert posterior["corr_g"].dims == ("chain", "draw", "g_pair")
    assert posterior["u_g"].dims == ("chain", "draw", "g", "g_effect")
    assert posterior["sigma"].dims == ("chain", "draw")
    assert posterior["g"].to_numpy().tolist() == ["a", "b", "c", "d"]
    assert posterior["g_pair"].to_numpy().tolist() == ["Intercept~x"]
    assert {"observed_data", "constant_data", "sample_stats"} <= set(fitted.tree.children)
    observed = fitted.tree["observed_data"]["y"]
    assert np.array_equal(observed.to_numpy(), fitted.result.design.y)


def test_both_samplers_name_their_statistics_alike(fitted):
    assert {"diverging", "maxdepth_reached", "depth", "logp"} <= set(
        fitted.tree["sample_stats"].to_dataset()
    )


def test_same_seed_same_draws_and_another_seed_other_draws(fast, model, fitted):
    same, other = fit(model, 5), fit(model, 6)
    for name in posterior_names(model.design):
        first = fitted.tree["posterior"][name].to_numpy()
        assert np.array_equal(first, same.tree["posterior"][name].to_numpy())
        assert not np.array_equal(first, other.tree["posterior"][name].to_numpy())


def test_a_seed_drawn_is_recorded_and_reproduces(fast, model):
    first = fit(model, None)
    again = fit(model, first.result.seed)
    assert np.array_equal(
        first.tree["posterior"]["sigma"].to_numpy(), again.tree["posterior"]["sigma"].to_numpy()
    )


def test_the_check_runs_after_every_fit(fast, model):
    with pytest.warns(mlm.BayesmlmWarning, match="Not converged"):
        found = model.fit(
            "nuts", seed=1, sampler="pymc", draws=5, tune=5, chains=2, cores=1, max_treedepth=2
        )
    assert not found.check().ok


def test_the_parametrisation_is_stated(fitted):
    assert any(note.startswith("Sampled x by g: non-centred") for note in fitted.result.notes)
    assert "Sampled Intercept by g" in str(fitted.summary())


def test_nothing_is_printed_where_nobody_watches(fast, model, capfd, monkeypatch):
    monkeypatch.setenv("CI", "true")
    fit(model, 1)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_progress_shows_the_stages_when_asked(fast, model, capfd):
    with pytest.warns(mlm.BayesmlmWarning):
        model.fit(
            "nuts",
            seed=1,
            sampler="pymc",
            draws=5,
            tune=5,
            chains=1,
            cores=1,
            max_treedepth=2,
            progress=True,
        )
    shown = capfd.readouterr().err
    assert "build the graph" in shown
    assert "sample" in shown


def test_quiet_restores_loggers():
    logger = logging.getLogger("pymc")
    before = logger.level
    with quiet():
        assert logger.level == logging.ERROR
    assert logger.level == before


@pytest.mark.parametrize(
    "options",
    [
        {"draws": 0},
        {"draws": 2.5},
        {"tune": -1},
        {"chains": True},
        {"cores": 0},
        {"target_accept": 1.0},
        {"max_treedepth": "10"},
        {"sampler": "stan"},
    ],
)
def test_bad_options_are_refused(options):
    (name,) = options
    with pytest.raises(EngineError, match=f"NUTS\\({name}="):
        mlm.NUTS(**options)


def test_engines_are_values():
    assert mlm.NUTS(draws=10) == mlm.NUTS(draws=10)
    assert "4 chains of 2,000 draws" in str(mlm.NUTS())


@pytest.mark.slow
def test_nutpie_is_reproducible_and_shows_progress(model, capfd):
    engine = mlm.NUTS(draws=300, tune=300, chains=2, backend="graph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)  # so few draws
        runs = [model.fit(engine, seed=9, progress=True) for _ in range(2)]
    first, second = (run.tree["posterior"]["u_g"].to_numpy() for run in runs)
    assert np.array_equal(first, second)
    shown = capfd.readouterr().err
    assert "compile" in shown
    assert "divergences" in shown
