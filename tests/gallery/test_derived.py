"""Published statistics beside ours: at the published maximum, and as posteriors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bayesmlm as mlm
from bayesmlm import gallery
from bayesmlm.errors import SpecError, StatisticError
from bayesmlm.gallery.derived import FORMS, agrees, derived, statistic
from bayesmlm.gallery.run import is_ok, run
from bayesmlm.gallery.table import markdown

NAMES = [name for name in gallery.available() if gallery.read(name).derived]


def test_the_books_statistics_are_in_the_gallery() -> None:
    printed = {(n, f.parameter): f.estimate for n in NAMES for f in gallery.read(n).derived}
    assert printed["language-empty", "icc[schoolnr]"] == 0.22
    assert printed["language-within-between", "between[IQ_verb~sch_iqv]"] == 3.77
    assert printed["hsb-random-coefficients", "reliability_school[within(ses, school)]"] == 0.2637


@pytest.mark.parametrize("name", NAMES)
def test_the_maximum_is_the_published_figure_to_its_last_digit(
    name: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
    entry = gallery.read(name)
    model = entry.model()
    for figure in entry.derived:
        row = statistic(figure.parameter, model.fit(figure.kind.lower()).result)
        ours = row.get("estimate", row.get("mean"))
        assert round(ours, len(str(figure.estimate).split(".")[1])) == figure.estimate


def test_a_figure_is_rounded_as_it_was_printed() -> None:
    assert agrees(0.2249, 0.22)
    assert not agrees(0.2251, 0.22)
    assert agrees(3.766, 3.77)
    assert not agrees(3.766, 3.76)


def test_the_record_holds_maximum_and_posterior(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[data]\ndataset = "sleepstudy"\n[model]\nformula = "Reaction ~ 1 + (1 | Subject)"\n'
        '[engine]\nname = "laplace"\n'
        '[published]\nsource = "a book"\nkind = "REML"\n[published.estimates]\n'
        'Intercept = 298.51\n[published.derived]\n"icc[Subject]" = 0.39\nsigma2 = 1958.9\n'
    )
    entry = gallery.read(path)
    fit = entry.model().fit("laplace", seed=1)
    icc, sigma2 = derived(entry, fit)
    reml = entry.model().fit("reml")
    shares = reml.icc().frame["estimate"]
    assert icc["optimum"] == pytest.approx(shares["Subject"])
    assert icc["mean"] == pytest.approx(fit.icc().frame.loc["Subject", "mean"])
    assert icc["q05"] < icc["mean"] < icc["q95"]
    assert icc["ok"] is (0.385 <= icc["optimum"] <= 0.395)
    assert sigma2["optimum"] == pytest.approx(float(reml.tree["posterior"]["sigma"].item()) ** 2)
    draws = fit.tree["posterior"]["sigma"].to_numpy() ** 2
    assert sigma2["mean"] == pytest.approx(draws.mean())
    results = run([str(path)], record=tmp_path / "record.json")
    page = markdown(results)
    assert "| statistic | published |" in page
    assert "| `icc[Subject]` | 0.39 | REML |" in page
    kept = json.loads((tmp_path / "record.json").read_text())
    assert kept["mine"]["derived"][0]["parameter"] == "icc[Subject]"
    wrong = results["mine"] | {"derived": [icc | {"ok": False}]}
    assert not is_ok(wrong)


@pytest.mark.parametrize(
    "name", ["iqc[g]", "icc_Subject[Subject]", "tau[Intercept]", "tau_Subject[Day]", "icc[Sub]"]
)
def test_unknown_statistics(name: str) -> None:
    model = mlm.Model("Reaction ~ 1 + (1 | Subject)", mlm.datasets.load("sleepstudy"))
    with pytest.raises((StatisticError, SpecError), match="next:"):
        statistic(name, model.fit("ml").result)
    assert len(FORMS) == 7
