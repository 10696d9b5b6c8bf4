"""Predictions where several parameters have linear predictors, against brute force.

Every further parameter of every family that a formula may be given of, and the categorical
family, whose categories have one each: with a predictor and random effects on each of them.
"""

import numpy as np
import pandas as pd
import pytest
from oracles import CDF, OTHERS, expected, log_density
from test_predictions import CASES, FAR, PREDICTED

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.families import FAMILIES, family
from bayesmlm.predict import predict
from bayesmlm.predict.outcome import MEAN_NEEDS
from bayesmlm.summaries.row_likelihood import log_likelihood_blocks

pytestmark = pytest.mark.filterwarnings("ignore::bayesmlm.BayesmlmWarning")  # odd responses

ROWS, DRAWS, SIZE = 3, 2, 100_000
NEW = pd.DataFrame({"x": [-1.0, 0.2, 1.5], "g": ["a", "b", "b"], "n": [4, 6, 9]})

BETA = np.array([[0.3, 0.5], [-0.4, 0.2]])
OWN = {
    "mu": (BETA, np.array([[0.8], [0.4]])),
    "sigma": (np.array([[-0.2, 0.3], [0.1, -0.2]]), np.array([[0.3], [0.5]])),
    "nu": (np.array([[2.0, 0.1], [2.5, 0.0]]), np.array([[0.2], [0.1]])),
    "shape": (np.array([[0.4, 0.2], [1.0, -0.3]]), np.array([[0.3], [0.5]])),
    "phi": (np.array([[1.4, 0.2], [1.0, -0.3]]), np.array([[0.3], [0.5]])),
    "zi": (np.array([[-0.5, 0.4], [-1.0, -0.3]]), np.array([[0.9], [0.6]])),
    "hu": (np.array([[-0.5, 0.4], [-1.0, -0.3]]), np.array([[0.9], [0.6]])),
    "mu1": (np.array([[0.3, 0.5], [-0.4, 0.2]]), np.array([[0.8], [0.4]])),
    "mu2": (np.array([[-0.3, 0.2], [0.6, -0.2]]), np.array([[1.2], [0.9]])),
}
"""Coefficients and SD of the effects of each linear predictor, by draw."""

INVERSE = {"log": np.exp, "logit": CDF["logit"], "identity": lambda eta: eta}

FORMULAS = [
    (name, parameter.name)
    for name, kind in FAMILIES.items()
    if name != "categorical"
    for parameter in kind.further
    if parameter.links
] + [("categorical", "")]

WITHOUT = {("lognormal", "sigma"): "which is infinite", ("student", "nu"): "nu is at most 1"}
"""Parameters over whose random effects there is no mean."""


def test_every_family_is_tried():
    assert {name for name, _ in (*PREDICTED, *FORMULAS)} == set(FAMILIES)
    assert {name for name, _ in CASES} == set(FAMILIES)
    assert {p for name, p in FORMULAS if p} == {
        p.name for kind in FAMILIES.values() for p in kind.further if p.links
    } - {"mu1", "mu2"}


@pytest.fixture(params=FORMULAS, ids=["-".join(filter(None, case)) for case in FORMULAS])
def case(request, make_result):
    """Give a family, its parameter with a formula and a result with two stated draws."""
    name, parameter = request.param
    f, rng = family(name), np.random.default_rng(8)
    frame = pd.DataFrame({"g": np.repeat(np.arange(9), 4)})
    frame["x"], frame["n"] = rng.normal(size=36), rng.integers(4, 9, 36)
    rows = {"trials": frame["n"].to_numpy(dtype=float)} if f.needs else {}
    frame["y"] = f.simulate(rng.uniform(0.4, 1.4, 36), OTHERS[name], rows, rng)
    if name == "categorical":
        frame["y"] = np.tile([0, 1, 2], 12)
    left = "y | trials(n)" if f.needs else "y"
    formulas = [f"{left} ~ x + (1 | g)"]
    formulas += [f"{parameter} ~ x + (1 | g)"] if parameter else []
    model = mlm.Model("; ".join(formulas), frame, family=name)
    stated = {}
    for part in model.design.parts:
        beta, sd = OWN[part.target]
        if part.coef:
            stated["beta" if part.target == "mu" else f"beta_{part.target}"] = beta[None]
        for block in part.random:
            stated[f"sd_{block.name}"] = sd[None]
            stated[f"u_{block.name}"] = sd[None, :, None] * rng.normal(size=(1, DRAWS, 9, 1))
    others = {p.name: OTHERS[name][p.name] for p in model.design.parameters}
    stated |= {key: np.full((1, DRAWS), value) for key, value in others.items()}
    return f, parameter, make_result(model, **stated)


def natural(result, etas, s):
    """Return the location's linear predictor and the further parameters, by NumPy."""
    design = result.design
    links = {part.target: INVERSE[part.link.name] for part in design.further}
    others = {name: OTHERS[design.family.name][name] for name in OTHERS[design.family.name]}
    others |= {name: links[name](etas[name]) for name in links}
    return etas.get("mu", np.zeros(())), others


