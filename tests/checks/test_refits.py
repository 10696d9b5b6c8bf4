"""Refits without rows: a weight of zero is a row that is not there."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.checks.refits import Predicted, Refits, fast_engine, run_refits, told
from bayesmlm.checks.target import group_target, row_target

FAST = mlm.Laplace(draws=1000, evaluations=2048)


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(1)
    g = np.repeat(range(10), 6)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=60)})
    frame["y"] = frame["x"] + rng.normal(size=10)[g] + rng.normal(size=60)
    frame["b"], frame["only"] = (frame["y"] > 0).astype(int), (g == 3) * frame["x"]
    return mlm.Model("y ~ x + (1 | g)", frame), frame


def test_a_weight_of_zero_is_a_group_that_is_not_there(model):
    whole, frame = model
    target = group_target(whole.design, None)
    priors = whole.prior_values
    found = Refits(target, priors, mlm.Laplace(), 1).fit(np.array([4])).posterior
    # the default intercept's prior is at the means of all rows: given at x = 0, it stays
    mean = float(whole.design.X[:, 1].mean())
    assert abs(mean) < 0.2
    rest = mlm.Model("y ~ x + (1 | g)", frame[frame["g"] != 4])
    object.__setattr__(rest, "prior_values", priors)
    expected = mlm.Laplace().fit(rest.design, priors, 1, mlm.engines.Progress()).posterior
    for name in ("beta", "sd_g", "sigma"):
        a, b = found[name], expected[name]
        sd = b.std(("chain", "draw"))
        assert (abs(a.mean(("chain", "draw")) - b.mean(("chain", "draw"))) / sd).max() < 0.08
        assert abs(np.log(a.std(("chain", "draw")) / sd)).max() < 0.08


def test_left_out_effects_are_those_of_a_new_group(model):
    result = Refits(group_target(model[0].design, None), model[0].prior_values, FAST, 1).fit(
        np.array([4])
    )
    u, sd = result.posterior["u_g"][0, :, 4, 0], result.posterior["sd_g"][0, :, 0]
    standard = (u / sd).to_numpy()
    assert abs(standard.mean()) < 4 / np.sqrt(1000)
    assert abs(standard.std() - 1) < 4 / np.sqrt(2000)


def test_processes_and_executors_give_the_same_numbers(model):
    whole, _ = model
    refits = Refits(row_target(whole.design), whole.prior_values, FAST, 1)
    parts = [np.array([k]) for k in range(3)]
    here = run_refits(refits, parts, workers=1)
    there = run_refits(refits, parts, workers=2)
    with ThreadPoolExecutor(1) as pool:
        given = run_refits(refits, parts, executor=pool)
    for a, b, c in zip(here, there, given, strict=True):
        np.testing.assert_allclose([a.values, a.values], [b.values, c.values], rtol=1e-10)


def test_items_left_out_together(model):
    whole, _ = model
    refits = Refits(group_target(whole.design, None), whole.prior_values, FAST, 1)
    found = run_refits(refits, [np.array([2, 5, 7])])[0]
    assert found.values.shape == found.errors.shape == (3,)
    assert np.isfinite(found.values).all() and (found.errors < 0.1).all()
    assert found.converged


def test_what_is_told_of_refits():
    fine = Predicted(np.zeros(2), np.array([0.02, 0.07]), True)
    bad = Predicted(np.zeros(1), np.array([0.3]), False)
    assert told(FAST, ["it broke"]) == []
    assert told(FAST, [fine]) == ["refits by Laplace, Monte Carlo error of one up to 0.07"]
    assert told(FAST, [fine, bad])[1] == "1 of 2 refits did not converge"


def test_why_a_refit_is_not_possible(model):
    _, frame = model
    whole = mlm.Model("y ~ x + only + (1 | g)", frame)
    refits = Refits(group_target(whole.design, None), whole.prior_values, FAST, 1)
    found, fine = run_refits(refits, [np.array([3]), np.array([2])])
    assert found == "without it some coefficients are not identified"
    assert not isinstance(fine, str)


def test_the_fastest_engine(model, make_result):
    whole, frame = model
    zero = {"beta": np.zeros((1, 2, 2)), "sd_g": np.ones((1, 2, 1)), "sigma": np.ones((1, 2))}
    assert fast_engine(make_result(whole, **zero)).name == "laplace"
    del zero["sigma"]
    binary = mlm.Model("b ~ x + (1 | g)", frame, family="bernoulli")
    assert fast_engine(make_result(binary, **zero)).name == "quadrature"
    heavy = mlm.Model('y ~ x + (1 | gr(g, dist="student"))', frame)
    assert fast_engine(make_result(heavy, **zero)).name == "nuts"
