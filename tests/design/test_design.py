import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bayesmlm as mlm
from bayesmlm.design import build_design
from bayesmlm.errors import DataError, SpecError
from bayesmlm.families import family

N = 96
RNG = np.random.default_rng(3)
CODES = np.repeat(np.arange(12), 8)
COLUMNS = {
    "y": RNG.normal(size=N),
    "x": RNG.normal(size=N),
    "z": RNG.uniform(1, 2, size=N),
    "w": np.repeat(RNG.normal(size=12), 8),
    "k": RNG.integers(0, 3, N),
    "flag": RNG.integers(0, 2, N).astype(bool),
    "c": np.array(["b", "a", "c"])[RNG.integers(0, 3, N)],
    "o": np.array(["low", "mid", "high"])[RNG.integers(0, 3, N)],
    "school": np.array([f"school {j % 7}" for j in range(12)])[CODES],
    "class": CODES + 1,
    "item": np.arange(N) % 4,
    "e": RNG.uniform(0, 3, N),
}
ORDER = ["low", "mid", "high"]


def pandas_frame(**columns):
    frame = pd.DataFrame(COLUMNS | columns)
    return frame.assign(o=pd.Categorical(frame["o"], categories=ORDER))


def polars_frame(**columns):
    return pl.DataFrame(COLUMNS | columns).with_columns(pl.col("o").cast(pl.Enum(ORDER)))


def design_of(text, data, **options):
    spec = mlm.formula(text)
    return build_design(spec, data, family(spec.response.family), **options)


FORMULAS = [
    "y ~ x + (1 | school)",
    "y ~ x*c + (x | school)",
    "y ~ o + flag + C(k) + (1 + x || school)",
    "y ~ poly(x, 2) + bs(z, df=4) + (bs(z, df=4) | item)",
    "y ~ scale(x) + center(w) + cr(z, df=4, constraints='center') + (0 + scale(x) | school)",
    "y ~ within(x, school) + between(x, school) + grand(z) + (within(x, school) | school)",
    "y ~ w + (1 | school/class) + (x | item)",
    "y ~ x + (1 | school:item)",
    "log(z) ~ x + (0 + o | school) + offset(log(e + 1)) + offset(center(e))",
    "y ~ 0 + (1 | class)",
    "y ~ 1",
]


def equal(first, second):
    assert first.coef == second.coef
    assert np.array_equal(first.X, second.X)
    assert np.array_equal(first.y, second.y)
    assert np.array_equal(first.offset, second.offset)
    assert first.fixed == second.fixed
    for ours, theirs in zip(first.random, second.random, strict=True):
        assert ours.grouping.labels == theirs.grouping.labels
        assert np.array_equal(ours.grouping.codes, theirs.grouping.codes)
        assert np.array_equal(ours.Z, theirs.Z)
        assert (ours.effects, ours.blocks) == (theirs.effects, theirs.blocks)


@pytest.mark.parametrize("text", FORMULAS)
def test_pandas_and_polars_make_the_same_design(text):
    equal(design_of(text, pandas_frame()), design_of(text, polars_frame()))


@pytest.mark.parametrize("text", FORMULAS)
def test_applied_to_the_training_rows_it_gives_the_training_design(text):
    design = design_of(text, pandas_frame())
    for data in (pandas_frame(), polars_frame()):
        rows = design.apply(data)
        assert np.array_equal(rows.X, design.X)
        assert np.array_equal(rows.offset, design.offset)
        for block in design.random:
            assert np.array_equal(rows.Z[block.name], block.Z)
            assert np.array_equal(rows.codes[block.name], block.grouping.codes)


@pytest.mark.parametrize("text", FORMULAS)
def test_applied_to_a_few_rows_it_gives_their_rows(text):
    design = design_of(text, pandas_frame())
    few = np.array([5, 17, 80])
    rows = design.apply(pandas_frame().iloc[few])
    assert np.allclose(rows.X, design.X[few], rtol=0, atol=1e-12)
    assert np.allclose(rows.offset, design.offset[few], rtol=0, atol=1e-12)
    for block in design.random:
        assert np.allclose(rows.Z[block.name], block.Z[few], rtol=0, atol=1e-12)
        assert np.array_equal(rows.codes[block.name], block.grouping.codes[few])


@pytest.mark.parametrize("text", FORMULAS)
def test_every_encoding_is_json(text):
    design = design_of(text, pandas_frame())
    encodings = [design.fixed, *design.offsets, *(e for b in design.random for e in b.encodings)]
    for encoding in encodings:
        text = json.dumps([encoding.state, encoding.levels, encoding.coded], allow_nan=False)
        assert json.loads(text)[0] == encoding.state
    json.dumps([block.grouping.labels for block in design.random])


