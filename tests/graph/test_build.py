"""The graph against an independent joint density in NumPy, for every structure.

The graph's variables are not the model's: group effects are standardised or shifted, and
correlations are partial. At a random point of the graph the model's quantities are read off
its deterministics; their joint density, written here from the priors, the normal law of the
effects and the family, must be the graph's, the Jacobian of the change of variables allowed
for.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from scipy.stats import multivariate_normal

from bayesmlm.design import Design
from bayesmlm.engines.nuts import posterior_names
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.graph import EffectCoordinates, build_model, choose
from bayesmlm.model import Model
from bayesmlm.priors import (
    LKJ,
    Cauchy,
    Exponential,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Normal,
    Priors,
    StudentT,
    cholesky_factor,
)

MODE = Mode(linker="py", optimizer="fast_compile")
Point = dict[str, np.ndarray]


def make_data(n: int = 48, seed: int = 3) -> pd.DataFrame:
    """Return data with two crossed groupings, a nested pair, and group-level columns."""
    rng = np.random.default_rng(seed)
    g, k = np.arange(n) % 6, rng.integers(0, 4, n)
    return pd.DataFrame(
        {
            "y": rng.normal(50, 10, n),
            "x": rng.normal(3, 1, n),
            "z": rng.normal(-2, 4, n),
            "c": rng.choice(list("abc"), n),
            "g": g,
            "k": k,
            "top": g % 3,
            "w": rng.normal(2, 1, 6)[g],
            "v": rng.normal(1, 1, 4)[k],
            "n": rng.integers(3, 9, n),
            "s": rng.uniform(0.5, 2, n),
            "o": rng.normal(1, 1, n),
            "b": rng.integers(0, 2, n),
            "p": rng.poisson(3, n),
        }
    ).assign(t=lambda d: rng.binomial(d.n, 0.4))


DATA = make_data()

WIDE = {"Intercept": Normal(40, 20)}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "one way": ("y ~ 1 + (1 | g)", {}),
    "no groups": ("y ~ x + c", {}),
    "intercept only": ("y ~ 1", {}),
    "random intercept": ("y ~ x + w + (1 | g)", {}),
    "correlated slope": ("y ~ x * w + (1 + x | g)", {}),
    "three effects": ("y ~ x + z + (1 + x + z | g)", {}),
    "uncorrelated": ("y ~ x + (1 + x + z || g)", {}),
    "two blocks": ("y ~ x + (1 + x | g) + (0 + z + o | g)", {}),
    "categorical effects": ("y ~ c + (c | g)", {}),
    "categorical effects without an intercept": ("y ~ c + (0 + c | g)", {}),
    "crossed": ("y ~ x + w + v + (1 | g) + (1 | k)", {}),
    "crossed slopes": ("y ~ x * w + x * v + (x | g) + (x | k)", {}),
    "nested": ("y ~ x + (x | top/g)", {}),
    "no fixed intercept": ("y ~ 0 + x + w + (1 + x | g)", {}),
    "no fixed part": ("y ~ 0 + (1 | g)", {}),
    "slope alone": ("y ~ x + w + (0 + x | g)", {}),
    "intercept prior at zero": (
        "y ~ x * w + (x | g)",
        {"priors": WIDE | {"slopes": Normal(0, 9)}},
    ),
    "intercept prior at zero beside another kind": (
        "y ~ x * w + (x | g)",
        {"priors": WIDE | {"x": StudentT(4, 0, 9)}},
    ),
    "intercept alone at zero": ("y ~ 1 + (1 | g)", {"priors": {"Intercept": Cauchy(40, 9)}}),
    "positive slope": ("y ~ x + z + (x | g)", {"priors": {"x": HalfNormal(9)}}),
    "positive slopes": ("y ~ x + z + (1 | g)", {"priors": {"slopes": Gamma(2, 0.1)}}),
    "positive intercept": ("y ~ x + (1 | g)", {"priors": {"Intercept": HalfNormal(80)}}),
    "unlike sds": (
        "y ~ x + (x + z | g) + (1 | k)",
        {"priors": {"sd_g[x]": Exponential(2), "sd_k": Gamma(2, 1), "corr": LKJ(1)}},
    ),
    "sds of one kind": (
        "y ~ x + (x | g)",
        {"priors": {"sd_g[x]": HalfStudentT(5, 2), "sigma": Exponential(9), "corr": LKJ(4.5)}},
    ),
    "known se": ("y | se(s) ~ x + (1 | g)", {}),
    "precision": ("y | precision(n) ~ x + (x | g)", {}),
    "weights": ("y | weights(s) ~ x + (1 | g)", {}),
    "offset": ("y ~ x + offset(o) + (1 | g)", {}),
    "huge offset": ("y ~ x + offset(1e6 * o) + (1 | g)", {}),
    "bernoulli logit": ("b ~ x + w + (x | g)", {"family": "bernoulli"}),
    "bernoulli probit": ("b ~ x + (1 | g)", {"family": "bernoulli", "link": "probit"}),
    "bernoulli weights": ("b | weights(s) ~ x + (1 | g)", {"family": "bernoulli"}),
    "binomial": ("t | trials(n) ~ x + (1 | g) + (1 | k)", {"family": "binomial"}),
    "binomial probit": (
        "t | trials(n) + weights(s) ~ x + (1 | g)",
        {"family": "binomial", "link": "probit"},
    ),
    "poisson": ("p ~ x + w + offset(o) + (x | g)", {"family": "poisson"}),
    "poisson weights": ("p | weights(2) ~ x + (1 | g)", {"family": "poisson"}),
}


def build(formula: str, data: Any = DATA, **options: Any) -> Model:
    """Return a model; what it cautions about is no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmlmWarning)
        return Model(formula, data, **options)


