"""Engines side by side: the table, the reference, failures, and processes."""

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.engine_comparison.comparison import choose_reference
from bayesmlm.engine_comparison.labels import labelled
from bayesmlm.engines import ENGINES, Engine
from bayesmlm.errors import EngineError, StatisticError


@dataclass(frozen=True)
class Broken(Engine):
    """An engine that fails."""

    error: type = EngineError
    name: ClassVar[str] = "broken"

    def fit(self, design, priors, seed, progress):
        raise self.error("it broke\n  allowed: nothing")


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(15), 6)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=90)})
    frame["y"] = frame["x"] + rng.normal(size=15)[g] + rng.normal(size=90)
    return mlm.Model("y ~ x + (1 | g)", frame)


def compare(model, engines, **options):
    with ThreadPoolExecutor(1) as pool:
        return mlm.compare_engines(model, engines, seed=1, executor=pool, **options)


@pytest.fixture(scope="module")
def compared(model):
    return compare(model, ["laplace", "reml", "ml", Broken()], reference="laplace")


def test_every_parameter_by_every_engine(compared):
    frame = compared.frame
    assert list(frame.columns) == ["estimate", "sd", "lower", "upper", "distance"]
    parameters = ["Intercept", "x", "sd_g[Intercept]", "sigma"]
    assert list(dict.fromkeys(frame.index.get_level_values("parameter"))) == parameters
    engines = frame.index.get_level_values("engine")
    assert list(engines[:3]) == ["laplace", "reml", "ml"] and len(frame) == 12


def test_the_figures_are_those_of_the_fits(compared):
    laplace = compared.fits["laplace"].fixef().frame
    own = compared.frame.loc["fixed effects"].xs("laplace", level="engine")
    assert own["estimate"].to_numpy() == pytest.approx(laplace["mean"].to_numpy())
    assert own["upper"].to_numpy() == pytest.approx(laplace["upper"].to_numpy())
    ml = compared.frame.loc["fixed effects"].xs("ml", level="engine")
    assert ml["sd"].to_numpy() == pytest.approx(compared.fits["ml"].fixef().frame["se"].to_numpy())


def test_distances_are_in_posterior_sds_of_the_reference(compared):
    sigma = compared.frame.loc[("variance components", "sigma")]
    expected = (sigma["estimate"] - sigma.loc["laplace", "estimate"]) / sigma.loc["laplace", "sd"]
    assert sigma["distance"].to_list() == pytest.approx(expected.to_list())
    row = compared.engines.loc["ml"]
    assert row["largest distance"] < -0.3 and row["of"] == "sd_g[Intercept]"


def test_a_failure_is_a_row_with_its_reason(compared):
    assert compared.failures == {"broken": "it broke"}
    assert compared.engines.loc["broken", "state"] == "failed"
    assert list(compared.engines["state"][:3]) == ["Converged", "Maximum found", "Maximum found"]
    assert "broken failed: it broke" in str(compared)


def test_a_defect_says_what_kind_of_error_it_was(model):
    found = compare(model, [Broken(ValueError)])
    assert found.failures == {"broken": "ValueError: it broke"}
    assert found.frame.empty and "no distances" in str(found)
    with pytest.raises(EngineError, match="all failed"):
        found.plot()


def test_it_prints_in_a_hundred_columns(compared):
    text = str(compared)
    assert max(map(len, text.splitlines())) <= 100
    assert "reml, ml: priors ignored" in text
    assert "distance: from laplace, in its posterior SDs" in text
    assert "Variance components (95 % intervals)" in text


def test_html(compared):
    html = compared._repr_html_()
    assert html.count("<table>") == 3 and "sd_g[Intercept]" in html


def test_the_picture(compared, tmp_path):
    picture = compared.plot()
    shown = [axis.get_title() for axis in picture.axes]
    assert shown == ["Intercept", "x", "sd_g[Intercept]", "sigma"]
    picture.savefig(tmp_path / "engines.png")
    assert (tmp_path / "engines.png").stat().st_size > 5000


