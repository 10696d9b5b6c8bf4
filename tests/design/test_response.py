import numpy as np
import pandas as pd
import pytest

from bayesmlm.design.response import evaluate, learn, read_outcome, unlikely
from bayesmlm.errors import DataError, SpecError
from bayesmlm.families import family
from bayesmlm.spec import formula

FRAME = pd.DataFrame(
    {
        "y": [1.0, 2.5, -3.0, 4.0],
        "n": [5, 6, 7, 8],
        "r": [0, 6, 3, 8],
        "b": [0, 1, 1, 0],
        "s": [0.5, 0.5, 1.0, 2.0],
        "t": pd.Categorical(["no", "yes", "yes", "no"]),
        "ordered": pd.Categorical(["yes", "no", "no", "yes"], categories=["yes", "no"]),
        "inf": [1.0, 2.0, 3.0, 4.0],
        "my y": pd.Categorical(["no", "yes", "yes", "no"]),
    }
)


def outcome(left, name="gaussian", frame=FRAME):
    return read_outcome(formula(f"{left} ~ 1").response, family(name), frame)


def test_a_column():
    assert outcome("y").y.tolist() == FRAME["y"].tolist()
    assert outcome("y").rows == {}
    assert outcome("y").note is None


def test_a_function_of_a_column():
    assert outcome("log(s)").y == pytest.approx(np.log(FRAME["s"]))
    assert outcome("I(y - n)").y == pytest.approx(FRAME["y"] - FRAME["n"])


def test_additions_are_numbers_by_row():
    rows = outcome("y | weights(n) + se(s)").rows
    assert rows["weights"].tolist() == [5, 6, 7, 8]
    assert rows["se"].tolist() == FRAME["s"].tolist()
    assert outcome("r | trials(8)", "binomial").rows["trials"].tolist() == [8] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n - 1", [4, 5, 6, 7]),
        ("n + s", [5.5, 6.5, 8.0, 10.0]),
        ("2 * n", [10, 12, 14, 16]),
        ("n * s", [2.5, 3.0, 7.0, 16.0]),
        ("s ** 2 + 0.5", [0.75, 0.75, 1.5, 4.5]),
        ("sqrt(n - 4)", [1, 2**0.5, 3**0.5, 2]),
        ("3", [3, 3, 3, 3]),
        ("inf", [1, 2, 3, 4]),
    ],
)
def test_arithmetic_means_what_it_says(text, expected):
    """As a formula n - 1 would be n without an intercept, and n + s two columns."""
    assert evaluate(text, FRAME) == pytest.approx(expected)


def test_what_was_learnt_is_used_on_other_rows():
    encoding, _ = learn("center(y)", FRAME)
    new = pd.DataFrame({"y": [FRAME["y"].mean()]})
    assert encoding.apply(new)[:, 0] == pytest.approx([0.0])


def test_of_two_categories_the_second_is_the_success():
    found = outcome("t", "bernoulli")
    assert found.y.tolist() == [0, 1, 1, 0]
    assert found.note == "success is 'yes', failure is 'no'."
    assert outcome("ordered", "bernoulli").note == "success is 'no', failure is 'yes'."
    assert outcome("`my y`", "bernoulli").y.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("values", [[0, 1, 1, 0], [0.0, 1.0, 1.0, 0.0], [False, True, True, False]])
def test_a_bernoulli_response_of_zeros_and_ones(values):
    found = outcome("z", "bernoulli", FRAME.assign(z=values))
    assert found.y.tolist() == [0, 1, 1, 0]
    assert found.note is None


def test_categories_that_are_numbers_name_the_success():
    frame = FRAME.assign(z=pd.Categorical([1, 2, 2, 1]))
    assert outcome("z", "bernoulli", frame).note == "success is 2, failure is 1."


BAD = [
    ("t", "gaussian", DataError, r"'t' is text \('no', 'yes'\)"),
    ("t", "poisson", DataError, "'t' is text"),
    ("t | trials(n)", "binomial", DataError, "'t' is text"),
    ("y", "poisson", DataError, "outside the support of the poisson family: -3, 2.5"),
    ("n | trials(b)", "binomial", DataError, r"trials\(\) has values such as 0"),
    ("n | trials(3)", "binomial", DataError, "4 of 4 rows outside the support of the binomial"),
    ("r", "binomial", SpecError, "a binomial response without trials"),
    ("r | trials(s)", "binomial", DataError, r"trials\(\) has values such as 0.5"),
    ("y | trials(n)", "gaussian", SpecError, r"trials\(\) with the gaussian family"),
    ("b | se(s)", "bernoulli", SpecError, r"se\(\) with the bernoulli family"),
    ("r | precision(s)", "poisson", SpecError, r"precision\(\) with the poisson family"),
    ("y | se(y)", "gaussian", DataError, r"se\(\) has values such as -3"),
    ("y | weights(b)", "gaussian", DataError, r"weights\(\) has values such as 0"),
    ("y | se(1e999)", "gaussian", DataError, r"se\(\) has values such as inf"),
    ("y | se(2 * 3)", "gaussian", DataError, r"'2 \* 3'"),
    ("y | se(t)", "gaussian", DataError, "'t' is text"),
    ("y | se(s) + precision(s)", "gaussian", SpecError, r"se\(\) together with precision\(\)"),
    ("C(b)", "gaussian", DataError, r"'C\(b\)' gives 2 columns"),
    ("poly(y, 2)", "gaussian", DataError, r"'poly\(y, 2\)' gives 2 columns"),
    ("log(y)", "gaussian", DataError, r"term 'log\(y\)' is not finite"),
]