def coordinates(design: Design, kind: str) -> tuple[EffectCoordinates, ...]:
    """Return all effects centred, all non-centred, or every other one."""
    if not kind.startswith("alternating"):
        return choose(design, kind)
    effects = [f"{block.name}[{effect}]" for block in design.random for effect in block.effects]
    start = int(kind[-1])
    choices = ("centred", "non-centred")
    return choose(design, {name: choices[(i + start) % 2] for i, name in enumerate(effects)})


class Graph:
    """A graph compiled once: both densities and every quantity, at a point or a random one."""

    def __init__(self, design: Design, priors: Priors, chosen: tuple[EffectCoordinates, ...]):
        self.design, self.priors, self.chosen = design, priors, chosen
        self.model = build_model(design, priors, chosen)
        outputs = [
            self.model.logp(jacobian=False),
            self.model.logp(jacobian=True),
            *self.model.unobserved_value_vars,
        ]
        self.names = [v.name for v in self.model.unobserved_value_vars]
        self.function = self.model.compile_fn(outputs, mode=MODE, on_unused_input="ignore")

    def random_point(self, rng: np.random.Generator) -> Point:
        # Nearer the start without a residual: this fast mode has no stable tails.
        step = 0.7 if self.design.family.has_scale else 0.15
        start = self.model.initial_point()
        return {name: value + rng.normal(0, step, value.shape) for name, value in start.items()}

    def at(self, point: Point) -> tuple[float, float, Point]:
        without, with_jacobian, *values = self.function(point)
        return float(without), float(with_jacobian), dict(zip(self.names, values, strict=True))


def correlation(block: Any, values: Point) -> np.ndarray:
    """Return the correlation matrix of a grouping's effects."""
    R = np.eye(len(block.effects))
    for (i, j), r in zip(block.pairs, values.get(f"corr_{block.name}", ()), strict=True):
        R[i, j] = R[j, i] = r
    return R


def linear_predictor(design: Design, values: Point) -> np.ndarray:
    eta = design.offset + (design.X @ values["beta"] if design.coef else 0.0)
    for block in design.random:
        eta = eta + (block.Z * values[f"u_{block.name}"][block.grouping.codes]).sum(axis=1)
    return eta


def log_joint(design: Design, priors: Priors, values: Point) -> float:
    """Return the model's log density, of coefficients, SDs, correlations, effects and y."""
    total = 0.0
    means = dict(zip(design.coef, design.X.mean(axis=0), strict=True))
    beta = dict(zip(design.coef, values.get("beta", ()), strict=True))
    for name, prior in priors.coefficients.items():
        x = beta[name]
        if name == "Intercept" and priors.intercept_at_means:
            x = sum(beta[other] * means[other] for other in beta)
        total += float(prior.log_density(x))
    for block in design.random:
        sds, R = values[f"sd_{block.name}"], correlation(block, values)
        for effect, sd in zip(block.effects, sds, strict=True):
            total += float(priors.sds[block.name][effect].log_density(sd))
        for members in block.blocks:
            if len(members) > 1:
                lkj = priors.correlations[block.name]
                total += lkj.log_density(R[np.ix_(members, members)])
        T = R * np.outer(sds, sds)
        law = multivariate_normal(np.zeros(len(sds)), T, allow_singular=False)
        total += float(np.sum(law.logpdf(values[f"u_{block.name}"])))
    others = {name: values[name] for name in priors.further}
    for name, prior in priors.further.items():
        total += float(prior.log_density(others[name]))
    rows = design.outcome.rows
    density = design.family.log_density(design.y, linear_predictor(design, values), others, rows)
    return total + float(np.sum(rows.get("weights", 1.0) * density))


