"""Laplace and quadrature with fixed effects integrated out too: layout, audit, agreement."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks.importance import SHIFT_LIMIT
from bayesmlm.engines import nested
from bayesmlm.engines.weights import WeightedSample
from bayesmlm.errors import EngineError


def clusters(size, rows=2000, sd=1.5, seed=3):
    rng = np.random.default_rng(seed)
    J = rows // size
    g = np.repeat(np.arange(J), size)
    x = rng.normal(size=J * size)
    p = 1 / (1 + np.exp(-0.5 * x - sd * rng.normal(size=J)[g]))
    return pd.DataFrame({"g": g, "x": x, "y": (rng.random(len(g)) < p).astype(int)})


def crossed(seed=1, rows=240):
    rng = np.random.default_rng(seed)
    g, h = np.arange(rows) % 30, rng.integers(0, 6, rows)
    eta = 0.4 + rng.normal(size=30)[g] + 0.6 * rng.normal(size=6)[h]
    return pd.DataFrame({"g": g, "h": h, "k": rng.poisson(np.exp(eta))})


def fit(formula, data, family, engine, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        return mlm.Model(formula, data, family=family).fit(engine, seed=1, **options)


SMALL = {"draws": 200, "evaluations": 256}


@pytest.mark.parametrize(("size", "warns"), [(2, True), (5, True), (40, False)])
def test_the_audit_warns_where_clusters_are_small(size, warns):
    found = fit("y ~ x + (1 | g)", clusters(size), "bernoulli", "laplace", **SMALL)
    check = found.check()
    assert (abs(check.shift) > SHIFT_LIMIT) == warns
    said = [f for f in check.findings if "Laplace's approximation" in f.what]
    assert bool(said) == warns
    if warns:
        assert check.shift > 0 and "sd_g[Intercept]" in said[0].what and "too low" in said[0].what
        assert '"quadrature"' in said[0].next_step
        # the true SD is 1.5, and the shift says where it is
        sd = found.result.posterior["sd_g"].to_numpy()
        assert sd.mean() + check.shift * sd.std() == pytest.approx(1.5, abs=0.45)


def test_layout_notes_and_statistics():
    found = fit("k ~ 1 + (1 | g) + (1 | h)", crossed(), "poisson", "laplace", **SMALL)
    posterior = found.result.posterior
    assert set(posterior) == {"beta", "sd_g", "u_g", "sd_h", "u_h"}
    assert posterior["u_h"].shape == (1, 200, 6, 1)
    assert found.result.notes[0] == (
        "Fixed effects and effects of g and h integrated out by Laplace's approximation."
    )
    statistics = found.tree["sample_stats"].to_dataset()
    assert statistics["shift"].dims == ("hyperparameter",)
    assert statistics["beta_shift"].sizes["coef"] == 1
    assert int(statistics["nodes"]) == 1


def test_quadrature_of_two_groupings_agrees_with_nuts():
    data = crossed()
    exact = fit("k ~ 1 + (1 | g) + (1 | h)", data, "poisson", "nuts", draws=5000)
    more = {"draws": 16000, "evaluations": 8192}
    found = fit("k ~ 1 + (1 | g) + (1 | h)", data, "poisson", "quadrature", **more)
    assert found.check().shift is None and found.check().ok
    assert "Effects of g integrated out by adaptive quadrature" in found.result.notes[0]
    for name in ("beta", "sd_g", "sd_h", "u_g", "u_h"):
        ours, theirs = (f.result.posterior[name] for f in (found, exact))
        sd = theirs.std(("chain", "draw")).to_numpy()
        off = (ours.mean(("chain", "draw")) - theirs.mean(("chain", "draw"))).to_numpy() / sd
        assert np.abs(off).max() < 0.15, name
        ratio = ours.std(("chain", "draw")).to_numpy() / sd
        assert ratio.min() > 0.85 and ratio.max() < 1.15, name


def test_many_coefficients_are_integrated_out_too():
    rng = np.random.default_rng(2)
    data = clusters(20, rows=600)
    names = [f"z{k}" for k in range(20)]
    data = data.assign(**{name: rng.normal(size=len(data)) for name in names})
    formula = f"y ~ {' + '.join(names)} + (1 | g)"
    found = fit(formula, data, "bernoulli", "quadrature", **SMALL)
    assert "fixed effects by Laplace's approximation" in found.result.notes[0]


def test_same_seed_same_draws():
    one, two = (
        fit("k ~ 1 + (1 | g) + (1 | h)", crossed(), "poisson", "laplace", **SMALL) for _ in range(2)
    )
    for name in one.result.posterior:
        same = [f.result.posterior[name].to_numpy() for f in (one, two)]
        assert np.array_equal(*same), name


def test_more_evaluations_while_the_tail_is_too_heavy(monkeypatch):
    asked = []

    def explore(density, *_, draws, **__):
        asked.append(draws)
        points = np.full((600, 1), 0.3)
        density(points)
        return WeightedSample(points, np.full(600, 1 / 600), 0.9 if len(asked) < 3 else 0.2, 600)

    monkeypatch.setattr(nested, "explore", explore)
    found = fit("y ~ x + (1 | g)", clusters(40, 400), "bernoulli", "laplace", **SMALL)
    assert asked == [256, 512, 1024]
    assert float(found.tree["sample_stats"]["k_hat"]) == 0.2


def test_effects_that_cannot_be_left_out_are_kept_and_told():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"g": np.arange(120) % 12, "b": rng.integers(0, 2, 120)})
    model = mlm.Model("b ~ 1 + (1 | g)", frame, family="bernoulli")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        fit = model.fit(mlm.Laplace(keep_random_effects=False), seed=1)
    assert any("are kept" in note for note in fit.result.notes)
    assert "u_g" in fit.tree["posterior"]


@pytest.mark.parametrize("size", [5, 10])
def test_a_higher_order_is_closer_to_quadrature(size):
    """The SD's posterior mean, and what the audit says is still missing."""
    options = {"draws": 1000, "evaluations": 2048}
    plain, sixth, truth = (
        fit("y ~ x + (1 | g)", clusters(size), "bernoulli", engine)
        for engine in (
            mlm.Laplace(**options),
            mlm.Laplace(order=6, **options),
            mlm.Quadrature(nodes=15, **options),
        )
    )
    sds = [found.result.posterior["sd_g"].to_numpy() for found in (plain, sixth, truth)]
    off = [(own.mean() - sds[2].mean()) / sds[2].std() for own in sds[:2]]
    assert off[0] < -0.15 and abs(off[1]) < 0.4 * abs(off[0])
    assert abs(sixth.check().shift) < 0.5 * abs(plain.check().shift)
    assert sixth.check().shift == pytest.approx(-off[1], abs=0.15)
    assert sixth.result.engine == mlm.Laplace(order=6, **options)
    assert sixth.result.notes[0] == (
        "Random effects integrated out by Laplace's approximation of order 6."
    )


@pytest.mark.parametrize(
    ("formula", "family", "link", "got"),
    [
        ("k ~ 1 + (1 | g) + (1 | h)", "poisson", None, "poisson family (log link) and 2 groupings"),
        ("k ~ 1 + (1 | g)", "poisson", "sqrt", "poisson family (sqrt link) and 1 grouping"),
        ("k ~ 1 + (1 | g)", "gaussian", None, "gaussian family (identity link) and 1 grouping"),
    ],
)
def test_what_a_higher_order_does_not_serve(formula, family, link, got):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        model = mlm.Model(formula, crossed(), family=family, link=link)
    with pytest.raises(EngineError, match=re.escape(f"Laplace(order=6) of a model with the {got}")):
        model.fit("laplace", order=6)


@pytest.mark.parametrize("order", [1, 4, 2.5, True, "six", None])
def test_orders_are_two_and_six(order):
    with pytest.raises(EngineError, match=r"(?s)Laplace\(order=.*2 or 6"):
        mlm.Laplace(order=order)
