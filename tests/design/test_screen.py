import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmlm.design.screen import (
    check_names,
    check_varies,
    dependence,
    far_from_zero,
    near_collinear,
    screen,
)
from bayesmlm.errors import DataError

N = 50
RNG = np.random.default_rng(2)
ONE, X, W = np.ones(N), RNG.normal(size=N), RNG.normal(size=N)


def screened(*columns, names=None):
    names = names or ("Intercept", "x", "w", "z", "q")[: len(columns)]
    screen(np.column_stack(columns), names, "the fixed part")


def test_independent_columns_pass():
    screened(ONE, X, W)
    screened(X, W, names=("x", "w"))
    screen(np.empty((N, 0)), (), "the fixed part")


@pytest.mark.parametrize(
    ("column", "combination"),
    [
        (2 * X - 3 * W, "2 x - 3 w"),
        (5 + X, "5 Intercept \\+ 1 x"),
        (1e-8 * X, "1e-08 x"),
        (1e4 * X + W, "1e\\+04 x \\+ 1 w"),
    ],
)
def test_an_exact_combination_is_named(column, combination):
    with pytest.raises(
        DataError, match=rf"'z' is an exact combination .* fixed part: {combination}\n"
    ):
        screened(ONE, X, W, column)


def test_a_spline_beside_an_intercept_is_told_what_to_write():
    names = ("Intercept", "cr(x, df=3)[1]", "cr(x, df=3)[2]")
    with pytest.raises(DataError, match="write the spline with constraints='center'"):
        screened(ONE, X, 1 - X, names=names)


def test_a_long_combination_is_cut():
    many = RNG.normal(size=(N, 9))
    names = tuple(f"x{k}" for k in range(10))
    with pytest.raises(DataError, match=r"\+ …\n"):
        screened(*many.T, many.sum(axis=1), names=names)


@pytest.mark.parametrize("value", [0.0, 3.0, -1e50])
def test_a_constant_is_refused(value):
    with pytest.raises(DataError, match="'x' in the fixed part is constant"):
        screened(ONE, np.full(N, value))


def test_rounding_is_no_variation():
    noisy = np.full(N, 0.3)
    noisy[0] = 0.1 + 0.2
    with pytest.raises(DataError, match=r"'x' in the fixed part is constant \(0\.3 in every row\)"):
        screened(ONE, noisy)


def test_more_columns_than_rows():
    with pytest.raises(DataError, match="60 columns in the fixed part, and 50 rows"):
        screened(*RNG.normal(size=(60, N)), names=tuple(f"x{k}" for k in range(60)))


def test_far_from_zero_is_not_collinear_with_the_intercept():
    """Seconds since 1970 within a minute: 1e9 times farther from zero than they vary."""
    screened(ONE, 1.7e18 + 6e10 * RNG.uniform(size=N), X)
    screened(ONE, 2e5 + 1e-3 * X, W)


@given(
    st.floats(-1e6, 1e6).filter(lambda a: abs(a) > 1e-6),
    st.floats(-1e6, 1e6).filter(lambda b: abs(b) > 1e-6),
    st.floats(-1e6, 1e6),
)
def test_every_combination_of_columns_is_found(a, b, c):
    columns = np.column_stack([ONE, X, W, a * X + b * W + c])
    found = dependence(columns, intercept=True)
    assert found is not None
    assert found[0] == 3


@given(st.floats(1e-3, 1e6), st.floats(-1e5, 1e5))
def test_scale_and_origin_do_not_make_columns_dependent(scale, origin):
    columns = np.column_stack([ONE, scale * X + origin, W])
    assert dependence(columns, intercept=True) is None


def test_near_collinearity_is_told():
    note = near_collinear(np.column_stack([ONE, X, X + 1e-3 * W]), ("Intercept", "x", "z"))
    assert note.startswith(
        "nearly collinear predictors, with their variance inflation factors: x ("
    )
    assert near_collinear(np.column_stack([ONE, X, W]), ("Intercept", "x", "w")) is None
    assert near_collinear(np.column_stack([ONE, X]), ("Intercept", "x")) is None


def test_a_random_slope_far_from_zero_is_told():
    assert "Write grand(year) or within(year, child)" in far_from_zero("year", "child", 2000 + X)
    assert far_from_zero("x", "g", X) is None
    assert far_from_zero("Intercept", "g", ONE) is None


def test_names():
    check_names(("Intercept", "x"), 1, "the fixed part")
    check_names(("c[a]", "c[b]"), 0, "the fixed part")
    with pytest.raises(DataError, match=r"'c\[b\]' would name two columns in the fixed part"):
        check_names(("Intercept", "c[b]", "c[b]"), 1, "the fixed part")
    with pytest.raises(DataError, match="'Intercept' would name two columns"):
        check_names(("Intercept", "Intercept"), 1, "the fixed part")
    with pytest.raises(DataError, match="'Intercept' would name a predictor"):
        check_names(("Intercept",), 0, "the fixed part")


def test_varies():
    check_varies("x", X, "")
    with pytest.raises(DataError, match="takes values within"):
        check_varies("x", 1e-200 * X, "change it")