def log_jacobian(graph: Graph, values: Point) -> float:
    """Return log |d (model's quantities) / d (graph's variables)|."""
    total = 0.0
    centred = {(c.group, c.effect) for c in graph.chosen if c.choice == "centred"}
    for block in graph.design.random:
        sds, R = values[f"sd_{block.name}"], correlation(block, values)
        factor = np.linalg.cholesky(R)
        for k, effect in enumerate(block.effects):
            if (block.name, effect) not in centred:
                total += block.grouping.size * np.log(sds[k] * factor[k, k])
        blocks = [members for members in block.blocks if len(members) > 1]
        for m, members in enumerate(blocks):
            suffix = f"_{m}" if len(blocks) > 1 else ""
            half = values[f"half_partial_corr_{block.name}{suffix}"]
            total += log_jacobian_of_halves(half, len(members))
    return total


def log_jacobian_of_halves(half: np.ndarray, q: int) -> float:
    """Return log |d correlations / d half partials|, by complex steps."""

    def correlations(p: np.ndarray) -> list[Any]:
        rows = cholesky_factor(2 * p - 1, q, np.sqrt)
        return [
            sum(rows[i][m] * rows[j][m] for m in range(i + 1)) for j in range(q) for i in range(j)
        ]

    columns = [np.imag(correlations(half + 1e-30j * e)) / 1e-30 for e in np.eye(len(half))]
    return float(np.linalg.slogdet(np.array(columns))[1])


def log_jacobian_of_transforms(graph: Graph, point: Point, values: Point) -> float:
    """Return log |d (graph's variables) / d (what a sampler moves)|."""
    total = 0.0
    for variable, transform in graph.model.rvs_to_transforms.items():
        x = values.get(variable.name)
        if transform is None or x is None:
            continue
        if transform.name == "log":
            total += float(np.sum(np.log(x)))
        elif transform.name == "logodds":
            total += float(np.sum(np.log(x) + np.log1p(-x)))
        else:
            key = graph.model.rvs_to_values[variable].name
            step = [
                graph.at(point | {key: point[key] + e})[2][variable.name] - x
                for e in np.eye(len(x))
            ]
            total += float(np.linalg.slogdet(np.array(step))[1])
    return total


def check(graph: Graph, seed: int) -> None:
    point = graph.random_point(np.random.default_rng(seed))
    without, with_jacobian, values = graph.at(point)
    assert np.isfinite(without)
    expected = log_joint(graph.design, graph.priors, values) + log_jacobian(graph, values)
    assert without == pytest.approx(expected, rel=1e-9, abs=1e-7)
    change = log_jacobian_of_transforms(graph, point, values)
    assert with_jacobian - without == pytest.approx(change, rel=1e-7, abs=1e-7)


MIXED = (
    "correlated slope",
    "three effects",
    "two blocks",
    "categorical effects",
    "crossed slopes",
    "nested",
    "no fixed intercept",
)
RUNS = [
    *((case, "centred") for case in CASES),
    *((case, "non-centred") for case, (formula, _) in CASES.items() if "|" in formula[8:]),
    *((case, f"alternating {start}") for case in MIXED for start in (0, 1)),
]


@pytest.mark.parametrize(("case", "kind"), RUNS, ids=["-".join(run) for run in RUNS])
def test_joint_density(case: str, kind: str) -> None:
    formula, options = CASES[case]
    model = build(formula, **options)
    graph = Graph(model.design, model.prior_values, coordinates(model.design, kind))
    check(graph, seed=len(case))


fixed_parts = st.lists(st.sampled_from(["x", "z", "w", "v", "x:w", "c"]), unique=True, max_size=4)
bars = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(st.sampled_from(["x", "z", "c"]), unique=True, max_size=2),
        st.sampled_from(["|", "||"]),
    ),
    min_size=1,
    max_size=2,
)