@pytest.mark.parametrize(("left", "name", "error", "got"), BAD)
def test_bad_responses(left, name, error, got):
    with pytest.raises(error, match=rf"{got}[\s\S]*allowed: [\s\S]*next: "):
        outcome(left, name)


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([1.0] * 4, r"is constant \(1 in every row\)"),
        ([1.0, 1.0 + 1e-15, 1.0, 1.0], "is constant"),
        ([1e-300, 2e-300, 0.0, 0.0], "takes values within 2e-300"),
        ([1e200, 0.0, 0.0, 0.0], "is not finite, or too large"),
    ],
)
def test_a_gaussian_response_has_a_scale(values, got):
    with pytest.raises(DataError, match=got):
        outcome("z", "gaussian", FRAME.assign(z=values))


def test_counts_are_exact():
    with pytest.raises(DataError, match="counts as large as 1e"):
        outcome("z", "poisson", FRAME.assign(z=[1e20, 1, 2, 3]))
    with pytest.raises(DataError, match="'trials' has counts as large as 1e"):
        outcome("b | trials(z)", "binomial", FRAME.assign(z=1e20))


LEVELS = pd.DataFrame(
    {
        "level": pd.Categorical(["b", "a", "c", "a"], categories=["c", "b", "a"], ordered=True),
        "number": [3, 2, 4, 2],
        "whole": [2.0, 3.0, 2.0, 2.0],
        "gap": [1, 2, 4, 1],
        "one": [2, 2, 2, 2],
        "half": [1.0, 1.5, 2.0, 1.0],
        "wide": [0, 1, 2, 1000],
        "text": pd.Categorical(["low", "high", "low", "high"]),
        "single": pd.Categorical(["a"] * 4, categories=["a"], ordered=True),
        "zero": [0, 0, 0, 0],
    }
)


def test_ordered_categories_are_counted_in_their_order():
    found = outcome("level", "cumulative", LEVELS)
    assert found.y.tolist() == [1, 2, 0, 2]
    assert found.categories == ("c", "b", "a")
    assert found.threshold_labels == ("c|b", "b|a")


@pytest.mark.parametrize(
    ("name", "y", "categories"),
    [("number", [1, 0, 2, 0], (2, 3, 4)), ("whole", [0, 1, 0, 0], (2, 3))],
)
def test_whole_numbers_are_ordered_categories(name, y, categories):
    found = outcome(name, "cumulative", LEVELS)
    assert found.y.tolist() == y
    assert found.categories == categories


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gap", "no row of the response 'gap' has 3"),
        ("one", r"has one category \(2\)"),
        ("half", "has values such as 1.5"),
        ("wide", "has values such as 1000"),
        ("text", "has categories without an order: 'high', 'low'"),
        ("single", r"has one category \('a'\)"),
    ],
)
def test_responses_that_are_not_ordered_categories(name, words):
    with pytest.raises(DataError, match=words):
        outcome(name, "cumulative", LEVELS)


@pytest.mark.parametrize(
    "name", ["poisson", "negbinomial", "zero_inflated_poisson", "hurdle_negbinomial"]
)
def test_counts_that_are_all_zero_are_told(name):
    response = formula("zero ~ 1").response
    found = read_outcome(response, family(name), LEVELS)
    assert unlikely(response, family(name), found) == (
        "every response is 0: only the priors bound the intercept."
    )


def categories(values):
    frame = pd.DataFrame({"c": values})
    return read_outcome(formula("c ~ 1").response, family("categorical"), frame)


def test_categories_without_an_order():
    found = categories(pd.Categorical(["walk", "bus", "car", "bus"]))
    assert found.categories == ("bus", "car", "walk")
    assert (found.reference, found.y.tolist()) == ("bus", [2, 0, 1, 0])
    assert found.note == "reference category is 'bus'; log odds against it: mucar, muwalk."
    chosen = pd.Categorical(["walk", "bus", "car"], categories=["walk", "car", "bus"])
    assert categories(chosen).reference == "walk"
    numbers = categories([7, 3, 3, 12])
    assert (numbers.categories, numbers.y.tolist()) == ((3, 7, 12), [1, 0, 0, 2])


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([0, 1, 1], "two categories: 0, 1"),
        ([2, 2], "one category: 2"),
        ([1, 2, 3.5], "values such as 3.5"),
        (list(range(51)), "51 categories"),
    ],
)
def test_what_is_no_set_of_categories(values, got):
    with pytest.raises(DataError, match=got):
        categories(values)