@pytest.mark.parametrize("text", FORMULAS)
def test_permuted_rows_give_the_same_design_permuted(text):
    order = np.random.default_rng(4).permutation(N)
    design, moved = design_of(text, pandas_frame()), design_of(text, pandas_frame().iloc[order])
    assert np.allclose(moved.X, design.X[order], rtol=0, atol=1e-9)
    for ours, theirs in zip(moved.random, design.random, strict=True):
        assert ours.grouping.labels == theirs.grouping.labels
        assert np.array_equal(ours.grouping.codes, theirs.grouping.codes[order])


def test_the_stack_of_a_group_holds_all_its_effects():
    design = design_of("y ~ x + (1 | school) + (0 + x + z | school)", pandas_frame())
    (block,) = design.random
    assert block.effects == ("Intercept", "x", "z")
    assert block.blocks == ((0,), (1, 2))
    assert block.pair_labels == ("x~z",)
    assert design.block("school") is block
    with pytest.raises(SpecError, match="no effects vary over 'shool'"):
        design.block("shool")


def test_pairs_are_in_the_order_of_the_partial_correlations():
    (block,) = design_of("y ~ 1 + (x + z + w | item)", pandas_frame()).random
    assert block.pairs == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def test_nested_groups_are_two_groupings():
    outer, inner = design_of("y ~ 1 + (1 | school/class)", pandas_frame()).random
    assert (outer.name, inner.name) == ("school", "school:class")
    assert (outer.grouping.size, inner.grouping.size) == (7, 12)
    assert inner.grouping.labels[0] == "school 0:1"


def test_new_groups_are_minus_one_and_new_categories_an_error():
    design = design_of("y ~ c + (1 | school) + (1 | school:item)", pandas_frame())
    new = pandas_frame(school="new school").iloc[:2]
    rows = design.apply(new)
    assert rows.codes["school"].tolist() == [-1, -1]
    assert rows.codes["school:item"].tolist() == [-1, -1]
    with pytest.raises(DataError, match="column 'c' has categories that the training data lack: q"):
        design.apply(pandas_frame(c="q"))


def test_a_number_is_not_the_text_that_it_is_written_as():
    frame = pd.DataFrame({"y": np.arange(6.0), "c": list("012012"), "g": list("aabbcc")})
    design = mlm.Model("y ~ c + (1 | g)", frame).design
    with pytest.raises(DataError, match="training data lack: 1\n  allowed: '0', '1', '2'"):
        design.apply(frame.assign(c=1))


def test_new_rows_need_the_predictors_and_not_the_response():
    design = design_of("y ~ x + (1 | school)", pandas_frame())
    assert design.apply(pandas_frame().drop(columns=["y", "z"])).X.shape == (N, 2)
    with pytest.raises(DataError, match="unknown column 'x'"):
        design.apply(pandas_frame().drop(columns="x"))
    with pytest.raises(DataError, match=r"missing values in x \(1\)"):
        design.apply(pandas_frame(x=np.r_[np.nan, COLUMNS["x"][1:]]))


def test_new_groups_are_centred_by_their_own_rows():
    design = design_of("y ~ within(x, school) + between(x, school) + (1 | school)", pandas_frame())
    new = pd.DataFrame({"x": [1.0, 3.0, 5.0], "school": ["new", "new", "school 0"]})
    known = COLUMNS["x"][COLUMNS["school"] == "school 0"].mean()
    rows = design.apply(new)
    assert rows.X[:, 1] == pytest.approx([-1.0, 1.0, 5.0 - known])
    assert rows.X[:, 2] == pytest.approx([2.0, 2.0, known])


def test_an_offset_of_new_rows_uses_what_was_learnt():
    design = design_of("y ~ x + offset(center(e))", pandas_frame())
    rows = design.apply(pandas_frame(e=COLUMNS["e"].mean()))
    assert rows.offset == pytest.approx(np.zeros(N))


def test_a_difference_as_offset_is_a_difference():
    design = design_of("y ~ x + offset(z - e)", pandas_frame())
    assert design.offset == pytest.approx(COLUMNS["z"] - COLUMNS["e"])


def test_dropped_rows():
    x = COLUMNS["x"].copy()
    x[[3, 50]] = np.nan
    design = design_of("y ~ x + (1 | school)", pandas_frame(x=x), missing="drop")
    assert len(design.y) == N - 2
    assert 3 not in design.positions
    assert design.notes == ("2 of 96 rows dropped, with missing values in x (2).",)
    assert design.cautions == design.notes


