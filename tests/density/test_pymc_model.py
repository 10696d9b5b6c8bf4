"""The integrated `pm.Model` against the density it stands for, and its samples against Laplace."""

import warnings

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors
from pytensor.tensor.type import TensorType

import bayesmlm as mlm
from bayesmlm.density.pymc_model import marginal_model
from bayesmlm.engines.quiet import quiet

CASES = {
    "no random effects": ("y ~ x", None),
    "one factor, gamma": ("y ~ x + (1 | a)", {"sd_a": mlm.Gamma(2, 1)}),
    "correlated": ("y ~ x + w + (x + w | a)", {"corr_a": mlm.LKJ(1.5)}),
    "independent, priors of two kinds": (
        "y ~ x + (x || a)",
        {"sd_a[x]": mlm.Exponential(2), "sigma": mlm.HalfNormal(2)},
    ),
    "two blocks": ("y ~ x + (x | a) + (0 + w + s | a)", None),
    "nested": ("y ~ x + (x | a) + (1 | b)", {"sd": mlm.HalfCauchy(2)}),
    "crossed": ("y ~ x + (x | a) + (w | c)", {"x": mlm.Normal(1, 2)}),
    "known sampling SDs": ("y | se(s) ~ x + (x | a)", None),
    "weights": ("y | weights(v) ~ x + (x | a) + (1 | c)", None),
    "precisions": ("y | precision(v) ~ x + (1 | a)", None),
}
MODES = {"numba": "NUMBA", "python": Mode(linker="py", optimizer="fast_compile")}


def model_of(formula, data, priors=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.BayesmlmWarning)
        return mlm.Model(formula, data, priors=priors)


def position(layout, psi):
    """Return the model's unconstrained values at psi, and by name and place psi's position."""
    point, at = {}, {}

    def put(name, positions, values, scalar=False):
        point[name] = values[0] if scalar else values
        at[name] = positions

    for slots in layout.groups:
        group, own = slots.block.name, psi[slots.sds]
        put(f"sd_{group}_log__", slots.sds, own)
        for k, effect in enumerate(slots.block.effects):  # where priors are of several kinds
            put(f"sd_{group}[{effect}]_log__", slots.sds[[k]], own[[k]], scalar=True)
        blocks = [partials for partials in slots.partials if len(partials)]
        for k, partials in enumerate(blocks):
            suffix = "" if len(blocks) == 1 else f"_{k}"
            name = f"half_partial_corr_{group}{suffix}_logodds__"
            put(name, partials, 2 * psi[partials])  # h = (1 + tanh psi) / 2
    if layout.sigma is not None:
        put("sigma_log__", np.array([layout.sigma]), psi[[layout.sigma]], scalar=True)
    return point, at


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_its_density_is_the_marginal_density(frame, marginal_of, psi_of, differences, name, mode):
    formula, priors = CASES[name]
    marginal = marginal_of(formula, frame(4), priors)
    graph = model_of(formula, frame(4), priors).to_pymc(random_effects="integrate")
    layout = marginal.layout
    values = [variable.name for variable in graph.value_vars]
    fn = graph.compile_fn([graph.logp(), graph.dlogp()], mode=MODES[mode])
    likelihood = graph.compile_logp(vars=graph.potentials, mode=MODES[mode])
    halves = np.concatenate([[], *(p for slots in layout.groups for p in slots.partials)])
    halves = halves.astype(int)
    constants = []
    for psi in psi_of(marginal, 5):
        point, at = position(layout, psi)
        assert set(values) <= set(point)
        own = {name: np.asarray(point[name]) for name in values}
        assert likelihood(own) == pytest.approx(marginal.log_likelihood(psi[None])[0], rel=1e-10)
        value, gradient = fn(own)
        # each partial's value is twice its entry of psi
        expected = marginal.log_density(psi)[0] - len(halves) * np.log(2)
        constants.append((float(value) - expected, abs(expected)))
        numeric = differences(marginal.log_density, psi)
        numeric[halves] /= 2
        order = np.concatenate([at[name] for name in values])
        assert sorted(order) == list(range(layout.size))
        assert gradient == pytest.approx(numeric[order], rel=1e-6, abs=1e-6)
    # PyMC takes logs of the whole numbers in its priors in single precision: a constant
    left, scales = np.array(constants).T
    assert np.abs(left).max() < 1e-6
    assert (np.abs(left - left[0]) < 1e-10 * scales).all()