@settings(max_examples=12)
@given(st.booleans(), fixed_parts, bars, st.integers(0, 2**20))
def test_joint_density_of_random_models(
    intercept: bool, fixed: list[str], random: list[Any], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    parts = [" + ".join([str(int(intercept)), *fixed])]
    for group, (own, effects, bar) in zip(("g", "k"), random, strict=False):
        inside = " + ".join([str(int(own or not effects)), *effects])
        parts.append(f"({inside} {bar} {group})")
    design_of = build(f"y ~ {' + '.join(parts)}")
    design = design_of.design
    asked = {
        f"{block.name}[{effect}]": str(rng.choice(["centred", "non-centred"]))
        for block in design.random
        for effect in block.effects
    }
    check(Graph(design, design_of.prior_values, choose(design, asked)), seed)


def test_weights_of_one_are_no_weights() -> None:
    plain = build("y ~ x + (x | g)")
    weighted = build("y | weights(1) ~ x + (x | g)")
    graphs = [
        Graph(m.design, m.prior_values, choose(m.design, "centred")) for m in (plain, weighted)
    ]
    point = graphs[0].random_point(np.random.default_rng(1))
    assert graphs[0].at(point)[0] == pytest.approx(graphs[1].at(point)[0], rel=1e-12)


def test_posterior_variables_have_the_designs_names_and_dims() -> None:
    model = build("y ~ x + w + (x + z || g) + (1 + x | top:k)")
    for kind in ("centred", "non-centred"):
        graph = model.to_pymc(kind)
        dims = {name: graph.named_vars_to_dims.get(name) for name in posterior_names(model.design)}
        assert dims == {
            "beta": ("coef",),
            "sd_g": ("g_effect",),
            "u_g": ("g", "g_effect"),
            "sd_top:k": ("top:k_effect",),
            "corr_top:k": ("top:k_pair",),
            "u_top:k": ("top:k", "top:k_effect"),
            "sigma": None,
        }
        coords = graph.coords
        assert coords["coef"] == ("Intercept", "x", "w")
        assert coords["g"] == tuple(range(6))
        assert coords["g_effect"] == ("Intercept", "x", "z")
        assert coords["top:k_effect"] == ("Intercept", "x")
        assert coords["top:k_pair"] == ("Intercept~x",)
        assert "g_pair" not in coords
        assert coords["obs"] == tuple(range(len(DATA)))


@pytest.mark.parametrize("kind", ["centred", "non-centred"])
def test_no_element_of_the_posterior_is_constant(kind: str) -> None:
    model = build("y ~ x + z + (1 + x + z | g) + (x || k)")
    graph = Graph(model.design, model.prior_values, choose(model.design, kind))
    rng = np.random.default_rng(2)
    first, second = (graph.at(graph.random_point(rng))[2] for _ in range(2))
    for name in posterior_names(model.design):
        assert (first[name] != second[name]).all(), name


def test_absent_parts_leave_no_variable() -> None:
    assert "beta" not in build("y ~ 0 + (1 | g)").to_pymc().named_vars
    assert "sigma" not in build("y | se(s) ~ x + (1 | g)").to_pymc().named_vars
    assert "sigma" not in build("b ~ x", family="bernoulli").to_pymc().named_vars
    assert "corr_g" not in build("y ~ x + (x || g)").to_pymc().named_vars


def test_every_group_index_is_in_range() -> None:
    model = build("y ~ x + (x | top/g) + (1 | k)")
    graph = model.to_pymc()
    for block in model.design.random:
        index = graph[f"{block.name}_index"].get_value()
        assert index.dtype.kind == "i"
        assert (index.min(), index.max()) == (0, len(graph.coords[block.name]) - 1)
        assert len(index) == len(DATA)


def quantities(graph: Graph, point: Point) -> np.ndarray:
    """Return the expected response of the rows, as the graph computes it."""
    response = graph.model.observed_RVs[0]
    mean = response.owner.op.dist_params(response.owner)[0]
    (mean,) = graph.model.replace_rvs_by_values([mean])
    function = graph.model.compile_fn(
        mean, inputs=graph.model.value_vars, mode=MODE, on_unused_input="ignore"
    )
    return function(point)


@pytest.mark.parametrize(
    "case", ["correlated slope", "crossed slopes", "nested", "no fixed intercept", "huge offset"]
)
def test_the_linear_predictor_is_the_same_function(case: str) -> None:
    formula, options = CASES[case]
    model = build(formula, **options)
    for kind in ("centred", "non-centred", "alternating 0"):
        graph = Graph(model.design, model.prior_values, coordinates(model.design, kind))
        point = graph.random_point(np.random.default_rng(7))
        expected = linear_predictor(model.design, graph.at(point)[2])
        np.testing.assert_allclose(quantities(graph, point), expected, rtol=1e-9, atol=1e-9)


def test_group_level_columns_move_to_centred_coefficients() -> None:
    model = build("y ~ x * w + z + (x | g)")
    rows = model.to_pymc("non-centred")
    assert rows["X"].get_value().shape == (len(DATA), 4)
    assert not [name for name in rows.named_vars if name.startswith("W_")]
    moved = model.to_pymc("centred")
    assert moved["X"].get_value().shape == (len(DATA), 1)
    assert moved["W_g[Intercept]"].get_value().shape == (6, 1)
    assert moved["W_g[x]"].get_value().shape == (6, 2)
    assert {"coef_g[Intercept]", "coef_g[x]"} <= set(moved.named_vars)
    assert {"z_g[Intercept]", "z_g[x]"} <= set(rows.named_vars)


def test_the_graph_reads_as_text() -> None:
    text = build("y ~ x + (x | g)").to_pymc("non-centred").str_repr()
    for line in ("intercept_at_means ~ Normal(", "sd_g ~ HalfStudentT(3, ", "y ~ Normal("):
        assert line in text
    assert "beta = Deterministic(" in text


def test_polars_gives_the_same_graph() -> None:
    import polars as pl

    a = build("y ~ x + c + (x | g)")
    b = build("y ~ x + c + (x | g)", pl.DataFrame({name: DATA[name].to_list() for name in DATA}))
    graphs = [Graph(m.design, m.prior_values, choose(m.design, "centred")) for m in (a, b)]
    point = graphs[0].random_point(np.random.default_rng(1))
    assert graphs[0].at(point)[0] == pytest.approx(graphs[1].at(point)[0], rel=1e-12)


def test_an_integer_response_is_a_response() -> None:
    whole = DATA.assign(y=DATA.y.round().astype(int))
    a, b = build("y ~ x + (1 | g)", whole), build("y ~ x + (1 | g)", whole.astype({"y": float}))
    graphs = [Graph(m.design, m.prior_values, choose(m.design, "centred")) for m in (a, b)]
    point = graphs[0].random_point(np.random.default_rng(1))
    assert graphs[0].at(point)[0] == graphs[1].at(point)[0]


def test_many_groups_build_quickly() -> None:
    n, size = 20_000, 5_000
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"y": rng.normal(size=n), "x": rng.normal(size=n), "g": np.arange(n) % size}
    )
    graph = build("y ~ x + (x | g)", data).to_pymc()
    assert graph["g_index"].get_value().max() == size - 1


