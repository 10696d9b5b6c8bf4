"""The folder of a fit's files."""

import re

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.output import output_folder, slugs, tables, write_files
from bayesmlm.reports import Table


@pytest.fixture
def fit(make_result):
    """A fit of counts, with groupings whose names clash once they are made file names."""
    rng = np.random.default_rng(0)
    groups = {"a/b": list("uvwx") * 6, "a:b": list("klm") * 8, "A b": list("yz") * 12}
    data = pd.DataFrame({**groups, "count": rng.poisson(4, size=24)})
    formula = "count ~ 0 + (1 | `a/b`) + (1 | `a:b`) + (1 | `A b`)"
    model = mlm.Model(formula, data, family="poisson")
    draws = {}
    for group, size in (("a_b", 4), ("a:b", 3), ("A b", 2)):
        draws[f"sd_{group}"] = rng.uniform(1, 2, size=(2, 30, 1))
        draws[f"u_{group}"] = rng.normal(size=(2, 30, size, 1))
    return mlm.Fit(make_result(model, **draws))


def test_file_names_are_plain_and_differ(fit):
    found = list(slugs(fit).values())
    assert all(re.fullmatch(r"[\w.-]+", slug) for slug in found)
    assert len({slug.lower() for slug in found}) == 3


def test_tables_that_are_not_defined_are_left_out(fit):
    with pytest.raises(mlm.StatisticError):
        fit.fixef()
    found = tables(fit)
    assert "fixed_effects" not in found
    for group, slug in slugs(fit).items():
        expected = fit.ranef(group).frame
        pd.testing.assert_frame_equal(found[f"random_effects_{slug}"].frame, expected)


def test_files_are_written(fit, tmp_path):
    extra = Table("Extra", pd.DataFrame({"x": [1 / 3]}, index=pd.Index(["é"], name="name")))
    write_files(fit, tmp_path, {"extra": extra})
    assert len(list(tmp_path.glob("caterpillar_*.png"))) == 3
    assert pd.read_csv(tmp_path / "extra.csv", index_col=0).loc["é", "x"] == 1 / 3
    assert (tmp_path / "extra.txt").read_text(encoding="utf-8").startswith("Extra\n")
    assert str(mlm.load(tmp_path / "fit.zip").summary()) == str(fit.summary())


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        folder = output_folder(path)
        with pytest.raises(mlm.BayesmlmError, match=r"is a file|cannot be written to"), folder:
            pytest.fail("the block is not reached")
    assert (tmp_path / "file").read_text() == "mine"


def test_what_was_made_is_not_lost_where_it_cannot_be_moved(tmp_path):
    (tmp_path / "results" / "fit.zip").mkdir(parents=True)  # a folder where a file must go

    def make():
        with output_folder(tmp_path / "results") as folder:
            (folder / "fit.zip").write_text("an hour of sampling")

    with pytest.raises(mlm.BayesmlmError, match="what was made is in") as caught:
        make()
    (part,) = (path for path in (tmp_path / "results").iterdir() if path.name != "fit.zip")
    assert str(part) in str(caught.value)
    assert (part / "fit.zip").read_text() == "an hour of sampling"
