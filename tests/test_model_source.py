"""What a text on the command line names: a formula, equations, a model file, a saved fit."""

from argparse import Namespace

import pandas as pd
import pytest

from bayesmlm.errors import BayesmlmError, EngineError
from bayesmlm.gallery import read
from bayesmlm.model_source import Gallery, Written, compact, read_options, saved, source, tidy
from bayesmlm.reports import Table


def named(text, **options):
    nothing = {"data": None, "family": None, "link": None, "missing": None}
    return source(Namespace(model=text, **(nothing | options)))


@pytest.mark.parametrize(
    "text",
    ["y~x", "y ~ x + (1 | a/b)", "level 1: y = b0 + r", " LEVEL 1: y = b0\nlevel 2 (g): b0 = u0"],
)
def test_formulas_and_equations(text):
    assert isinstance(named(text), Written)


@pytest.mark.parametrize("text", ["rats", "radon-slope"])
def test_names(text):
    chosen = named(text)
    assert isinstance(chosen, Gallery) and chosen.entry == read(text)
    assert chosen.spec() == read(text).spec()


def test_a_path_with_a_tilde_is_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a~b.toml").write_text('[model]\nformula = "y ~ x"\n')
    assert isinstance(named("~/a~b.toml"), Gallery)
    assert not named("~/a~b.toml").has_data
    assert named("~/a~b.toml", data="rows.csv").has_data


def test_a_family_belongs_to_a_formula():
    spec = named("y ~ x", family="bernoulli", link="probit").spec()
    assert (spec.response.family, spec.response.link) == ("bernoulli", "probit")
    with pytest.raises(BayesmlmError, match="--family beside the model file 'rats'"):
        named("rats", family="poisson")


def test_engine_and_options():
    written, gallery = named("y ~ x"), named("eight-schools")
    assert written.fit_options(None, ["draws=10"]) == {"method": "nuts", "draws": 10}
    assert written.fit_options("laplace", []) == {"method": "laplace"}
    own = gallery.entry.fit_options()
    assert gallery.fit_options(None, []) == own
    assert gallery.fit_options(None, ["draws=10"]) == {**own, "draws": 10}


def test_options_are_read_as_literals_or_text():
    pairs = [
        "a=1",
        "b=0.5",
        "c=None",
        "d=True",
        "e=centred",
        "f=x=y",
        'g={"school": "centred"}',
        "h=",
    ]
    assert read_options(pairs) == {
        "a": 1,
        "b": 0.5,
        "c": None,
        "d": True,
        "e": "centred",
        "f": "x=y",
        "g": {"school": "centred"},
        "h": "",
    }


@pytest.mark.parametrize("pairs", [["draws"], ["=1"], ["a=1", "a=1"]])
def test_options_without_a_key_or_twice(pairs):
    with pytest.raises(EngineError, match="-o key=value"):
        read_options(pairs)


def test_saved_fits():
    assert saved("results/fit.zip") and not saved("fit.toml") and not saved("y ~ zip")


def test_published_tables_are_tidy_and_narrow():
    published = named("radon-slope").published()
    assert list(published.frame.columns) == ["estimate", "se", "kind"]
    assert list(compact(published).frame.columns) == ["estimate", "se"]
    assert compact(published).title == "Published (REML)"
    frame = pd.DataFrame({"a": [None, None], "ok": [True, False], "kind": ["ML", "REML"]})
    assert tidy(frame).to_dict("list") == {"ok": ["yes", "no"], "kind": ["ML", "REML"]}
    assert "kind" in compact(Table("", tidy(frame))).frame
