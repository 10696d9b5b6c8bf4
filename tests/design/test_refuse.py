import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.design.grouping import group_rows
from bayesmlm.design.refuse import (
    check_bare_names,
    check_declared_levels,
    check_groupings,
    check_same_groups,
    check_sides,
)
from bayesmlm.errors import DataError, SpecError

N = 24
FRAME = pd.DataFrame(
    {
        "y": np.arange(float(N)),
        "x": np.sin(np.arange(N)),
        "w": np.repeat([1.0, 3.0, 2.0, 5.0], 6),
        "t": pd.Categorical(np.tile(["u", "v"], 12)),
        "g": np.repeat(list("abcd"), 6),
        "h": np.tile([1, 2, 3], 8),
    }
)


def groups(*names, frame=FRAME):
    return tuple(group_rows((name,), frame) for name in names)


def test_good_groupings_pass():
    check_groupings(groups("g", "h"), True, N)


@pytest.mark.parametrize("name", ["beta", "sigma", "obs", "coef", "chain", "draw"])
def test_a_group_called_like_a_posterior_variable(name):
    with pytest.raises(DataError, match=f"a grouping named '{name}'"):
        check_groupings(groups(name, frame=FRAME.rename(columns={"g": name})), True, N)


@pytest.mark.parametrize("name", ["sd_g", "u_g", "corr_g", "g_effect", "g_pair", "sd/g"])
def test_a_group_called_like_a_variable_of_another(name):
    with pytest.raises(DataError, match=f"a grouping named '{name}'"):
        check_groupings(groups("g", name, frame=FRAME.rename(columns={"h": name})), True, N)


def test_two_groups_of_one_name_in_the_posterior():
    frame = FRAME.rename(columns={"g": "a/b", "h": "a_b"})
    with pytest.raises(DataError, match="two groupings that are both called 'a_b'"):
        check_groupings(groups("a/b", "a_b", frame=frame), True, N)
    frame = FRAME.rename(columns={"w": "g:h"})
    both = (*groups("g:h", frame=frame), group_rows(("g", "h"), frame))
    with pytest.raises(DataError, match="two groupings that are both called 'g:h'"):
        check_groupings(both, True, N)


def test_one_group():
    with pytest.raises(DataError, match=r"'g' has one group \('a'\)"):
        check_groupings(groups("g", frame=FRAME.assign(g="a")), True, N)


def test_one_row_per_group():
    single = groups("id", frame=FRAME.assign(id=np.arange(N)))
    with pytest.raises(DataError, match="'id' has 24 groups in 24 rows"):
        check_groupings(single, True, N)
    check_groupings(single, False, N)


def test_the_same_groups_under_two_names():
    frame = FRAME.assign(other=FRAME["g"].map({"a": 4, "b": 3, "c": 2, "d": 1}))
    same = groups("g", "other", frame=frame)
    with pytest.raises(DataError, match="'g' and 'other' make the same groups, and Intercept"):
        check_same_groups(same, (("Intercept", "x"), ("Intercept",)))
    check_same_groups(same, (("Intercept",), ("x",)))
    check_same_groups(groups("g", "h"), (("Intercept",), ("Intercept",)))


def test_the_response_on_both_sides():
    response = mlm.formula("log(y) ~ x").response
    with pytest.raises(SpecError, match="the response 'y' also as a predictor or a group"):
        check_sides(response, ("x", "y"))
    check_sides(response, ("x",))
    check_sides(mlm.formula("I(y - x) ~ 1").response, ("x",))


EQUATIONS = """
level 1:     y = b0 + b1*x + r
level 2 (g): b0 = g00 + g01*{} + u0
"""


def test_a_predictor_that_varies_below_the_level_where_an_equation_has_it():
    check_declared_levels(mlm.equations(EQUATIONS.format("w")), groups("g"), FRAME)
    with pytest.raises(
        DataError, match=r"'y' is in an equation of 'g' but varies within g a \(from 0 to 5\)"
    ):
        check_declared_levels(mlm.equations(EQUATIONS.format("y")), groups("g"), FRAME)
    with pytest.raises(DataError, match=r"'t' is in an equation of 'g' but varies within g a"):
        check_declared_levels(mlm.equations(EQUATIONS.format("t")), groups("g"), FRAME)
    spec = mlm.equations(EQUATIONS.format("between(x, g)"))
    check_declared_levels(spec, groups("g"), FRAME.assign(g=pd.Categorical(FRAME["g"])))


def test_a_level_without_random_effects_declares_too():
    text = "level 1: y = b0 + r\nlevel 2 (g): b0 = g00 + g01*x"
    with pytest.raises(DataError, match="'x' is in an equation of 'g' but varies within"):
        mlm.Model(mlm.equations(text), FRAME)
    text = text.replace("x", "w")
    assert mlm.Model(mlm.equations(text), FRAME).design.coef == ("Intercept", "w")
    with pytest.raises(DataError, match="unknown column 'gg'"):
        mlm.Model(mlm.equations(text.replace("(g)", "(gg)")), FRAME)


@pytest.mark.parametrize(
    ("name", "what"), [("u0", "bare name"), ("r", "bare name"), ("g01", "coefficient"), ("b0", "")]
)
def test_names_of_the_equations_are_no_columns(name, what):
    spec = mlm.equations(EQUATIONS.format("w"))
    check_bare_names(spec, tuple(FRAME.columns))
    with pytest.raises(SpecError, match=f"the {what}.*'{name}' in the equations is a column"):
        check_bare_names(spec, (*FRAME.columns, name))


def test_formulas_declare_nothing():
    spec = mlm.formula("y ~ x + (1 | g)")
    check_bare_names(spec, ("b0",))
    check_declared_levels(spec, groups("g"), FRAME)


def simple_frame(n=24):
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(n // 4), 4)
    return pd.DataFrame({"g": g, "x": rng.normal(size=n), "y": rng.normal(size=n)})


def test_no_room_for_a_residual_is_refused():
    frame = simple_frame()
    with pytest.raises(DataError, match="24 fixed columns in 24 rows"):
        mlm.Model("y ~ C(i)", frame.assign(i=range(24)))
    with pytest.raises(DataError, match="the predictors fit the response exactly"):
        mlm.Model("y ~ x", frame.assign(y=1 + 2 * frame["x"]))
    with pytest.raises(DataError, match="one value in every group of 'g'"):
        mlm.Model("y ~ x + (1 | g)", frame.assign(y=frame["g"] ** 2.0))


def test_a_grouping_in_both_parts_is_refused():
    with pytest.raises(DataError, match="the groups of 'g' are in the fixed part too"):
        mlm.Model("y ~ x + C(g) + (1 | g)", simple_frame())
    mlm.Model("y ~ C(g) + (0 + x | g)", simple_frame())


def test_an_unlikely_family_is_told():
    frame = simple_frame()
    frame["y"] = (frame["y"] > 0).astype(int)
    with pytest.warns(mlm.BayesmlmWarning, match='family="bernoulli" models its probability'):
        mlm.Model("y ~ x + (1 | g)", frame)
    with pytest.warns(mlm.BayesmlmWarning, match="every response is 1"):
        mlm.Model("y ~ x + (1 | g)", frame.assign(y=1), family="bernoulli")