ODD = ("X", "offset", "slopes", "weights", "sd", "intercept_at_means", "g index", "a/b", "a[b]")


def quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def renamed(formula: str, names: Mapping[str, str], kind: str) -> pm.Model:
    model = build(formula, DATA.rename(columns=names))
    graph = model.to_pymc(kind)
    assert set(posterior_names(model.design)) <= set(graph.named_vars)
    return graph


@pytest.mark.parametrize("name", [*ODD, "sigma", "beta", "obs", "coef", "slope", "chain"])
def test_columns_of_any_name_are_predictors_and_responses(name: str) -> None:
    q = quoted(name)
    for kind in ("centred", "non-centred"):
        renamed(f"y ~ x + {q} + offset(o) + (x + {q} | g)", {"z": name}, kind)
    assert len(renamed(f"{q} ~ x + offset(o) + (1 | g)", {"y": name}, "centred").observed_RVs) == 1


@pytest.mark.parametrize("name", [name for name in ODD if name != "sd"])
def test_groupings_of_almost_any_name(name: str) -> None:
    for kind in ("centred", "non-centred"):
        graph = renamed(f"y ~ x + offset(o) + (x | {quoted(name)})", {"g": name}, kind)
        assert name.replace("/", "_") in graph.coords
    assert np.isfinite(graph.compile_logp(mode=MODE)(graph.initial_point()))


def test_names_that_run_together_stay_apart() -> None:
    data = DATA.assign(g_x=DATA.k, x_z=DATA.z)
    priors = {"sd_g[x_z]": HalfNormal(1)}
    for kind in ("centred", "non-centred"):
        model = build("y ~ x_z + (x_z | g) + (z | g_x)", data, priors=priors)
        assert {"sd_g", "sd_g_x"} <= set(model.to_pymc(kind).named_vars)


def test_a_factor_can_be_fixed_and_grouping() -> None:
    data = DATA.assign(g=[f"s{i}" for i in DATA.g], k=[f"t{i}" for i in DATA.k])
    for kind in ("centred", "non-centred"):
        model = build("y ~ g + (g | k) + (0 + x | g)", data)
        check(Graph(model.design, model.prior_values, choose(model.design, kind)), seed=1)