@pytest.mark.parametrize("name", CASES)
def test_names_dimensions_and_priors_are_those_of_the_graph_with_all_effects(frame, name):
    model = model_of(CASES[name][0], frame(4), CASES[name][1])
    whole, part = model.to_pymc(), model.to_pymc(random_effects="integrate")
    assert part.coords.items() <= whole.coords.items()
    hyper = [variable.name for variable in part.free_RVs + part.deterministics]
    assert not {"beta", *(f"u_{block.name}" for block in model.design.random)} & set(hyper)
    for name in hyper:
        assert part.named_vars_to_dims.get(name) == whole.named_vars_to_dims.get(name)
    for variable in part.free_RVs:
        other = whole[variable.name]
        assert type(variable.owner.op) is type(other.owner.op)
        draws = [pm.draw(v, 3, random_seed=1, mode=MODES["python"]) for v in (variable, other)]
        assert np.array_equal(*draws)
    assert [potential.name for potential in part.potentials] == ["marginal_likelihood"]
    assert not part.observed_RVs


def test_the_response_is_constant_data_and_stays_so(frame, marginal_of):
    data = frame(4)
    graph = marginal_model(marginal_of("y ~ x + (1 | a)", data))
    assert [variable.name for variable in graph.data_vars] == ["y"]
    assert np.array_equal(graph["y"].data, data["y"])
    assert graph.named_vars_to_dims["y"] == ("obs",)
    with pytest.raises(TypeError, match="`y` must be a `SharedVariable`"):
        pm.set_data({"y": np.zeros(len(data))}, model=graph)


@pytest.mark.parametrize("name", ["marginal_likelihood", "sigma", "obs", "sd_a"])
def test_a_response_of_any_name(frame, name):
    data = frame(4).rename(columns={"y": name})
    graph = model_of(f"{name} ~ x + (1 | a)", data).to_pymc(random_effects="integrate")
    (response,) = graph.data_vars
    assert np.array_equal(response.data, data[name])
    assert len(graph.potentials) == 1


def test_large_arrays_are_no_constants_of_the_graph(frame):
    """A constant of more than a megabyte keeps PyTensor from caching what it compiles."""
    model = model_of("y ~ x + (x | a)", frame(4, rows=60_000, groups=30_000))
    graph = model.to_pymc(random_effects="integrate")
    inputs = [v for v in ancestors(graph.potentials) if isinstance(v.type, TensorType)]
    assert max(np.asarray(v.data).nbytes for v in inputs if isinstance(v, Constant)) < 1000
    (reals,) = (v for v in inputs if v.name == "cross_products_reals")
    assert reals.get_value(borrow=True).nbytes > 1_000_000


SLEEP = "Reaction ~ Days + (Days | Subject)"
BELIEF = mlm.HalfNormal(6)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["nutpie", "pymc"])
def test_an_extended_graph_samples_to_the_posterior_of_the_model_it_then_is(sampler):
    """A potential turns the default prior of sigma into another; the engine is told that prior."""
    sleepstudy = mlm.datasets.load("sleepstudy")
    model = mlm.Model(SLEEP, sleepstudy)
    with quiet(), model.to_pymc(random_effects="integrate") as graph:
        default = graph["sigma"].owner.op
        other = default.make_node(*graph["sigma"].owner.inputs).outputs[1]
        belief = pm.logp(pm.HalfNormal.dist(BELIEF.sigma), graph["sigma"])
        pm.Potential("belief", belief - pm.logp(other, graph["sigma"]))
        tree = pm.sample(
            draws=4000, tune=1000, chains=4, nuts_sampler=sampler, random_seed=3, progressbar=False
        )
    tree = model.recover(tree, seed=3)
    expected = mlm.Model(SLEEP, sleepstudy, priors={"sigma": BELIEF}).fit(
        mlm.Laplace(draws=20_000, evaluations=32_768), seed=3
    )
    unmoved = model.fit("laplace", seed=3).tree["posterior"]["sigma"].mean()
    theirs = expected.tree["posterior"].to_dataset()
    assert float(theirs["sigma"].mean()) < float(unmoved) - 1
    z = [z_scores(tree["posterior"][name], theirs[name]) for name in theirs.data_vars]
    found = np.concatenate(z)
    assert len(found) == 2 * (2 + 2 + 1 + 36 + 1)
    assert np.abs(found).max() < 4.4  # Bonferroni, one in a thousand of all


def z_scores(ours, theirs):
    """Return differences of means and SDs in Monte Carlo standard errors."""
    import arviz_stats

    dims = ("chain", "draw")
    scores = []
    for method in ("mean", "sd"):
        own = arviz_stats.mcse(ours, method=method)
        spread = theirs.std(dims)
        error = spread / np.sqrt(theirs.attrs["ess"])
        if method == "sd":
            kurtosis = ((theirs - theirs.mean(dims)) ** 4).mean(dims) / spread**4
            error = error * np.sqrt((kurtosis - 1) / 4)
        got = ours.mean(dims) if method == "mean" else ours.std(dims)
        want = theirs.mean(dims) if method == "mean" else spread
        scores.append(np.ravel(((got - want) / np.hypot(own, error)).to_numpy()))
    return np.concatenate(scores)
