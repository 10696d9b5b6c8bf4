"""Effects for a user's own draws are those of the density, in the posterior's layout."""

import numpy as np
import pytest
import xarray as xr

from bayesmlm.density.noise import Noise
from bayesmlm.density.recover import cholesky, recover
from bayesmlm.engines.layout import posterior_dataset
from bayesmlm.errors import EngineError

CASES = {
    "no random effects": "y ~ x",
    "no fixed effects": "y ~ 0 + (1 | a)",
    "correlated": "y ~ x + w + (x + w | a)",
    "two blocks": "y ~ x + (x | a) + (0 + w + s | a)",
    "nested": "y ~ x + (x | a) + (1 | b)",
    "crossed": "y ~ x + (x | a) + (w | c)",
    "known sampling SDs": "y | se(s) ~ x + (x | a)",
}
CHAINS, DRAWS = 2, 3


def drawn(marginal, psi):
    """Return what a sampler gives for hyperparameters, and the effects that belong to them."""
    beta, effects = marginal.recover(psi, Noise(8))
    flat = posterior_dataset(marginal, psi, beta, effects)
    split = {
        name: (
            ("chain", "draw", *array.dims[2:]),
            array.to_numpy().reshape(CHAINS, DRAWS, *array.shape[2:]),
        )
        for name, array in flat.items()
    }
    coords = flat.coords.to_dataset().assign_coords(chain=[0, 1], draw=[10, 11, 12]).coords
    expected = xr.Dataset(split, coords)
    own = [name for name in expected if name == "beta" or str(name).startswith("u_")]
    hyper = expected.drop_vars(own)
    used = {dim for array in hyper.values() for dim in array.dims}
    hyper = hyper.drop_dims([dim for dim in hyper.dims if dim not in used])
    extra = hyper.assign(mine=(("chain", "draw"), np.arange(6.0).reshape(CHAINS, DRAWS)))
    groups = {"posterior": extra, "sample_stats": xr.Dataset({"lp": ((), 1.0)})}
    return xr.DataTree.from_dict(groups), expected


@pytest.fixture
def sample(frame, marginal_of, psi_of):
    """Return a function of a case that gives its density, a sampler's tree, and all draws."""

    def make(name="correlated"):
        marginal = marginal_of(CASES[name], frame(6))
        return marginal, *drawn(marginal, psi_of(marginal, 2, size=CHAINS * DRAWS))

    return make


@pytest.mark.parametrize("name", CASES)
def test_effects_are_those_of_the_density_at_the_same_hyperparameters(sample, name):
    marginal, tree, expected = sample(name)
    found = recover(marginal, tree, Noise(8))
    posterior = found["posterior"].to_dataset()
    assert set(posterior) == {*expected, "mine"}
    for variable, array in expected.items():
        xr.testing.assert_allclose(posterior[variable], array, rtol=1e-7, atol=1e-7)
        assert posterior[variable].dims == array.dims
    assert posterior["mine"].identical(tree["posterior"]["mine"])
    assert found["sample_stats"].identical(tree["sample_stats"])
    assert "beta" not in tree["posterior"]


def test_dimensions_in_another_order_are_the_same_draws(sample):
    marginal, tree, _ = sample()
    turned = tree["posterior"].to_dataset().transpose("a_effect", "a_pair", "draw", "chain")
    ours, theirs = (
        recover(marginal, t, Noise(1))["posterior"]["u_a"]
        for t in (tree, xr.DataTree.from_dict({"posterior": turned}))
    )
    assert np.array_equal(ours, theirs.transpose(*ours.dims))


def test_draws_without_numbers_and_labels_of_another_type_are_the_same_draws(sample):
    marginal, tree, expected = sample()
    posterior = tree["posterior"].to_dataset().drop_vars(["chain", "draw"])
    posterior = posterior.assign(mine=(("a",), np.ones(9))).assign_coords(a=list("012345678"))
    bare = xr.DataTree.from_dict({"posterior": posterior})
    found = recover(marginal, bare, Noise(8))["posterior"]
    assert np.allclose(found["u_a"], expected["u_a"], rtol=1e-7, atol=1e-7)
    assert not {"chain", "draw"} & set(found.coords)