def brute_force(f, result, s):
    """Return means over drawn effects and their standard errors, shape (rows, …)."""
    rng, x = np.random.default_rng([3, s]), NEW["x"].to_numpy()
    etas = {}
    for part in result.design.parts:
        beta, sd = OWN[part.target]
        if part.random:
            fixed = beta[s, 0] + beta[s, 1] * x
            etas[part.target] = fixed[:, None] + rng.normal(0, sd[s, 0], (ROWS, SIZE))
    eta, others = natural(result, etas, s)
    means = expected(f, np.broadcast_to(eta, (ROWS, SIZE)), others)
    return means.mean(axis=1), means.std(axis=1) / np.sqrt(SIZE)


def test_marginal_means(case):
    f, parameter, result = case
    if (f.name, parameter) in WITHOUT:
        with pytest.raises(StatisticError, match=WITHOUT[f.name, parameter]):
            predict(result, NEW[["x"]], "marginal")
        return
    found = predict(result, NEW[["x"]], "marginal").array()
    for s in range(DRAWS):
        truth, error = brute_force(f, result, s)
        assert np.all(np.abs(found[..., s] - truth) <= FAR * error + 1e-12)


def test_means_and_responses_of_new_groups(case):
    """Their averages over many new groups are those of brute force."""
    f, parameter, result = case
    if (f.name, parameter) in WITHOUT:
        return
    size = 20_000
    for kind in ("mean", "response"):
        drawn = predict(result, NEW, "new", kind, seed=1, replicates=size).array()
        if kind == "response" and f.unordered:
            drawn = (drawn[:, None] == np.arange(3)[:, None]).astype(float)
        elif kind == "response" and f.needs:
            drawn = drawn / NEW["n"].to_numpy()[:, None]
        by_draw = drawn.reshape(*drawn.shape[:-1], DRAWS, size)
        error = by_draw.std(axis=-1) / np.sqrt(size)
        for s in range(DRAWS):
            truth, own = brute_force(f, result, s)
            far = np.abs(by_draw.mean(axis=-1)[..., s] - truth)
            assert np.all(far <= FAR * np.hypot(error[..., s], own) + 1e-12)


def etas_of(result, s):
    """Return the linear predictors of the fit's rows, by NumPy."""
    found = {}
    for part in result.design.parts:
        name = "beta" if part.target == "mu" else f"beta_{part.target}"
        eta = part.X @ result.posterior[name].to_numpy()[0, s] if part.coef else 0.0
        for block in part.random:
            u = result.posterior[f"u_{block.name}"].to_numpy()[0, s]
            eta = eta + (block.Z * u[block.grouping.codes]).sum(axis=1)
        found[part.target] = np.broadcast_to(eta, len(result.design.y))
    return found


def test_means_of_existing_groups_row_by_row(case):
    f, _, result = case
    found = predict(result).array()
    linear = predict(result, kind="linear").array()
    for s in range(DRAWS):
        etas = etas_of(result, s)
        eta, others = natural(result, etas, s)
        assert found[..., s] == pytest.approx(expected(f, eta, others), rel=1e-9, abs=1e-15)
        if f.unordered:
            for k, name in enumerate(("mu1", "mu2")):
                assert linear[:, k, s] == pytest.approx(etas[name], rel=1e-12)
        else:
            assert linear[:, s] == pytest.approx(etas["mu"], rel=1e-12)


def test_log_likelihood_of_rows(case):
    f, _, result = case
    found, y = np.empty((36, DRAWS)), result.design.y
    for rows, values in log_likelihood_blocks(result):
        found[rows] = values
    for s in range(DRAWS):
        eta, others = natural(result, etas_of(result, s), s)
        if f.unordered:
            truth = np.log(expected(f, eta, others)[np.arange(36), y.astype(int)])
        else:
            truth = log_density(f, y, eta, others, result.design.outcome.rows)
        assert found[:, s] == pytest.approx(truth, rel=1e-9)


def test_what_the_mean_depends_on(case):
    """A further parameter changes the mean where the table says so, and nowhere else."""
    f, parameter, _ = case
    if f.unordered:
        return
    eta, others = np.array([0.3]), OTHERS[f.name]
    changed = f.mean(eta, others | {parameter: 0.1 * others[parameter]}, {})
    differs = not np.allclose(changed, f.mean(eta, others, {}))
    assert differs == (parameter in MEAN_NEEDS.get(f.name, ()))


def test_categories_are_labelled(make_result):
    frame = pd.DataFrame({"y": list("abc") * 8, "x": np.arange(24.0)})
    model = mlm.Model("y ~ x", frame, family="categorical")
    beta = np.array([[[0.2, 0.1], [0.0, -0.1]]])
    result = make_result(model, beta_mub=beta, beta_muc=-beta)
    found = predict(result, frame.head(2))
    assert found.draws().dims == ("chain", "draw", "obs", "category")
    assert found.draws()["category"].to_numpy().tolist() == ["a", "b", "c"]
    assert found.frame().index.names == ["obs", "category"]
    odds = found.array()[:, 1] / found.array()[:, 0]
    linear = predict(result, frame.head(2), kind="linear")
    assert linear.draws()["category"].to_numpy().tolist() == ["b", "c"]
    assert linear.array()[:, 0] == pytest.approx(np.log(odds))
