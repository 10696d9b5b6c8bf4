"""Random effects kept or drawn again: summaries, files, refusals, memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm import effects
from bayesmlm.density import recovery
from bayesmlm.effects import effect_blocks
from bayesmlm.errors import StatisticError


@pytest.fixture(scope="module")
def fits():
    """A crossed model with the effects kept and not."""
    rng = np.random.default_rng(3)
    g = rng.permutation(np.repeat(np.arange(20), 5))
    frame = pd.DataFrame({"g": [f"s{k:02d}" for k in g], "c": np.tile([10, 20, 30, 40], 25)})
    frame["x"] = rng.normal(size=100)
    frame["y"] = 5 + frame["x"] + rng.normal(size=20)[g] + rng.normal(size=100)
    model = mlm.Model("y ~ x + (x | g) + (1 | c)", frame)
    options = {"seed": 1, "draws": 400, "evaluations": 2048}
    return [model.fit("laplace", **options, keep_random_effects=keep) for keep in (True, False)]


@pytest.fixture
def small_blocks(monkeypatch):
    for module in (effects, recovery):
        monkeypatch.setattr(module, "BLOCK", 3 * 2 * 400)


@pytest.mark.parametrize("group", ["g", "c"])
def test_summaries_are_the_same(fits, group, small_blocks):
    kept, recomputed = fits
    for name in ("ranef", "coef"):
        one, two = (getattr(fit, name)(group).frame for fit in fits)
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    draws = kept.tree["posterior"][f"u_{group}"].to_numpy()[0]
    np.testing.assert_allclose(
        recomputed.ranef(group).frame["lower"], np.quantile(draws, 0.025, axis=0).ravel()
    )


def test_blocks_come_in_order_and_are_the_callers_to_change(fits, small_blocks):
    for fit in fits:
        before = fit.random_effects("g").to_numpy()
        at = []
        for groups, draws in effect_blocks(fit.result, "g"):
            at += groups.tolist()
            assert np.array_equal(draws.transpose(2, 0, 1), before[0][:, groups])
            draws += 1
        assert at == list(range(20))
        assert np.array_equal(fit.random_effects("g"), before)


def test_a_block_of_one_number_does_not_touch_the_posterior(make_result):
    frame = pd.DataFrame({"g": [1, 1, 2, 2], "y": [1.0, 2, 3, 5]})
    model = mlm.Model("y ~ 1 + (1 | g)", frame)
    u = np.zeros((1, 1, 2, 1))
    result = make_result(model, beta=np.ones((1, 1, 1)), sd_g=np.ones((1, 1, 1)), u_g=u)
    assert mlm.Fit(result).coef().frame["estimate"].tolist() == [1, 1]
    assert not result.posterior["u_g"].any()


def test_groups_by_label(fits):
    for fit in fits:
        whole = fit.random_effects("g")
        some = fit.random_effects("g", ["s11", "s02"])
        assert some.identical(whole.sel(g=["s11", "s02"]))
        assert some.dims == ("chain", "draw", "g", "g_effect")
        assert some.attrs["ess"] == fit.tree["posterior"]["beta"].attrs["ess"]
    with pytest.raises(StatisticError, match=r"(?s)no group 's20' of 'g'.*the 20 groups.*'s00'"):
        fits[1].random_effects("g", ["s20"])
    with pytest.raises(StatisticError, match=r"(?s)labels='s11'.*write labels=\['s11'\]"):
        fits[1].random_effects("g", "s11")


def test_effects_belong_to_the_other_draws(fits):
    """Given the draws, the residual of the rows has the drawn residual SD, by draw."""
    design, posterior = fits[1].result.design, fits[1].tree["posterior"]
    u, v = (fits[1].random_effects(group)[0].to_numpy() for group in ("g", "c"))
    g, c = design.block("g"), design.block("c")
    fitted = posterior["beta"][0].to_numpy() @ design.X.T
    fitted += np.einsum("snq,nq->sn", u[:, g.grouping.codes], g.Z) + v[:, c.grouping.codes, 0]
    scaled = ((design.y - fitted) / posterior["sigma"][0].to_numpy()[:, None]) ** 2
    assert scaled.sum(axis=1).mean() == pytest.approx(100, rel=0.1)


def test_a_saved_fit_draws_them_again(fits, tmp_path):
    kept, recomputed = fits
    recomputed.save(tmp_path / "fit.zip")
    loaded = mlm.load(tmp_path / "fit.zip")
    assert "u_g" not in loaded.tree["posterior"]
    assert loaded.random_effects("g").identical(kept.random_effects("g"))
    assert loaded.result.engine.keep_random_effects is False
    loaded.save(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "fit.zip").read_bytes()


def test_pictures_draw_them(fits):
    one, two = (fit.plot.caterpillar("g", "x").axes[0] for fit in fits)
    assert one.get_title() == two.get_title()
    assert np.array_equal(one.lines[0].get_xydata(), two.lines[0].get_xydata())


def test_refused_where_nothing_is_left_to_draw_from(make_result):
    frame = pd.DataFrame({"g": [1, 1, 2, 2, 3, 3], "y": [1.0, 2, 3, 4, 5, 7]})
    bare = make_result(mlm.Model("y ~ 1 + (1 | g)", frame), sd_g=np.ones((1, 3, 1)))
    with pytest.raises(StatisticError, match=r"(?s)without 'u_g'.*hyperparameters"):
        mlm.Fit(bare).ranef()


MANY = """
import resource, sys
import numpy as np, pandas as pd
import bayesmlm as mlm

def fit(J):
    rng = np.random.default_rng(0)
    g, x = np.repeat(np.arange(J), 4), rng.normal(size=4 * J)
    u = rng.normal(size=(J, 2))
    y = 2 + x + u[g, 0] + u[g, 1] * x + rng.normal(size=4 * J)
    frame = pd.DataFrame({"g": g, "x": x, "y": y})
    return mlm.Model("y ~ x + (x | g)", frame).fit("laplace", seed=1, draws=4000, evaluations=512)

def peak():
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

small = fit(30)
small.ranef(), small.coef(), small.summary()
before = peak()
large = fit(16_000)
fitted = peak()
large.ranef()
assert "u_g" not in large.tree["posterior"]
print(before, fitted, peak())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no module resource")
def test_memory_does_not_grow_with_the_effects():
    """16,000 groups with a slope: 1,024 MB of effects, of which a block is held."""
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", MANY], env=environment, capture_output=True, text=True, check=True
    )
    before, fitted, peak = map(float, done.stdout.split())
    assert fitted - before < 100
    assert peak - before < 300
