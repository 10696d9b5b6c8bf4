"""What is loaded is what was saved: every table, check and picture, to the last bit."""

import io
import json
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError


def frames(fit):
    """Every table of a fit; where it has none, the reason."""
    found = {}
    makers = {"fixef": fit.fixef, "variance": fit.variance_components, "icc": fit.icc}
    for block in fit.result.design.random:
        for kind in ("ranef", "coef", "corr"):
            makers[f"{kind} {block.name}"] = lambda kind=kind, g=block.name: getattr(fit, kind)(g)
    for name, make in makers.items():
        try:
            found[name] = make().frame
        except StatisticError as error:
            found[name] = str(error)
    return found


def test_every_model_comes_back_whole(model_name, fit_of, tmp_path):
    fit = fit_of(model_name)
    fit.save(tmp_path / "fit.zip")
    again = mlm.load(tmp_path / "fit.zip")

    assert again.tree.identical(fit.tree)
    before, after = frames(fit), frames(again)
    assert before.keys() == after.keys()
    for key, table in before.items():
        if isinstance(table, str):
            assert after[key] == table
        else:
            pd.testing.assert_frame_equal(after[key], table, check_exact=True)
    assert str(again.summary()) == str(fit.summary())
    assert again.check() == fit.check() or fit.check().r_hat != fit.check().r_hat
    assert str(again.equations()) == str(fit.equations())
    assert again.equations().latex() == fit.equations().latex()

    one, other = fit.result, again.result
    assert other.spec == one.spec and other.spec.declared == one.spec.declared
    assert other.design.spec is other.spec
    assert other.priors == one.priors and other.engine == one.engine
    assert (other.seed, other.seconds, other.notes) == (one.seed, one.seconds, one.notes)

    # and the file of the loaded fit is the same file
    again.save(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "fit.zip").read_bytes()


def test_new_data_are_encoded_as_before(model_name, fit_of, frame, tmp_path):
    fit = fit_of(model_name)
    fit.save(tmp_path / "fit.zip")
    again = mlm.load(tmp_path / "fit.zip")
    new = frame.iloc[10:-10:3].assign(school="c:d")  # other rows, the knots and means of all
    new.iloc[0, new.columns.get_loc("school")] = "a new school"
    one, other = fit.result.design.apply(new), again.result.design.apply(new)
    assert np.array_equal(one.X, other.X)
    assert np.array_equal(one.offset, other.offset)
    for group in one.Z:
        assert np.array_equal(one.Z[group], other.Z[group])
        assert np.array_equal(one.codes[group], other.codes[group])
    assert one.Z.keys() == other.Z.keys()


def test_pictures_are_the_same(fit_of, tmp_path):
    fit = fit_of("odd name")
    fit.save(tmp_path / "fit.zip")

    def picture(which):
        buffer = io.BytesIO()
        which.plot.caterpillar().savefig(buffer, format="png")
        return buffer.getvalue()

    assert picture(mlm.load(tmp_path / "fit.zip")) == picture(fit)


def test_labels_keep_their_types(fit_of, frame, tmp_path):
    data = frame.astype({"item": float})
    model = mlm.Model("y ~ x + (1 | item) + (1 | flag) + (1 | school)", data)
    fit_of(model).save(tmp_path / "fit.zip")
    blocks = mlm.load(tmp_path / "fit.zip").result.design.random
    assert [blocks[0].grouping.labels, blocks[1].grouping.labels] == [(7, 11, 13), (False, True)]
    assert {type(label) for label in blocks[0].grouping.labels} == {int}
    assert {type(label) for label in blocks[1].grouping.labels} == {bool}
    assert {"1", "01", "ß\\n"} < set(blocks[2].grouping.labels)


def test_groups_added_to_the_tree_are_saved_with_their_attributes(fit_of, tmp_path):
    import xarray as xr

    fit = fit_of("crossed")
    fit.tree["log_likelihood"] = xr.Dataset(
        {
            "y": (("chain", "draw"), np.full((2, 40), np.nan), {"units": "nats", "at": (1, 2.5)}),
            "when": ((), np.datetime64("2026-11-21", "ns")),
            "messages": (("chain",), np.array([None, "diverged"], dtype=object)),
            "y:z": (("chain",), np.array([1, 2], dtype=np.int8)),
            "Y:z": (("chain",), np.array(["short", "longer"])),
        },
        attrs={"worst": float("-inf"), "draws": np.int64(40), "list": [1, [2]], "none": None},
    )
    fit.save(tmp_path / "fit.zip")
    again = mlm.load(tmp_path / "fit.zip").tree["log_likelihood"]
    assert again.to_dataset().identical(fit.tree["log_likelihood"].to_dataset())
    for name, array in fit.tree["log_likelihood"].variables.items():
        assert again[name].dtype == array.dtype
    assert type(again.attrs["draws"]) is np.int64 and again.attrs["list"] == [1, [2]]


def test_names_in_the_file_are_plain_and_the_true_ones_are_kept(fit_of, tmp_path):
    fit = fit_of("odd name")
    fit.save(tmp_path / "fit.zip")
    with ZipFile(tmp_path / "fit.zip") as archive:
        names = archive.namelist()
        tree = json.loads(archive.read("tree.json"))
        meta = json.loads(archive.read("meta.json"))
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzXYZ_0123456789./-") for name in names)
    assert len({name.lower() for name in names}) == len(names)
    written = [variable["name"] for group in tree for variable in group["variables"]]
    assert "u_my group_x:y" in written
    assert meta["versions"]["bayesmlm"] == mlm.__version__
    assert meta["result"]["seed"] == 1
    assert meta["result"]["engine"]["$"] == "NUTS"


@pytest.mark.parametrize("name", ["fit", "fit.tar", "a fit.zip"])
def test_any_name_will_do(name, fit_of, tmp_path):
    fit = fit_of("no groups")
    fit.save(str(tmp_path / name))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
    assert str(mlm.load(str(tmp_path / name)).summary()) == str(fit.summary())
