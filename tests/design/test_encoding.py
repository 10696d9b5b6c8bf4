import json

import numpy as np
import pandas as pd
import pytest

from bayesmlm.design.encoding import encode, freeze, thaw
from bayesmlm.errors import DataError
from bayesmlm.spec.expression import CENTRING, TRANSFORMS
from bayesmlm.spec.formula import predictor

N = 60
RNG = np.random.default_rng(1)
TRAIN = pd.DataFrame(
    {
        "x": RNG.normal(5, 2, N),
        "v": np.linspace(0, 1, N),
        "k": np.arange(N) % 4,
        "half": (np.arange(N) % 3) / 2,
        "b": np.arange(N) % 2 == 0,
        "c": pd.Categorical(
            np.array(["low", "mid", "high"])[np.arange(N) % 3], ["low", "mid", "high"]
        ),
        "d": pd.Categorical(np.array(["u", "v"])[(np.arange(N) // 3) % 2]),
        "g": pd.Categorical(np.repeat([f"s{j}" for j in range(6)], 10)),
        "odd name": RNG.normal(size=N),
        "µ": RNG.uniform(1, 2, N),
        "1": RNG.normal(size=N),
        "log": RNG.normal(size=N),
        "poly": RNG.normal(size=N),
    }
)


def learnt(text, frame=TRAIN):
    return encode(predictor(text).fixed, frame)


FORMULAS = {
    "x": ["Intercept", "x"],
    "0 + x": ["x"],
    "b": ["Intercept", "b"],
    "c": ["Intercept", "c[T.mid]", "c[T.high]"],
    "0 + c": ["c[low]", "c[mid]", "c[high]"],
    "x*c": ["Intercept", "x", "c[T.mid]", "c[T.high]", "x:c[T.mid]", "x:c[T.high]"],
    "c*d": ["Intercept", "c[T.mid]", "c[T.high]", "d[T.v]", "c[T.mid]:d[T.v]", "c[T.high]:d[T.v]"],
    "C(c, contr.sum)": ["Intercept", "C(c, contr.sum)[S.low]", "C(c, contr.sum)[S.mid]"],
    "C(c, contr.helmert)": [
        "Intercept",
        "C(c, contr.helmert)[H.mid]",
        "C(c, contr.helmert)[H.high]",
    ],
    "C(c, contr.poly)": ["Intercept", "C(c, contr.poly)[.L]", "C(c, contr.poly)[.Q]"],
    "C(c, contr.treatment('mid'))": None,
    "C(k)": ["Intercept", "C(k)[T.1]", "C(k)[T.2]", "C(k)[T.3]"],
    "C(k, contr.sum)": ["Intercept", *(f"C(k, contr.sum)[S.{i}]" for i in range(3))],
    "C(half)": ["Intercept", "C(half)[T.0.5]", "C(half)[T.1.0]"],
    "C(b)": ["Intercept", "C(b)[T.True]"],
    "C(k) + k:x": ["Intercept", *(f"C(k)[T.{i}]" for i in (1, 2, 3)), "k:x"],
    "poly(x, 2)": ["Intercept", "poly(x, 2)[1]", "poly(x, 2)[2]"],
    "bs(x, df=5)": None,
    "cr(x, df=4)": None,
    "cc(x, df=4)": None,
    "cr(x, df=4, constraints='center')": None,
    "sqrt(x + 10) + log2(x + 10) + log1p(v) + expm1(v) + abs(x) + log10(µ) + exp(v)": [
        "Intercept",
        *("sqrt(x + 10)", "log2(x + 10)", "log1p(v)", "expm1(v)", "abs(x)", "log10(`µ`)"),
        "exp(v)",
    ],
    "scale(x) + center(v)": ["Intercept", "scale(x)", "center(v)"],
    "scale(x):c": ["Intercept", *(f"scale(x):c[{level}]" for level in ("low", "mid", "high"))],
    "log(x + 10) + I(x**2)": ["Intercept", "log(x + 10)", "I(x ** 2)"],
    "I(c == 'low')": ["Intercept", "I(c == 'low')"],
    "within(x, g) + between(x, g) + grand(v)": [
        "Intercept",
        "within(x, g)",
        "between(x, g)",
        "grand(v)",
    ],
    "within(x, g):c": None,
    "`odd name` + I(`odd name`**2)": ["Intercept", "odd name", "I(`odd name` ** 2)"],
    "`odd name`:c": ["Intercept", *(f"odd name:c[{level}]" for level in ("low", "mid", "high"))],
    "log(µ) + µ": ["Intercept", "log(`µ`)", "µ"],
    "`1` + x": ["Intercept", "1", "x"],
    "log + log(µ) + poly": ["Intercept", "log", "log(`µ`)", "poly"],
}


@pytest.mark.parametrize("text", FORMULAS)
def test_training_rows_encode_to_the_same_numbers(text):
    encoding, matrix = learnt(text)
    assert np.array_equal(encoding.apply(TRAIN), matrix)
    assert matrix.shape == (N, len(encoding.columns))
    assert FORMULAS[text] in (None, list(encoding.columns))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_few_rows_are_encoded_as_they_were_among_all(text):
    encoding, matrix = learnt(text)
    few = [7, 3, 3, 40]
    part = TRAIN.iloc[few].reset_index(drop=True)
    assert np.allclose(encoding.apply(part), matrix[few], rtol=0, atol=1e-12)


@pytest.mark.parametrize("text", FORMULAS)
def test_what_was_learnt_survives_json(text):
    encoding, matrix = learnt(text)
    learnt_again = json.loads(json.dumps([encoding.state, encoding.levels, encoding.coded]))
    state, levels, coded = learnt_again
    restored = type(encoding)(
        encoding.terms, encoding.columns, encoding.term_of, levels, coded, state
    )
    assert np.array_equal(restored.apply(TRAIN), matrix)


@pytest.mark.parametrize("text", FORMULAS)
def test_every_column_belongs_to_a_term(text):
    encoding, _ = learnt(text)
    assert sorted(set(encoding.term_of)) == list(range(len(encoding.terms)))
    for name, k in zip(encoding.columns, encoding.term_of, strict=True):
        if encoding.terms[k].is_intercept:
            assert name == "Intercept"


def test_text_is_encoded_in_the_order_of_its_categories():
    encoding, matrix = learnt("c")
    assert encoding.levels == {"c": ("low", "mid", "high")}
    assert matrix[:3].tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]


def test_a_number_is_a_category_in_c_and_a_number_elsewhere():
    _, matrix = learnt("C(k) + k:x")
    assert np.array_equal(matrix[:, -1], TRAIN["k"] * TRAIN["x"])
    assert np.array_equal(matrix[:, 2], TRAIN["k"] == 2)


@pytest.mark.parametrize(
    ("text", "column", "value", "shown"),
    [
        ("c", "c", "huge", "huge"),
        ("c:x", "c", "huge", "huge"),
        ("C(k)", "k", 9, "9"),
        ("C(k, contr.sum)", "k", -1, "-1"),
        ("C(b)", "b", "maybe", "maybe"),
        ("c", "c", 1.0, "1.0"),
    ],
)
def test_an_unseen_category_is_an_error(text, column, value, shown):
    encoding, _ = learnt(text)
    with pytest.raises(DataError, match=rf"column '{column}' has categories that .* lack: {shown}"):
        encoding.apply(TRAIN.assign(**{column: value}))


@pytest.mark.parametrize("text", ["x", "x:c", "scale(x)"])
def test_text_in_place_of_a_number_is_an_error(text):
    encoding, _ = learnt(text)
    with pytest.raises(DataError, match=r"these data give the columns|could not compute"):
        encoding.apply(TRAIN.assign(x=pd.Categorical(["1", "2"] * 30)))


def test_new_rows_are_held_to_the_same_range():
    encoding, _ = learnt("log(µ)")
    with pytest.raises(DataError, match=r"'log\(`µ`\)' is not finite, or too large, in 60 of 60"):
        encoding.apply(TRAIN.assign(**{"µ": 0.0}))


def test_a_spline_does_not_reach_beyond_its_knots():
    encoding, _ = learnt("bs(v, df=5)")
    with pytest.raises(DataError, match=r"could not compute .*bs\(v, df=5\)"):
        encoding.apply(TRAIN.assign(v=3.0))


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("log(k)", r"term 'log\(k\)' is not finite, or too large, in 15 of 60 rows \(-inf\)"),
        ("I(x / 0)", r"term 'I\(x / 0\)' is not finite"),
        ("I(x**900)", r"term 'I\(x \*\* 900\)' is not finite"),
        ("log(c)", r"could not compute Intercept, log\(c\)"),
        ("bs(c, df=5)", r"could not compute Intercept, bs\(c, df=5\)"),
        ("bs(x, df=1)", r"could not compute"),
        ("bs(`odd name`, df=1)", r"could not compute Intercept, bs\(`odd name`, df=1\)"),
        ("C(x > 5)", r"'C\(x > 5\)', categories of an expression"),
        ("C(c, contr.treatment('q'))", "not among the provided levels"),
    ],
)
def test_terms_that_cannot_be_computed(text, got):
    with pytest.raises(DataError, match=got) as caught:
        learnt(text)
    assert "\x1b" not in str(caught.value)
    assert "bayesmlm_column" not in str(caught.value)