def test_a_correlation_of_one_has_a_factor():
    R = np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]])
    L = cholesky(R[None])[0]
    assert np.allclose(L @ L.T, R, atol=1e-15)
    assert np.array_equal(L, np.tril(L))


def test_factors_of_random_correlations_are_numpys():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(20, 4, 6))
    T = A @ A.transpose(0, 2, 1)
    sd = np.sqrt(np.einsum("saa->sa", T))
    R = T / (sd[:, :, None] * sd[:, None, :])
    assert np.allclose(cholesky(R), np.linalg.cholesky(R), atol=1e-12)


def change(**variables):
    """Return a function of a posterior that replaces variables by functions of them."""
    return lambda p: p.assign({name: f(p[name]) for name, f in variables.items()})


BAD = {
    "no SDs": (lambda p: p.drop_vars("sd_a"), "a posterior without sd_a", "draws of sd_a"),
    "no correlations": (lambda p: p.drop_vars("corr_a"), "without corr_a", "draws of corr_a"),
    "no sigma": (lambda p: p.drop_vars("sigma"), "without sigma", "draws of sigma"),
    "an SD of zero": (change(sd_a=lambda v: 0 * v), "sd_a that are not positive", "positive"),
    "a negative sigma": (change(sigma=lambda v: -v), "sigma that are not positive", "positive"),
    "missing draws": (change(sigma=lambda v: v * np.nan), "sigma that are not finite", "finite"),
    "no correlation": (change(corr_a=lambda v: v * 0 + 1.5), "corr_a that are no correlations", ""),
    "no correlation matrix": (
        change(corr_a=lambda v: v * 0 + np.array([0.9, 0.9, -0.9])),
        "corr_a that are no correlations",
        "correlation matrices",
    ),
    "effects in another order": (
        lambda p: p.isel(a_effect=[1, 0, 2]),
        "a_effect of x, Intercept, w",
        "Intercept, x, w",
    ),
    "a dimension more": (
        change(sigma=lambda v: v.expand_dims(more=2)),
        "sigma of the dimensions more, chain, draw",
        "chain, draw",
    ),
    "other groups": (
        lambda p: p.assign(v=(("a",), np.ones(2))).assign_coords(a=["i", "j"]),
        "a of i, j",
        "0, 1, 2",
    ),
    "effects already": (
        lambda p: p.assign(beta=0.0, u_a=0.0),
        "a posterior that has beta, u_a already",
        "variables of other names",
    ),
    "draws stacked": (
        lambda p: p.stack(sample=("chain", "draw")).drop_vars(["sample", "chain", "draw"]),
        "a posterior of the dimensions ",
        "chain and draw",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_draws_of_another_model_are_refused(sample, name):
    spoil, got, allowed = BAD[name]
    marginal, tree, _ = sample()
    bad = xr.DataTree.from_dict({"posterior": spoil(tree["posterior"].to_dataset())})
    with pytest.raises(EngineError) as error:
        recover(marginal, bad, Noise(1))
    first, second = str(error.value).split("\n  allowed: ")
    assert got in first
    assert allowed in second


@pytest.mark.parametrize(
    ("tree", "got"),
    [
        ({"sigma": 1.0}, "draws of type dict"),
        (xr.Dataset(), "draws of type Dataset"),
        (xr.DataTree.from_dict({"prior": xr.Dataset()}), "a tree of the groups prior"),
        (xr.DataTree(), "a tree of the groups none"),
    ],
)
def test_what_is_no_tree_with_a_posterior_is_refused(sample, tree, got):
    with pytest.raises(EngineError, match=f"{got}\n  allowed: a DataTree with the group posterior"):
        recover(sample()[0], tree, Noise(1))
