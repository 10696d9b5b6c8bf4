"""Predictions of every family against brute force: SciPy's means, NumPy's effects."""

import numpy as np
import pandas as pd
import pytest
from oracles import CASES, OTHERS, expected

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.families import family
from bayesmlm.predict import predict

pytestmark = pytest.mark.filterwarnings("ignore::bayesmlm.BayesmlmWarning")  # odd responses

FAR = 5.0
"""Standard errors; of 1,500 comparisons all stay below with probability 0.999."""

ROWS, DRAWS = 3, 2
BETA = np.array([[0.3, 0.5], [-0.4, 0.2]])
SDS = np.array([[0.8, 0.5], [0.4, 0.9]])
CORR = np.array([0.3, -0.6])
SCHOOL = np.array([0.5, 0.7])
NEW = pd.DataFrame({"x": [-1.0, 0.2, 1.5], "k": ["new"] * 3, "g": ["a", "b", "b"], "n": [4, 6, 9]})

WITHOUT = {("gamma", "inverse"), ("gamma", "identity")}
WITHOUT |= {(name, link) for name in ("poisson", "negbinomial") for link in ("identity", "sqrt")}
"""Links with which some linear predictors have no mean."""


PREDICTED = [case for case in CASES if case[0] != "categorical"]
"""Those of one linear predictor; see `test_predictions_of_formulas` for several."""


@pytest.fixture(params=PREDICTED, ids=[f"{name}-{link}" for name, link in PREDICTED])
def case(request, make_result):
    """Give a family and a result with two stated draws."""
    name, link = request.param
    f = family(name, link)
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"k": np.repeat([0, 1, 2], 12), "g": np.repeat(np.arange(9), 4)})
    frame["x"], frame["n"] = rng.normal(size=36), rng.integers(4, 9, 36)
    rows = {"trials": frame["n"].to_numpy(dtype=float)} if f.needs else {}
    frame["y"] = f.simulate(rng.uniform(0.4, 1.4, 36), OTHERS[name], rows, rng)
    if f.ordered:
        frame["y"] = np.tile([0, 1, 2, 3], 9)
    left = "y | trials(n)" if f.needs else "y"
    model = mlm.Model(f"{left} ~ x + (x | g) + (1 | k)", frame, family=name, link=link)
    others = {
        p.name: np.broadcast_to(OTHERS[name][p.name], (1, DRAWS, *([3] if f.ordered else [])))
        for p in model.design.parameters
    }
    result = make_result(
        model,
        beta=(BETA[:, 1:] if f.ordered else BETA)[None],
        sd_g=SDS[None],
        corr_g=CORR[None, :, None],
        sd_k=SCHOOL[None, :, None],
        u_g=rng.normal(size=(1, DRAWS, 9, 2)),
        u_k=rng.normal(size=(1, DRAWS, 3, 1)),
        **others,
    )
    return f, result


def fixed_part(f, s):
    return NEW["x"].to_numpy() * BETA[s, 1] + (0.0 if f.ordered else BETA[s, 0])


def brute_force(f, s, size=100_000):
    """Return means over drawn effects and their standard errors, shape (rows, …)."""
    rng = np.random.default_rng([3, s])
    covariance = np.outer(SDS[s], SDS[s]) * np.array([[1, CORR[s]], [CORR[s], 1]])
    u = rng.multivariate_normal([0, 0], covariance, size)
    v = rng.normal(0, SCHOOL[s], size)
    eta = fixed_part(f, s)[:, None] + u[:, 0] + np.outer(NEW["x"], u[:, 1]) + v
    means = expected(f, eta, OTHERS[f.name])
    return means.mean(axis=1), means.std(axis=1) / np.sqrt(size)


def test_marginal_means(case):
    f, result = case
    if (f.name, f.link.name) in WITHOUT:
        with pytest.raises(StatisticError, match="(?s)linear predictor is not positive.*average"):
            predict(result, NEW, "marginal")
        return
    found = predict(result, NEW[["x"]], "marginal").array()
    for s in range(DRAWS):
        truth, error = brute_force(f, s)
        assert np.all(np.abs(found[..., s] - truth) <= FAR * error + 1e-12)


def test_means_and_responses_of_new_groups(case):
    """Their averages over many new groups are the marginal means."""
    f, result = case
    if (f.name, f.link.name) in WITHOUT:
        return
    truth = predict(result, NEW[["x"]], "marginal").array()
    size = 20_000
    for kind in ("mean", "response"):
        drawn = predict(result, NEW, "new", kind, seed=1, replicates=size).array()
        if kind == "response" and f.ordered:
            drawn = (drawn[:, None] == np.arange(4)[:, None]).astype(float)
        elif kind == "response" and f.needs:
            drawn = drawn / NEW["n"].to_numpy()[:, None]
        by_draw = drawn.reshape(*drawn.shape[:-1], DRAWS, size)
        error = by_draw.std(axis=-1) / np.sqrt(size)
        assert np.all(np.abs(by_draw.mean(axis=-1) - truth) <= FAR * error + 1e-12)


def test_means_of_existing_groups_row_by_row(case):
    f, result = case
    found = predict(result).array()
    design, posterior = result.design, result.posterior
    for s in range(DRAWS):
        eta = design.X @ posterior["beta"].to_numpy()[0, s]
        for block in design.random:
            u = posterior[f"u_{block.name}"].to_numpy()[0, s]
            eta += (block.Z * u[block.grouping.codes]).sum(axis=1)
        linear = predict(result, kind="linear").array()[:, s]
        assert linear == pytest.approx(eta, rel=1e-12)
        possible = eta > 0 if (f.name, f.link.name) in WITHOUT else np.full(len(eta), True)
        truth = expected(f, eta, OTHERS[f.name])
        undefined = np.isnan(found[..., s])
        if undefined.ndim == 1:
            assert not (undefined & possible).any()
        assert found[possible, ..., s] == pytest.approx(truth[possible], rel=1e-9, abs=1e-15)


def test_average_is_the_predictor_at_zero(case):
    f, result = case
    linear = predict(result, NEW[["x"]], "average", "linear").array()
    for s in range(DRAWS):
        assert linear[:, s] == pytest.approx(fixed_part(f, s))