def test_nuts_is_the_reference_only_where_it_converged(model, compared):
    with pytest.warns(mlm.BayesmlmWarning):
        poor = model.fit("nuts", seed=1, draws=50, tune=100, chains=2)
    fits = {"laplace": compared.fits["laplace"], "nuts": poor}
    assert choose_reference(fits, None) is None
    assert choose_reference(fits, "nuts") == "nuts"
    assert choose_reference(fits, "laplace") == "laplace"


def test_labels_tell_engines_of_one_kind_apart():
    found = labelled(["advi", mlm.ADVI("full-rank"), "ml"])
    assert list(found) == ["advi", "advi(rank='full-rank')", "ml"]


@pytest.mark.parametrize(
    ("engines", "said"),
    [
        ("nuts", "a list of engines"),
        ([], "a list of engines"),
        (None, "a list of engines"),
        (["nuts", "laplce"], "did you mean 'laplace'"),
        (["nuts", mlm.NUTS()], "nuts twice"),
    ],
)
def test_bad_engines(model, engines, said):
    with pytest.raises(EngineError, match=said):
        mlm.compare_engines(model, engines)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"reference": "nut"}, EngineError, "did you mean 'nuts'"),
        ({"seed": -1}, EngineError, "whole number from 0"),
        ({"workers": 0}, EngineError, "workers=0"),
        ({"probability": 95}, StatisticError, "between 0 and 1"),
    ],
)
def test_bad_options(model, options, error, said):
    with pytest.raises(error, match=said):
        mlm.compare_engines(model, ["nuts", "ml"], **options)


def test_what_is_no_model():
    with pytest.raises(EngineError, match=r"compare_engines\(\) of a str"):
        mlm.compare_engines("y ~ x", ["ml"])


def test_models_engines_and_results_are_picklable(model, compared):
    again = pickle.loads(pickle.dumps(model))
    assert again.design.coef == model.design.coef
    for kind in ENGINES.values():
        assert pickle.loads(pickle.dumps(kind())) == kind()
    fit = pickle.loads(pickle.dumps(compared.fits["laplace"]))
    assert fit.result.posterior.equals(compared.fits["laplace"].result.posterior)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("formula", "family"),
    [("b ~ x + (1 | g)", "bernoulli"), ("y ~ x + (x | g) + (1 | h)", "gaussian")],
)
def test_in_processes(formula, family, capfd):
    rng = np.random.default_rng(0)
    g, h = np.repeat(np.arange(20), 10), np.tile(np.arange(10), 20)
    x = rng.normal(size=200)
    y = 0.5 * x + rng.normal(size=20)[g] + 0.5 * rng.normal(size=10)[h] + rng.normal(size=200)
    frame = pd.DataFrame({"g": g, "h": h, "x": x, "y": y, "b": (y > 0).astype(int)})
    model = mlm.Model(formula, frame, family=family)
    found = mlm.compare_engines(model, ["nuts", "ml", "advi"], seed=1, progress=True)
    assert found.reference == "nuts"
    assert set(found.fits) | set(found.failures) == {"nuts", "ml", "advi"}
    assert found.frame.xs("advi", level="engine")["distance"].abs().loc["fixed effects"].max() < 0.3
    alone = model.fit("nuts", seed=1)
    assert found.fits["nuts"].result.posterior.equals(alone.result.posterior)
    shown = capfd.readouterr().err
    assert all(name in shown for name in ("nuts", "ml", "advi"))
    assert not found.failures


SCRIPT = """
import bayesmlm as mlm
model = mlm.Model("Reaction ~ Days + (Days | Subject)", mlm.datasets.load("sleepstudy"))
print("once", flush=True)
mlm.compare_engines(model, [mlm.NUTS(draws=2_000_000), mlm.NUTS(draws=1_999_999)], seed=1)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_ends_every_process(tmp_path):
    path = tmp_path / "script.py"  # without a guard of __main__
    path.write_text(SCRIPT)
    root = os.path.dirname(os.path.dirname(mlm.__file__))
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
        start_new_session=True,
    )
    assert process.stdout.readline() == "once\n"
    time.sleep(15)
    os.kill(process.pid, signal.SIGINT)  # to the script alone, as notebooks do
    out, errors = process.communicate(timeout=60)
    assert "once" not in out and "KeyboardInterrupt" in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody is left of its session
