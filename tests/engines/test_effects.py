"""The option keep_random_effects: what is kept, what is told, what is refused."""

import re

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engines import Progress, effects, engine, laplace, nuts
from bayesmlm.engines.effects import is_kept
from bayesmlm.errors import EngineError


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(12), 6)
    frame = pd.DataFrame({"g": g, "h": g // 3, "c": np.tile([1, 2, 3], 24)})
    frame["x"] = rng.normal(size=72)
    frame["y"] = 5 + frame["x"] + rng.normal(size=12)[g] + rng.normal(size=72)
    return mlm.Model("y ~ x + (x | g) + (1 | h)", frame)


OPTIONS = {
    "laplace": {"draws": 300, "evaluations": 2048},
    "nuts": {"draws": 150, "tune": 300, "chains": 2, "random_effects": "integrate"},
}


@pytest.fixture(scope="module", params=OPTIONS)
def pair(request, model):
    """The same fit with the effects kept and not."""
    return [
        mlm.Fit(
            engine(request.param, **OPTIONS[request.param], keep_random_effects=keep)
            .fit(model.design, model.prior_values, 1, Progress())
        )
        for keep in (True, False)
    ]  # fmt: skip


def test_what_is_not_kept_is_drawn_again_the_same(pair):
    kept, recomputed = pair
    assert "u_g" in kept.tree["posterior"] and "u_g" not in recomputed.tree["posterior"]
    for name, array in recomputed.tree["posterior"].to_dataset().items():
        assert np.array_equal(array, kept.tree["posterior"][name]), name  # u_h among them
    assert "u_h" in recomputed.tree["posterior"]
    for group in ("g", "h"):
        again = recomputed.random_effects(group)
        assert again.identical(kept.random_effects(group))
        stored = kept.tree["posterior"][f"u_{group}"]
        assert again.dims == stored.dims and np.array_equal(again, stored)


def test_only_what_was_not_kept_is_told(pair):
    kept, recomputed = pair
    assert len(kept.result.notes) == 1
    assert recomputed.result.notes[0] == kept.result.notes[0]
    assert re.search(r"effects of g \(24 effects × 300 draws, 0 MB\) are not kept: ranef\(\)",
                     recomputed.result.notes[1])  # fmt: skip
    assert "are not kept" in str(recomputed.summary())
    assert "unconstrained_posterior" not in kept.tree.children
    given = recomputed.tree["unconstrained_posterior"]
    assert given["psi"].shape[2] == 5
    np.testing.assert_allclose(
        np.exp(given["psi"][:, :, :2]), recomputed.tree["posterior"]["sd_g"], rtol=1e-12
    )


def test_the_automatic_choice_is_by_size(model, monkeypatch):
    assert is_kept("auto", 15_625, 4000) and not is_kept("auto", 15_626, 4000)
    assert is_kept(True, 10**9, 4000) and not is_kept(False, 1, 1)
    size = (12 * 2 + 4) * 300 * 8
    for limit, kept in ((size, True), (size - 1, False)):
        monkeypatch.setattr(effects, "LARGEST", limit)
        fit = model.fit("laplace", seed=1, **OPTIONS["laplace"])
        assert ("u_g" in fit.tree["posterior"]) is kept


def test_a_model_without_groups_keeps_what_it_has(model):
    fit = mlm.Model("y ~ x", pd.DataFrame({"x": model.design.X[:, 1], "y": model.design.y})).fit(
        "laplace", seed=1, draws=200, evaluations=1024, keep_random_effects=False
    )
    assert len(fit.result.notes) == 1
    assert set(fit.tree["posterior"].to_dataset()) == {"beta", "sigma"}


@pytest.mark.parametrize("kind", [mlm.Laplace, mlm.NUTS])
@pytest.mark.parametrize("value", ["yes", None, 1, 0, 500, "AUTO"])
def test_other_values_are_refused(kind, value):
    text = f"(?s){kind.__name__}.keep_random_effects={value!r}.*True, False, or 'auto'.*500 MB"
    with pytest.raises(EngineError, match=text):
        kind(keep_random_effects=value)


def test_sampled_effects_are_kept(model, monkeypatch):
    with pytest.raises(EngineError, match="random effects kept where they are sampled"):
        mlm.NUTS(random_effects="sample", keep_random_effects=False)
    monkeypatch.setattr(nuts, "COSTLY", 0.0)
    monkeypatch.setattr(nuts, "sample_by_nutpie", lambda *_: None)
    for keep, told in ((False, True), ("auto", False), (True, False)):
        found = mlm.NUTS(keep_random_effects=keep)
        notes = found.fit(model.design, model.prior_values, 1, Progress()).notes
        assert ("Random effects were sampled, and are therefore kept." in notes) is told


def test_what_samples_instead_keeps_as_asked(model, monkeypatch):
    asked = []

    def instead(self, *_):
        asked.append(self.keep_random_effects)
        return laplace.FitResult(None, None, None, None, self, 1, {})

    monkeypatch.setattr(nuts.NUTS, "fit", instead)
    for keep in (True, False, "auto"):
        laplace.Laplace(keep_random_effects=keep).fall_back(
            model.design, model.prior_values, 1, Progress(), 0.9
        )
    assert asked == [True, False, "auto"]
