import os

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm import gallery
from bayesmlm.errors import DataError, EngineError, SpecError, StatisticError
from bayesmlm.gallery.__main__ import main
from bayesmlm.gallery.files import folder
from bayesmlm.gallery.run import convergence, is_ok, line, run
from bayesmlm.gallery.table import markdown

WANTED = [
    "hsb-anova",
    "hsb-means",
    "hsb-random-coefficients",
    "hsb-slopes-as-outcomes",
    "language-empty",
    "language-iq",
    "language-within-between",
    "language-slope",
    "sleepstudy",
    "sleepstudy-uncorrelated",
    "radon-floor",
    "radon-uranium",
    "radon-slope",
    "eight-schools",
    "rats",
    "penicillin",
    "insteval",
    "pastes",
    "election88",
    "election88-full",
    "contraception",
    "cbpp",
    "grouseticks",
    "guimmun",
    "patents",
    "four-classrooms",
]


@pytest.fixture
def found(request, monkeypatch):
    """Return a function of an entry that skips where its data are not found."""

    def check(entry):
        if not mlm.datasets.about(entry.dataset).included:
            monkeypatch.setenv("BAYESMLM_DATA", str(request.getfixturevalue("shared_data")))
        return entry

    return check


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a model file and gives its path."""

    def to(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to


def test_the_gallery_holds_the_classics():
    assert set(WANTED) == set(gallery.available())


@pytest.mark.parametrize("name", WANTED)
def test_every_file_says_what_it_is(name):
    entry = gallery.read(name)
    assert entry.title and entry.question.endswith("?")
    assert entry.formula and entry.equations and entry.published
    assert all(figure.source for figure in entry.published)
    assert mlm.datasets.about(entry.dataset)
    mlm.engines.engine(entry.fit_options().pop("method"), **entry.options)


@pytest.mark.parametrize("name", WANTED)
def test_both_notations_are_one_model(name):
    entry = gallery.read(name)
    written = mlm.formula(entry.formula, family=entry.family, link=entry.link)
    assert mlm.equations(entry.equations) == written == entry.spec()


@pytest.mark.parametrize("name", WANTED)
def test_the_published_table_is_of_the_parameters_of_the_model(name, found):
    entry = found(gallery.read(name))
    model = entry.model()
    assert {figure.parameter for figure in entry.published} == set(
        gallery.parameter_names(model.design)
    )


@pytest.mark.parametrize("name", WANTED)
def test_a_model_written_as_toml_is_read_back(name, found, write):
    model = found(gallery.read(name)).model()
    entry = gallery.read(write(model.to_toml()))
    again = entry.model(model._data)
    assert again.spec == model.spec
    assert again.prior_values == model.prior_values
    assert entry.equations is not None


def test_priors_and_missing_rows_are_written_with_every_digit(write):
    frame = mlm.datasets.load("sleepstudy")
    frame.loc[3, "Days"] = np.nan
    priors = {
        "slopes": mlm.Normal(1 / 3, 2),
        "Intercept": mlm.StudentT(3, 250, 1e-7),
        "sd_Subject[Days]": mlm.HalfStudentT(4, 7),
        "corr": mlm.LKJ(1.5),
        "sigma": mlm.Gamma(2, 0.1),
    }
    with pytest.warns(mlm.BayesmlmWarning, match="1 of 180 rows dropped"):
        model = mlm.Model("Reaction ~ Days + (Days | Subject)", frame, None, priors, missing="drop")
    entry = gallery.read(write(model.to_toml()))
    assert entry.missing == "drop"
    assert entry.priors["Days"] == mlm.Normal(1 / 3, 2)
    with pytest.warns(mlm.BayesmlmWarning, match="1 of 180 rows dropped"):
        assert entry.model(frame).prior_values == model.prior_values


def test_odd_column_names_are_written(write):
    columns = {"my 'y'": np.arange(12.0) ** 2, "x": np.arange(12) % 5, "g": [*"abcd"] * 3}
    priors = {"x": mlm.Normal(0, 1)}
    model = mlm.Model("`my 'y'` ~ x + (1 | g)", pd.DataFrame(columns), priors=priors)
    assert gallery.read(write(model.to_toml())).spec() == model.spec


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(SpecError, match="unknown model 'radon-slop' .did you mean 'radon-slope'"):
        gallery.read("radon-slop")
    with pytest.raises(SpecError, match="no model file"):
        gallery.read("nowhere/mine.toml")


MODEL = '[model]\nformula = "y ~ x + (1 | g)"\n'
BAD = {
    "no TOML": ("[model", "mine.toml: no TOML"),
    "no model": ('title = "x"', "no model"),
    "top key": (f'titel = "x"\n{MODEL}', "unknown key 'titel' .did you mean 'title'"),
    "key": (f'{MODEL}famly = "poisson"', "unknown key 'famly' .did you mean 'family'"),
    "text": (f"title = 3\n{MODEL}", "title = 3 in the file"),
    "table": (f"data = 3\n{MODEL}", "data = 3"),
    "prior": (f"{MODEL}[priors]\nsigma = 3", "sigma = 3 in .priors."),
    "kind": (f'{MODEL}[published]\nsource = "x"\n[published.estimates]\nx = 1', "kind = ''"),
    "source": (f'{MODEL}[published]\nkind = "ML"\n[published.estimates]\nx = 1', "no source"),
    "number": (
        f'{MODEL}[published]\nkind = "ML"\nsource = "x"\n[published.estimates]\nx = "1"',
        "estimate = '1'",
    ),
    "figure": (
        f'{MODEL}[published]\nkind = "ML"\nsource = "x"\n[published.estimates]\nx = {{ sd = 1 }}',
        "unknown key 'sd'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_malformed_files_are_refused(case, write):
    text, got = BAD[case]
    with pytest.raises(SpecError, match=got):
        gallery.read(write(text))


@pytest.mark.parametrize(
    ("line", "got"),
    [
        ('name = "nut"', "unknown engine 'nut' .did you mean 'nuts'"),
        ("drws = 10", "unknown option 'drws' of nuts .did you mean 'draws'"),
        ("draws = -1", "a whole number from 1"),
    ],
)
def test_an_engine_or_option_that_is_none_is_refused(line, got, write):
    with pytest.raises(EngineError, match=got):
        gallery.read(write(f"{MODEL}[engine]\n{line}"))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"title = '\xff'")
    with pytest.raises(SpecError, match="no text in UTF-8"):
        gallery.read(path)


def test_two_models_in_one_file_are_refused(write):
    text = f"{MODEL}equations = 'level 1: y = b0 + b1*x + r'"
    with pytest.raises(SpecError, match="a formula and equations that are two models"):
        gallery.read(write(text)).spec()


def test_data_that_are_not_there_are_told(write, monkeypatch):
    monkeypatch.delenv("BAYESMLM_DATA", raising=False)
    with pytest.raises(DataError, match=r"BAYESMLM_DATA is not set[\s\S]*set BAYESMLM_DATA to it"):
        gallery.read("language-slope").model()
    with pytest.raises(DataError, match="names no data"):
        gallery.read(write(MODEL)).model()
    with pytest.raises(DataError, match="no data file .*mine.csv"):
        gallery.read(write(f'[data]\nfile = "mine.csv"\n{MODEL}')).model()


def test_a_file_beside_the_model_is_its_data(write, tmp_path):
    frame = pd.DataFrame({"y": [1.0, 2, 4, 8, 9, 1], "x": [1, 2, 2, 1, 0, 1], "g": [*"aabbcc"]})
    frame.to_csv(tmp_path / "mine.csv", index=False)
    entry = gallery.read(write(f'[data]\nfile = "mine.csv"\n{MODEL}'))
    assert entry.model().design.y.tolist() == frame["y"].tolist()
    assert entry.model(frame.assign(y=frame["y"] + 1)).design.y[0] == 2
    (tmp_path / "mine.txt").write_text("y")
    with pytest.raises(DataError, match="mine.txt"):
        gallery.read(write(f'[data]\nfile = "mine.txt"\n{MODEL}')).model()


def test_options_of_the_engine():
    entry = gallery.read("eight-schools")
    assert entry.fit_options() == {"method": "nuts", "target_accept": 0.95}
    assert entry.fit_options("other") == {"method": "other"}


@pytest.fixture
def sleep_fit(make_result):
    """A fit of the sleepstudy model with draws centred where it is told."""
    entry = gallery.read("sleepstudy")
    model = entry.model()

    def make(intercept=251.4, sd=24.7):
        z = np.linspace(-2, 2, 202).reshape(2, 101)
        pair = np.stack([intercept + 6 * z, 10.467 + 1.5 * z], axis=-1)
        return entry, mlm.Fit(
            make_result(
                model,
                beta=pair,
                sd_Subject=np.stack([sd + 3 * z, 5.9 + z], axis=-1),
                corr_Subject=0.07 + 0.2 * z[..., None],
                sigma=25.6 + z,
            )
        )

    return make


def test_compare_holds_published_against_ours(sleep_fit):
    table = gallery.compare(*sleep_fit())
    assert table["ok"].all()
    assert table.index[0] == "Intercept" and "corr_Subject[Intercept~Days]" in table.index
    row = table.loc["sd_Subject[Days]"]
    assert row["published"] == pytest.approx(5.92213)
    assert row["mean"] == pytest.approx(5.9)
    assert row["q05"] == pytest.approx(5.9 - 1.8) and row["q95"] == pytest.approx(5.9 + 1.8)


def test_compare_finds_what_is_out_of_tolerance(sleep_fit):
    table = gallery.compare(*sleep_fit(intercept=254, sd=40))
    assert table.index[~table["ok"]].tolist() == ["Intercept", "sd_Subject[Intercept]"]
    assert table.loc["Intercept", "distance"] > 0.25


def test_a_posterior_reference_is_held_by_the_mean(sleep_fit, write):
    _, fit = sleep_fit(sd=26)
    text = """
    [model]
    formula = "Reaction ~ Days + (Days | Subject)"
    [published]
    kind = "posterior"
    source = "none"
    [published.estimates]
    "sd_Subject[Intercept]" = 24.7
    """
    assert not gallery.compare(gallery.read(write(text)), fit)["ok"].iloc[0]
    lacking = gallery.read(write(text.replace("sd_Subject[Intercept]", "sd_subject[Intercept]")))
    with pytest.raises(StatisticError, match="did you mean 'sd_Subject.Intercept.'"):
        gallery.compare(lacking, fit)


def result(ok=True, **changes):
    row = {"parameter": "x|y", "published": 1.0, "se": None, "kind": "ML", "generating": 2.0}
    row |= {"mean": 1.01, "sd": 0.1, "q05": 0.9, "q95": 1.2, "distance": 0.1, "ok": ok}
    return {
        "title": "A title",
        "note": "A note.",
        "formula": "y ~ x",
        "source": ["a book"],
        "engine": "NUTS by nutpie: 4 chains",
        "seed": 1,
        "seconds": {"total": 12.0, "sample": 1.0},
        "r_hat": 1.001,
        "ess": 1234,
        "state": "Converged: largest R-hat 1.001.",
        "converged": True,
        "findings": [],
        "rows": [row],
    } | changes


def test_the_table_says_what_is_out_and_what_was_not_run():
    text = markdown({"a": result(), "b": result(ok=False), "c": {"not_run": "data not found"}})
    assert "| [a](#a) | ML | 1 | 0.10 | NUTS | 12 | 1.001 | 1,234 | ✓ |" in text
    assert "| **no** |" in text
    assert "| c | not run here: data not found |" in text
    assert r"| `x\|y` | 2.00 | 1.00 |  | ML | 1.01 ± 0.10 |" in text
    assert "Held against a posterior" not in text
    held = result()
    held["rows"][0]["kind"] = "posterior"
    assert "- [a](#a): A note." in markdown({"a": held})
    assert is_ok(result()) and not is_ok(result(ok=False)) and not is_ok(result(converged=False))
    assert "OUT: x|y" in line(result(ok=False))
    assert line({"error": "a\nb"}) == "error: a"


def test_a_run_without_data_keeps_what_was_found_before(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("BAYESMLM_DATA", raising=False)
    record, table = tmp_path / "out" / "g.json", tmp_path / "out" / "g.md"
    results = run(["language-iq"], record=record, table=table)
    assert "BAYESMLM_DATA is not set" in results["language-iq"]["not_run"]
    assert "not run here" in table.read_text("utf-8")
    assert run(["guimmun"], record=record).keys() == {"guimmun", "language-iq"}
    assert os.listdir(tmp_path / "out") in (["g.json", "g.md"], ["g.md", "g.json"])
    assert main(["--only", "language-iq", "--json", str(record)]) == 0
    assert "# The gallery" in capsys.readouterr().out
    assert main(["--only", "nothing"]) == 2


def test_figures_of_convergence():
    class Check:
        r_hat, ess, ok, findings = 1.00012, 1234.6, True, ()

        def __str__(self):
            return "Converged: well.\nmore"

    expected = {"ess": 1235, "state": "Converged: well.", "converged": True, "findings": []}
    assert convergence(Check()) == {"r_hat": 1.0001, **expected}
    del Check.r_hat
    assert convergence(Check()) == {"r_hat": None, **expected}


def test_no_file_names_a_machine():
    for path in folder().iterdir():
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in ("/home/", "/root/", "/work/", "/tmp/", "http"))