def test_cautions_and_notes():
    data = pandas_frame(z=2000 + COLUMNS["x"], y2=np.where(COLUMNS["flag"], "yes", "no"))
    spec = mlm.formula("y2 ~ 1 + (z | school)", family="bernoulli")
    design = build_design(spec, data, family("bernoulli"))
    assert design.notes[0] == "success is 'yes', failure is 'no'."
    assert design.cautions[0].startswith("z varies over school and lies far from zero (mean 2e+03")


def test_the_columns_of_the_model_are_all_that_is_read():
    data = pandas_frame(unused=np.nan, day=pd.Timestamp("2020-01-01"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert design_of("y ~ x + (1 | school)", data).notes == ()


@pytest.mark.parametrize(
    "text", ["y ~ Intercept + x", "y ~ 0 + Intercept", "y ~ x + (0 + Intercept | school)"]
)
def test_a_predictor_is_not_called_as_the_intercept(text):
    with pytest.raises(DataError, match="'Intercept' would name"):
        design_of(text, pandas_frame(Intercept=COLUMNS["z"]))


def test_two_columns_of_one_name():
    data = pandas_frame(**{"c[T.b]": COLUMNS["z"]})
    with pytest.raises(DataError, match=r"'c\[T.b\]' would name two columns"):
        design_of("y ~ c + `c[T.b]`", data)


def test_rows_without_a_response_count_in_encodings_and_not_in_the_likelihood():
    y = COLUMNS["y"].copy()
    y[[3, 50]] = np.nan
    text = "y ~ within(x, school) + c + offset(center(e)) + (center(x) | school)"
    whole = design_of(text, pandas_frame())
    kept = design_of(text, pandas_frame(y=y), missing="keep")
    seen = np.flatnonzero(~np.isnan(y))
    assert kept.positions.tolist() == seen.tolist() and len(kept.y) == N - 2
    assert np.array_equal(kept.X, whole.X[seen])
    assert np.array_equal(kept.offset, whole.offset[seen])
    assert np.array_equal(kept.random[0].Z, whole.random[0].Z[seen])
    assert any(f"2 of {N} rows have no response" in note for note in kept.notes)
    assert not kept.cautions
    with pytest.raises(DataError, match=r"(?s)missing values in x \(1\).*impute the predictors"):
        design_of(text, pandas_frame(x=np.r_[np.nan, COLUMNS["x"][1:]], y=y), missing="keep")
    complete = design_of(text, pandas_frame(), missing="keep")
    assert np.array_equal(complete.X, whole.X) and complete.notes == whole.notes


def test_a_formula_of_a_further_parameter():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"y": rng.normal(size=12), "x": rng.normal(size=12), "g": np.arange(12) % 3}
    )
    frame["w"] = np.array([1.0, 4.0, 2.0])[frame["g"]]
    spec = mlm.formula("y ~ x; sigma ~ w + offset(x) + (1 + x | g)")
    design = build_design(spec, frame, family("gaussian"))
    (part,) = design.further
    assert (part.target, part.link.name, part.sentence) == ("sigma", "log", "log(sigma)")
    assert part.coef == ("Intercept", "w")
    np.testing.assert_array_equal(part.offset, frame["x"])
    assert design.random == ()
    assert [(block.name, block.dim, block.parameter) for block in design.blocks] == [
        ("sigma_g", "g", "sigma")
    ]
    assert design.parameters == ()
    assert not design.estimates_scale
    assert [level.grouping.name for level in design.levels.levels] == ["g"]
    assert design.factor_levels == {"w": ("g",)}
    rows = design.apply(frame.iloc[:2])
    assert rows.codes == {}
    np.testing.assert_array_equal(rows.further["sigma"].Z["sigma_g"], part.random[0].Z[:2])
    np.testing.assert_array_equal(rows.further["sigma"].offset, frame["x"][:2])


def test_categories_have_the_formula_each():
    frame = pd.DataFrame({"y": list("abcb") * 5, "x": np.arange(20.0), "z": np.arange(20.0) ** 2})
    design = build_design(mlm.formula("y ~ x; muc ~ z"), frame, family("categorical"))
    assert design.coef == ()
    assert design.X.shape == (20, 0)
    assert [(part.target, part.coef) for part in design.further] == [
        ("mub", ("Intercept", "x")),
        ("muc", ("Intercept", "z")),
    ]
    assert design.family.categories == ("a", "b", "c")


def test_categories_that_differ_in_a_slash_alone_are_refused():
    frame = pd.DataFrame({"y": ["0", "a/b", "a_b", "c"] * 5, "x": np.arange(20.0)})
    with pytest.raises(DataError, match="two categories that are both 'mua_b'"):
        build_design(mlm.formula("y ~ x"), frame, family("categorical"))