@pytest.mark.parametrize("text", ["only", "C(one)", "x:only", "0 + only"])
def test_a_single_category_is_refused_and_not_dropped(text):
    frame = TRAIN.assign(only=pd.Categorical(["a"] * N), one=1)
    with pytest.raises(DataError, match="has one category"):
        learnt(text, frame)


def test_no_terms_make_no_columns():
    encoding, matrix = encode((), TRAIN)
    assert matrix.shape == (N, 0)
    assert encoding.apply(TRAIN.iloc[:3]).shape == (3, 0)


def test_freeze_and_thaw_are_inverse():
    state = {"f": {0: np.float64(1.5), "a": np.array([[1.0, 2.0]]), "n": None, "l": [1, (2, 3)]}}
    frozen = freeze(state)
    back = thaw(json.loads(json.dumps(frozen)))
    assert back["f"][0] == 1.5
    assert back["f"]["a"].tolist() == [[1.0, 2.0]]
    assert back["f"]["n"] is None
    assert back["f"]["l"] == [1, [2, 3]]


@pytest.mark.parametrize("function", TRANSFORMS + CENTRING)
def test_every_function_of_the_language_can_be_computed(function):
    arguments = dict.fromkeys(("within", "between", "latent"), "x, g")
    arguments |= {"bs": "x, df=4", "poly": "x, 2"}
    for spline in ("cr", "cc", "cs"):
        arguments[spline] = "x, df=4"
    _, matrix = learnt(f"0 + {function}({arguments.get(function, 'µ')})")
    assert np.isfinite(matrix).all()
