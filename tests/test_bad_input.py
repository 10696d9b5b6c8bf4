"""Bad input gets one typed error that says got, allowed and next, and nothing is fitted."""

import datetime
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

import bayesmlm as mlm
from bayesmlm.errors import (
    BayesmlmError,
    BayesmlmWarning,
    DataError,
    EngineError,
    FamilyError,
    PriorError,
    SpecError,
    UnsupportedError,
)

N = 40
RNG = np.random.default_rng(5)
GOOD = {
    "y": RNG.normal(size=N),
    "x": RNG.normal(size=N),
    "z": RNG.normal(size=N),
    "w": np.repeat(RNG.normal(size=8), 5),
    "school": np.repeat([f"s{j}" for j in range(8)], 5),
    "item": np.tile(np.arange(5), 8),
    "n": np.full(N, 6),
    "r": RNG.integers(0, 6, N),
    "b": RNG.integers(0, 2, N),
    "s": RNG.uniform(0.5, 1, N),
    "c": np.array(["u", "v", "w"])[np.arange(N) % 3],
}
UNSEEN = pd.Categorical(
    np.array(["rarely", "often"])[np.arange(N) % 2],
    categories=["never", "rarely", "often"],
    ordered=True,
)
EQUATIONS = """
level 1:          y = b0 + b1*x + e
level 2 (school): b0 = g00 + g01*{} + u0
                  b1 = g10 + u1
"""
FORMULA = "y ~ x + (1 | school)"


def data(**columns):
    return pd.DataFrame(GOOD | columns)


def first(value, column):
    """Return a column of the good data with its first value replaced."""
    return [value, *GOOD[column][1:].tolist()]


def model(
    spec=FORMULA, family=None, priors=None, frame=None, link=None, missing="error", **columns
):
    frame = data(**columns) if frame is None else frame
    return mlm.Model(spec, frame, family, priors, link=link, missing=missing)


def equations(text):
    return mlm.equations(EQUATIONS.format(text))


def test_the_data_of_these_tests_are_good():
    assert model().design.coef == ("Intercept", "x")
    assert model(equations("w")).design.coef == ("Intercept", "w", "x")
    assert len(model("b ~ x + (1 | school)", "bernoulli").design.y) == N
    assert len(model("r | trials(n) ~ x + (x | school)", "binomial").design.y) == N
    assert len(model("r ~ x + (1 | school/item) + (1 | c)", "poisson").design.y) == N


# ---- each case: what it is, the call, the error, what was got, what is allowed, what next ----

SPEC = [
    ("a column misspelt", lambda: model("y ~ xx"), DataError,
     r"unknown column 'xx' \(did you mean 'x'\?\)", "columns of the data: y, x,", "correct the"),
    ("a column unknown", lambda: model("y ~ quux"), DataError,
     "unknown column 'quux'\n", "columns of the data", "add the column"),
    ("a group misspelt", lambda: model("y ~ x + (1 | shcool)"), DataError,
     r"unknown column 'shcool' \(did you mean 'school'\?\)", "columns of the data", "correct"),
    ("a group misspelt in equations",
     lambda: model(mlm.equations(EQUATIONS.format("w").replace("(school)", "(shool)"))), DataError,
     r"unknown column 'shool' \(did you mean 'school'\?\)", "columns", "correct"),
    ("a column of another case", lambda: model("Y ~ x"), DataError,
     "unknown column 'Y'", "columns", "correct"),
    ("an unbalanced bar", lambda: model("y ~ x + (1 | school"), SpecError,
     r"'\(' is not closed", "every bracket", "add or remove"),
    ("a closing bracket too many", lambda: model("y ~ x + 1 | school)"), SpecError,
     r"'\)' without its opening", "every bracket", "add or remove"),
    ("a bar without brackets", lambda: model("y ~ x + 1 | school"), SpecError,
     "bar", "response ~ terms", r"in parentheses"),
    ("an empty bar", lambda: model("y ~ x + ( | )"), SpecError, "a bar without", r"\(1", "write"),
    ("a bar without effects", lambda: model("y ~ x + (| school)"), SpecError,
     "a bar without effects", r"\(1", r"write \(1 \| g\)"),
    ("a bar without a group", lambda: model("y ~ x + (1 |)"), SpecError,
     "a bar without a group", r"\(1", r"write \(1 \| g\)"),
    ("nothing in the brackets", lambda: model("y ~ x + ()"), SpecError, "nothing before", "columns",
     "write terms"),
    ("a bar that takes its effect away", lambda: model("y ~ x + (0 | school)"), SpecError,
     "no effect", r"\(1", "remove the bar"),
    ("no response", lambda: model("~ x"), SpecError, "no response", "response ~", "before ~"),
    ("no tilde", lambda: model("y + x"), SpecError, "no ~", "response ~", "for example"),
    ("no formula", lambda: model(""), SpecError, "no ~", "response ~", "for example"),
    ("no right side", lambda: model("y ~"), SpecError, "an empty right side", "terms", "write 1"),
    ("equations as plain text", lambda: model(EQUATIONS.format("w")), SpecError, "no ~",
     "response ~", "example"),
    ("a specification of another type", lambda: model(["y ~ x"]), SpecError,
     "a specification of type list", "a formula as text", "write the model"),
    ("no specification", lambda: model(None), SpecError, "type NoneType", "formula", "write"),
    ("a class for a specification", lambda: model(mlm.ModelSpec), SpecError, "of type", "formula",
     "write"),
    ("a specification of no response", lambda: model(mlm.ModelSpec(())), UnsupportedError,
     "0 responses", "one response", "fit one model"),
    ("what nobody implements", lambda: model("y ~ x + (1 | mm(school, item))"), UnsupportedError,
     "multiple membership", "one response", r"\(1 \| g\)"),
    ("a formula of no parameter", lambda: model("y ~ x; nu ~ x"), SpecError,
     "a formula for 'nu', which is no parameter of the gaussian family", "sigma",
     "leave out 'nu ~ …'"),
    ("a second response", lambda: model("y ~ x; n ~ x"), SpecError,
     "a formula for 'n'", "sigma", "another family"),
    ("a formula of a known SD", lambda: model("y | se(s) ~ x; sigma ~ x"), SpecError,
     "'sigma', which is known by row", "none: gaussian has only its location", "leave out"),
    ("a link that a parameter lacks", lambda: model("y ~ x; logit(sigma) ~ x"), SpecError,
     "the link 'logit' of sigma", "log, identity", "write 'sigma ~ …'"),
    ("the response in the formula of sigma", lambda: model("y ~ x; sigma ~ y"), SpecError,
     "the response 'y' also as a predictor", "one side", "remove 'y'"),
    ("a column of sigma that is not there", lambda: model("y ~ x; sigma ~ nothing"), DataError,
     "nothing", "columns", "name"),
    ("a constant in the formula of sigma", lambda: model("y ~ x; sigma ~ one", one=1.0), DataError,
     "'one' in the fixed part of sigma is constant", "values that vary", "remove 'one'"),
    ("the prior of a sigma with a formula",
     lambda: model("y ~ x; sigma ~ x", priors={"sigma": mlm.HalfNormal(1)}), PriorError,
     "a prior for 'sigma'", "sigma_Intercept, sigma_x", "correct the name"),
    ("a prior that no slope of sigma has",
     lambda: model("y ~ x; sigma ~ x", priors={"sigma_x": mlm.Beta(1, 1)}), PriorError,
     "as the prior of 'sigma_x'", "Normal", "pass one of these"),
    ("a coefficient called as one of sigma",
     lambda: model("y ~ sigma_x; sigma ~ x", None, {"sigma_x": mlm.Normal()}, sigma_x=GOOD["w"]),
     PriorError, "a coefficient's name and a parameter's", "one parameter", "rename"),
    ("two categories as categorical", lambda: model("c ~ x", "categorical", c=["u", "v"] * 20),
     DataError, "the response 'c' has two categories: 'u', 'v'", "three categories or more",
     'family="bernoulli"'),
    ("one category as categorical", lambda: model("c ~ x", "categorical", c=["u"] * 40),
     DataError, "the response 'c' has one category", "three", "check that this is the outcome"),
    ("a category never seen", lambda: model("c ~ x", "categorical", c=UNSEEN), DataError,
     "no row of the response 'c' has 'never'", "categories with rows", "remove_unused_categories"),
    ("a measurement as categorical", lambda: model("y ~ x", "categorical"), DataError,
     "the response 'y' has values such as", "whole numbers that name categories", "another family"),
    ("identifiers as categorical",
     lambda: mlm.Model("c ~ x", pd.DataFrame({"c": range(60), "x": np.arange(60.0)}),
                       "categorical"), DataError,
     "the response 'c' has 60 categories", "at most 50", "join categories"),
    ("a category without a name",
     lambda: model("c ~ x", "categorical", c=["", "v", "w", "z"] * 10), DataError,
     "a category without a name", "names", "name it"),
    ("a category that there is no formula for",
     lambda: model("c ~ x; muz ~ x", "categorical"), SpecError,
     "a formula for 'muz'", "muv, muw", "leave out"),
    ("mass points of categories",
     lambda: model("c ~ (1 | gr(school, dist='points', k=2))", "categorical"), SpecError,
     "mass points with the categorical family", "normal", "student"),
    ("a link of categories", lambda: model("c ~ x", "categorical", link="probit"), FamilyError,
     "the categorical family has no link 'probit'", "logit", "leave link out"),
    ("the scale of categories",
     lambda: model("c ~ x", "categorical", {"sigma": mlm.HalfNormal()}), PriorError,
     "a prior for 'sigma'", "muv_x", "correct the name"),
    ("a grouping called as sigma's effects",
     lambda: model("y ~ x + (1 | sigma_g); sigma ~ (1 | g)", sigma_g=[0, 1, 2, 3] * 10,
                   g=[0, 1] * 20), DataError,
     "a grouping named 'sigma_g'", "groupings of other names", "rename the column"),
    ("the response as predictor", lambda: model("y ~ y + x"), SpecError, "'y' on both sides",
     "response ~", "remove"),
    ("a function of the response as predictor", lambda: model("y ~ exp(y) + x"), SpecError,
     "the response 'y' also as a predictor", "one side", "remove 'y'"),
    ("the response as group", lambda: model("n ~ x + (1 | n)"), SpecError,
     "the response 'n' also as a predictor or a group", "one side", "remove 'n'"),
    ("a bare name that is a column",
     lambda: model(mlm.equations("level 1: y = b0 + e\nlevel 2 (school): b0 = w + u0")), SpecError,
     "the bare name 'w' in the equations is a column", r"coefficient\*column", r"write b1\*w"),
    ("a residual that is a column", lambda: model(equations("w"), e=1.0), SpecError,
     "the bare name 'e'", "a coefficient", "rename"),
    ("a coefficient that is a column",
     lambda: model(mlm.equations("level 1: y = b0 + z*x + e\nlevel 2 (school): b0 = g00 + u0")),
     SpecError, "the coefficient 'z' in the equations is a column", "coefficient", "rename"),
    ("a level-2 predictor that varies within", lambda: model(equations("z")), DataError,
     "'z' is in an equation of 'school' but varies within school s0", "one value in each school",
     r"between\(z, school\)"),
    ("level-2 text that varies within", lambda: model(equations("c")), DataError,
     "'c' is in an equation of 'school' but varies within school s0", "one value", "level 1"),
]  # fmt: skip

CODE = [
    "y ~ __import__('os').system('true')",
    "y ~ eval('x')",
    "y ~ exec('x')",
    "y ~ open('x')",
    "y ~ x.__class__",
    "y ~ I(x.real)",
    "y ~ I((lambda: x)())",
    "y ~ I([x for x in x])",
    "y ~ I(x if x else x)",
    "y ~ {x}",
    "y ~ np.log(x)",
    "y ~ I(f'{x}')",
    "y ~ I(x := 3)",
    "y ~ log(x, out=x)",
    "y ~ I(x[0])",
    "y ~ I(x + 9**9**9)",
    "y ~ getattr(x, 'values')",
    "y ~ log.__globals__",
    "y ~ x; import os",
    "y ~ `x` @ x",
    "log(open('x')) ~ x",
    "y | se(open('x')) ~ x",
    "y ~ x + (1 | open('x'))",
    "y ~ x + (eval('x') | school)",
    "y ~ offset(eval('x'))",
]

VALUES = [
    ("NaN", lambda: model(x=first(np.nan, "x")), DataError,
     r"missing values in x \(1\): 1 of 40 rows", 'missing="drop"', "impute"),
    ("NaN in two columns", lambda: model(x=first(np.nan, "x"), y=first(np.nan, "y")), DataError,
     r"missing values in y \(1\), x \(1\): 1 of 40 rows", "complete rows", "leave these rows out"),
    ("a missing group", lambda: model(school=first(None, "school")), DataError,
     r"missing values in school \(1\): 1 of 40", "complete rows", "missing="),
    ("a missing response", lambda: model(y=first(np.nan, "y")), DataError,
     r"missing values in y \(1\)", "complete rows", "missing="),
    ("missing trials", lambda: model("r | trials(n) ~ x", "binomial", n=first(np.nan, "n")),
     DataError, r"missing values in n \(1\)", "complete", "missing="),
    ("a column of nothing", lambda: model(x=None), DataError, r"missing values in x \(40\)",
     "complete", "missing="),
    ("a column of nothing, dropped", lambda: model(x=None, missing="drop"), DataError,
     "no row is complete", "one complete row", "look at"),
    ("a polars null", lambda: model(frame=pl.DataFrame(GOOD | {"x": first(None, "x")})), DataError,
     r"missing values in x \(1\)", "complete", "missing="),
    ("a polars NaN", lambda: model(frame=pl.DataFrame(GOOD | {"x": first(float("nan"), "x")})),
     DataError, r"missing values in x \(1\)", "complete", "missing="),
    ("missing= of another word", lambda: model(missing="dorp"), DataError, "missing='dorp'",
     "'error', 'drop'", "choose"),
    ("missing= of another type", lambda: model(missing=True), DataError, "missing=True", "'drop'",
     "choose"),
    ("infinity", lambda: model(x=first(np.inf, "x")), DataError, r"infinite values in x \(1\)",
     "finite", "correct or remove"),
    ("minus infinity", lambda: model(y=first(-np.inf, "y")), DataError,
     r"infinite values in y \(1\)", "finite", "correct or remove"),
    ("huge predictors", lambda: model(x=1e200 * GOOD["x"]), DataError, "'x' is not finite, or too",
     "below 1e\\+100", "unit"),
    ("huge responses", lambda: model(y=1e200 * GOOD["y"]), DataError, "'y' is not finite, or too",
     "below 1e\\+100", "unit"),
    ("tiny predictors", lambda: model(x=1e-200 * GOOD["x"]), DataError, "takes values within",
     "range", "unit"),
    ("tiny responses", lambda: model(y=1e-200 * GOOD["y"]), DataError, "takes values within",
     "range", "unit"),
    ("a logarithm of zero", lambda: model("y ~ log(item)"), DataError,
     r"'log\(item\)' is not finite.*8 of 40", "below", "logarithm of zero"),
    ("a division by zero", lambda: model("y ~ I(x / 0)"), DataError, "is not finite", "below",
     "division"),
    ("a constant predictor", lambda: model("y ~ k", k=3.0), DataError, "'k' .*constant \\(3",
     "vary", "remove 'k'"),
    ("a constant truth", lambda: model("y ~ k", k=True), DataError, "'k' .*constant", "vary",
     "remove 'k'"),
    ("a constant category", lambda: model("y ~ k", k="a"), DataError,
     r"'k' has one category \('a'\)", "vary", "remove 'k'"),
    ("a constant C()", lambda: model("y ~ C(k)", k=1), DataError, "one category", "vary", "remove"),
    ("a constant slope", lambda: model("y ~ x + (k | school)", k=1.0), DataError,
     "'k' in the effects of school is constant", "vary", "remove 'k'"),
    ("a constant response", lambda: model(y=1.0), DataError, "the response 'y' is constant", "vary",
     "outcome"),
    ("collinear predictors", lambda: model("y ~ x + w + q", q=2 * GOOD["x"] - 3 * GOOD["w"]),
     DataError, "'q' is an exact combination .*: 2 x - 3 w", "independent", "remove 'q'"),
    ("a predictor twice", lambda: model("y ~ x + q", q=GOOD["x"]), DataError,
     "'q' is an exact combination .*: 1 x", "independent", "remove 'q'"),
    ("collinear slopes", lambda: model("y ~ 1 + (x + q | school)", q=2 * GOOD["x"]), DataError,
     "'q' is an exact combination of other columns in the effects of school: 2 x", "independent",
     "remove"),
    ("all groups as predictors too", lambda: model("y ~ school + w"), DataError,
     "'w' is an exact combination", "independent", "remove 'w'"),
    ("more columns than rows", lambda: model("y ~ poly(x, 45)"), DataError,
     "46 columns in the fixed part, and 40 rows", "fewer columns", "drop"),
    ("a text in a function", lambda: model("y ~ log(c)"), DataError,
     r"could not compute .*log\(c\)", "types", "look at the columns"),
    ("a text to centre", lambda: model("y ~ within(c, school)"), DataError,
     "'c' to be centred is text", "numbers", "convert"),
    ("a bad spline", lambda: model("y ~ bs(x, df=1)"), DataError, "could not compute", "types",
     "look"),
    ("a categorical expression", lambda: model("y ~ C(x > 0)"), DataError,
     r"'C\(x > 0\)', categories of an expression", r"C\(column\)", "make a column"),
    ("a column named Intercept", lambda: model("y ~ Intercept", Intercept=GOOD["x"]), DataError,
     "'Intercept' would name two columns", "a name a column", "rename"),
]  # fmt: skip

GROUPS = [
    ("a measurement as group", lambda: model("y ~ 1 + (1 | x)"), DataError,
     "'x' holds numbers that are not whole, such as", "whole numbers", "it is a predictor"),
    ("a measurement to centre by", lambda: model("y ~ within(x, z)"), DataError,
     "'z' holds numbers that are not whole", "whole numbers", "predictor"),
    ("floats beyond exact integers",
     lambda: model("y ~ 1 + (1 | q)", q=np.repeat([1e300, 2e300], 20)), DataError,
     "'q' holds numbers that are not whole", "whole numbers", "label the groups"),
    ("one group", lambda: model(school="s1"), DataError, r"'school' has one group \('s1'\)",
     "two groups or more", "remove the random effects"),
    ("one row", lambda: model("y ~ 1 + (1 | school)", frame=data().iloc[:1]), DataError,
     "constant", "vary", "outcome"),
    ("one group after dropping",
     lambda: model(school=first("b", "school")[:1] + ["a"] * 39, x=first(np.nan, "x"),
                   missing="drop"), DataError, "'school' has one group", "two groups", "remove"),
    ("one row per group", lambda: model("y ~ x + (1 | id)", id=np.arange(N)), DataError,
     "'id' has 40 groups in 40 rows: one row per group", "groups of several rows",
     r"y \| se\(column\)"),
    ("one row per cell", lambda: model("y ~ x + (1 | school:item)"), DataError,
     "'school:item' has 40 groups in 40 rows", "groups of several rows", "remove"),
    ("one row per group, with weights",
     lambda: model("y | weights(s) ~ x + (1 | id)", id=np.arange(N)), DataError,
     "one row per group", "several rows", "se"),
    ("the same groups twice",
     lambda: model("y ~ x + (1 | school) + (1 | q)", q=np.repeat(np.arange(8), 5)), DataError,
     "'school' and 'q' make the same groups", "differ", "remove the random effects of 'q'"),
    ("groups of one name", lambda: model(
        "y ~ 1 + (1 | p:q)", p=["a:b", "a"] * 20, q=["c", "b:c"] * 20), DataError,
     "different groups of p:q have one name: 'a:b:c'", "labels that differ", "colons"),
    *(
        (f"a group named {name}",
         lambda name=name: model(f"y ~ x + (1 | {name})", **{name: GOOD["school"]}), DataError,
         f"a grouping named '{name}'", "other than those of the posterior", "rename the column")
        for name in ("beta", "sigma", "obs", "coef", "chain", "draw", "effect", "mean", "sd")
    ),
    *(
        (f"a group named {name} beside school",
         lambda name=name: model(f"y ~ x + (1 | school) + (1 | {name})", **{name: GOOD["item"]}),
         DataError, f"a grouping named '{name}'", "other than those", "rename the column")
        for name in ("sd_school", "u_school", "corr_school", "school_effect", "school_pair")
    ),
    ("two groups of one safe name",
     lambda: model("y ~ x + (1 | `a/b`) + (1 | a_b)",
                   **{"a/b": GOOD["school"], "a_b": GOOD["item"]}), DataError,
     "two groupings that are both called 'a_b'", "differ", "rename"),
    ("a group and an interaction of one name",
     lambda: model("y ~ x + (1 | `c:item`) + (1 | c:item)", **{"c:item": GOOD["school"]}),
     DataError, "two groupings that are both called 'c:item'", "differ", "rename"),
]  # fmt: skip

FRAMES = [
    ("repeated columns", lambda: pd.concat([data(), data()[["x"]]], axis=1),
     "repeated column names: 'x'", "one column a name", "rename or remove"),
    ("no rows", lambda: data().iloc[:0], "without rows", "one row or more", "filter"),
    ("nothing", pd.DataFrame, "without rows", "one row or more", "filter"),
    ("no rows in polars", lambda: pl.DataFrame(GOOD).head(0), "without rows", "one row", "filter"),
    ("a list", lambda: [GOOD], "data of type list", "DataFrame", r"pandas\.DataFrame\(data\)"),
    ("a dictionary", lambda: GOOD, "data of type dict", "DataFrame", r"pandas\.DataFrame"),
    ("an array", lambda: np.eye(3), "data of type ndarray", "DataFrame", r"pandas\.DataFrame"),
    ("None", lambda: None, "data of type NoneType", "DataFrame", r"pandas\.DataFrame"),
    ("a lazy frame", lambda: pl.DataFrame(GOOD).lazy(), "data of type LazyFrame", "DataFrame",
     r"call \.collect\(\)"),
    ("a series", lambda: data()["y"], "data of type Series", "DataFrame", "pass"),
    ("a polars series", lambda: pl.Series([1]), "data of type Series", "DataFrame", "pass"),
    ("a path", lambda: "data.csv", "data of type str", "DataFrame", "pass"),
    ("a class", lambda: pd.DataFrame, "data of type DataFrame", "DataFrame", "pass"),
    ("columns named by numbers", lambda: pd.DataFrame(np.eye(3)), "unknown column 'y'", "0, 1, 2",
     r"data\.columns = data\.columns\.map\(str\)"),
    ("columns of several levels", lambda: pd.concat({"a": data()}, axis=1), "unknown column 'y'",
     r"\('a', 'y'\)", r"columns\.map\(str\)"),
    *(
        (f"a column of {what}", lambda column=column: data(x=column),
         rf"column 'x' holds {re.escape(holds)}", "numbers, booleans, text or categories", step)
        for what, column, holds, step in [
            ("times", pd.date_range("2020", periods=N), "Datetime", "days, or years"),
            ("durations", pd.to_timedelta(np.arange(N), "D"), "Duration", "days, or years"),
            ("dates", [datetime.date(2020, 1, 1)] * N, "Object (date)", "astype"),
            ("numbers and text", [1, "a"] * 20, "Object (int, str)", "astype"),
            ("lists", [[1]] * N, "Object (list)", "astype"),
            ("arrays", [np.ones(2)] * N, "Object (ndarray)", "astype"),
            ("complex numbers", 1j * GOOD["x"], "Unknown (complex)", "astype"),
            ("periods", pd.period_range("2020", periods=N), "Unknown (Period)", "astype"),
            ("integers too large", [2**70 + k for k in range(N)], "Object (int)", "astype"),
        ]
    ),
]  # fmt: skip


def response(left, family, link=None, **columns):
    return model(f"{left} ~ x + (1 | school)", family, link=link, **columns)


RESPONSES = [
    ("negative counts", lambda: response("r", "poisson", r=first(-1, "r")), DataError,
     "'r' has 1 of 40 rows outside the support of the poisson family: -1", "whole numbers from 0",
     "correct these rows"),
    ("fractional counts", lambda: response("s", "poisson"), DataError, "outside the support",
     "whole numbers", "correct"),
    ("fractional counts, negative binomial", lambda: response("s", "negbinomial"), DataError,
     "outside the support of the negbinomial family", "whole numbers from 0", "another family"),
    ("fractional counts, hurdle", lambda: response("s", "hurdle_poisson"), DataError,
     "outside the support", "whole numbers from 0", "another family"),
    ("more successes than trials, beta-binomial",
     lambda: response("r | trials(n)", "beta_binomial", r=first(99, "r")), DataError,
     "1 of 40 rows outside the support", "to the number of trials", "correct these rows"),
    ("a beta-binomial without trials", lambda: response("r", "beta_binomial"), SpecError,
     "without trials", r"trials\(column\)", "name the column"),
    ("a share of one", lambda: response("s", "beta", s=first(1.0, "s")), DataError,
     "outside the support of the beta family", "above 0 and below 1", "another family"),
    ("a negative size", lambda: response("y", "gamma", y=first(-1.0, "y")), DataError,
     "outside the support of the gamma family", "positive finite", "another family"),
    ("text in no order", lambda: response("c", "cumulative"), DataError,
     "has categories without an order", "ordered categorical", "ordered=True"),
    ("a category that no row has", lambda: response("level", "cumulative", level=UNSEEN), DataError,
     "no row of the response 'level' has 'never'", "categories with rows", "remove the category"),
    ("a prior of an intercept that is no parameter",
     lambda: model("r ~ x", "cumulative", r=np.arange(N) % 3, priors={"Intercept": mlm.Normal()}),
     PriorError, "a prior for 'Intercept'", "thresholds", "correct the name"),
    ("a positive prior of thresholds",
     lambda: model("r ~ x", "cumulative", r=np.arange(N) % 3, priors={"thresholds": mlm.Gamma()}),
     PriorError, "prior of 'thresholds'", "Normal, StudentT, Cauchy", "Normal"),
    ("a prior of a share that is not bounded",
     lambda: model("r ~ x", "hurdle_poisson", priors={"hu": mlm.Normal()}), PriorError,
     "prior of 'hu'", "Beta", "Beta"),
    ("a prior of a slope on the unit interval",
     lambda: model("y ~ x", priors={"x": mlm.Beta(2, 2)}), PriorError, "prior of 'x'", "Normal",
     "pass one of these"),
    ("enormous counts", lambda: response("r", "poisson", r=1e20), DataError, "as large as 1e\\+20",
     "whole numbers up to", "logarithm"),
    ("more successes than trials", lambda: response("r | trials(n)", "binomial", r=first(7, "r")),
     DataError, "'r' has 1 of 40 rows outside the support of the binomial family: 7",
     "0 to the number of trials", "correct"),
    ("negative successes", lambda: response("r | trials(n)", "binomial", r=first(-1, "r")),
     DataError, "outside the support of the binomial family: -1", "0 to the number", "correct"),
    ("0, 1 and 2", lambda: response("item", "bernoulli", item=np.arange(N) % 3), DataError,
     "13 of 40 rows outside the support of the bernoulli family: 2", "0 and 1", "correct"),
    ("three categories", lambda: response("c", "bernoulli"), DataError,
     "the response 'c' has 3 categories: 'u', 'v', 'w'", "two categories", "0 and 1"),
    ("one category", lambda: response("c", "bernoulli", c="u"), DataError, "has 1 categories: 'u'",
     "two categories", "keep two"),
    ("text, gaussian", lambda: response("c", None), DataError, r"'c' is text \('u', 'v', 'w'\)",
     "numbers", 'family="bernoulli"'),
    ("text, poisson", lambda: response("c", "poisson"), DataError, "'c' is text", "numbers",
     "convert"),
    ("categories of numbers, gaussian", lambda: response("q", None, q=pd.Categorical([1, 2] * 20)),
     DataError, r"'q' is text \(1, 2\)", "numbers", "convert"),
    ("two columns", lambda: response("poly(y, 2)", None), DataError, "gives 2 columns",
     "one column", "simplify"),
    ("binomial without trials", lambda: response("r", "binomial"), SpecError,
     "a binomial response without trials", r"y \| trials\(column\)", r"y \| trials\(n\)"),
    ("no trials", lambda: response("r | trials(q)", "binomial", q=0), DataError,
     r"trials\(\) has values such as 0", "whole numbers from 1", "correct"),
    ("half trials", lambda: response("b | trials(q)", "binomial", q=[2, 1.5] * 20), DataError,
     r"trials\(\) has values such as 1\.5", "whole numbers from 1", "correct"),
    ("an SE of zero", lambda: response("y | se(q)", None, q=[1, 0] * 20), DataError,
     r"se\(\) has values such as 0", "positive finite numbers", "correct"),
    ("an infinite SE", lambda: response("y | se(1e999)", None), DataError,
     r"se\(\) has values such as inf", "positive finite", "correct"),
    ("a negative weight", lambda: response("y | weights(q)", None, q=[1, -0.5] * 20), DataError,
     r"weights\(\) has values such as -0\.5", "positive", "correct"),
    ("no precision", lambda: response("y | precision(q)", None, q=0.0), DataError,
     r"precision\(\) has values such as 0", "positive", "correct"),
    ("an SE of text", lambda: response("y | se(c)", None), DataError, "'c' is text", "numbers",
     "convert"),
    ("an unknown addition", lambda: response("y | cens(s)", None), SpecError, "the addition 'cens'",
     "se, trials, weights, precision", "for example"),
    ("an addition unknown to the data", lambda: response("y | se(ss)", None), DataError,
     r"unknown column 'ss' \(did you mean 's'", "columns", "correct"),
    ("trials of a gaussian", lambda: response("y | trials(n)", None), SpecError,
     r"trials\(\) with the gaussian family", "weights, se, precision", "remove trials"),
    ("trials of counts", lambda: response("r | trials(n)", "poisson"), SpecError,
     r"trials\(\) with the poisson family", "weights", "remove trials"),
    ("se of a bernoulli", lambda: response("b | se(s)", "bernoulli"), SpecError,
     r"se\(\) with the bernoulli family", "weights", "remove se"),
    ("precision of counts", lambda: response("r | precision(s)", "poisson"), SpecError,
     r"precision\(\) with the poisson family", "weights", "remove precision"),
    ("se and precision", lambda: response("y | se(s) + precision(s)", None), SpecError,
     r"se\(\) together with precision\(\)", "one of them", "keep the one"),
    ("an offset of text", lambda: model("y ~ x + offset(c)"), DataError, "'c' is text", "numbers",
     "convert"),
    ("an unknown family", lambda: response("y", "gausian"), FamilyError,
     r"unknown family 'gausian' \(did you mean 'gaussian'\?\)", "gaussian, student", "pass"),
    ("a family of another case", lambda: response("y", "Gaussian"), FamilyError,
     r"unknown family 'Gaussian' \(did you mean", "gaussian", "pass"),
    ("a family that is no text", lambda: response("y", ["gaussian"]), FamilyError,
     "a family of type list", "the name of a family", "for example"),
    ("a family in a formula", lambda: model(mlm.formula("b ~ x", family="bern")), FamilyError,
     "unknown family 'bern'", "gaussian, student", "pass"),
    ("an unknown link", lambda: response("b", "bernoulli", "lgoit"), FamilyError,
     "the bernoulli family has no link 'lgoit'", "logit, probit", "leave link out"),
    ("another family's link", lambda: response("r", "poisson", "logit"), FamilyError,
     "the poisson family has no link 'logit'", "log", "leave link out"),
    ("a link that is no text", lambda: response("b", "bernoulli", 3), FamilyError,
     "a link of type int", "the name of a link", "for example"),
    ("a family against the equations", lambda: model(equations("w"), "poisson"), FamilyError,
     "beside a specification that says gaussian", "one of them", "leave family"),
    ("a family against the formula",
     lambda: model(mlm.formula("b ~ x", family="bernoulli"), "poisson"), FamilyError,
     "beside a specification that says bernoulli", "one of them", "leave family"),
    ("a link against the formula",
     lambda: model(mlm.formula("b ~ x", link="probit"), "bernoulli", link="logit"), FamilyError,
     "beside a specification", "one of them", "leave family"),
]  # fmt: skip


def priors(given, spec="y ~ x + (x | school)", family=None):
    return model(spec, family, given)


PRIORS = [
    ("a prior for nothing", lambda: priors({"q": mlm.Normal(0, 1)}), "a prior for 'q'",
     "Intercept, x, slopes", "correct the name"),
    ("a prior misspelt", lambda: priors({"sigam": mlm.HalfNormal(1)}),
     r"'sigam' \(did you mean 'sigma'\?\)", "sigma", "correct"),
    ("a prior of an effect that does not vary",
     lambda: priors({"sd_school[x]": mlm.HalfNormal(1)}, FORMULA),
     r"a prior for 'sd_school\[x\]'", "sd_school", "correct"),
    ("a prior of another group", lambda: priors({"sd_item": mlm.HalfNormal(1)}),
     "a prior for 'sd_item'", "sd_school", "correct"),
    ("a correlation without a pair", lambda: priors({"corr": mlm.LKJ(2)}, FORMULA),
     "a prior for 'corr'", "sigma", "correct"),
    ("a correlation of ||", lambda: priors({"corr_school": mlm.LKJ(2)}, "y ~ x + (x || school)"),
     "a prior for 'corr_school'", "sigma", "correct"),
    ("a residual of a bernoulli",
     lambda: priors({"sigma": mlm.HalfNormal(1)}, "b ~ x + (1 | school)", "bernoulli"),
     "a prior for 'sigma'", "sd_school", "correct"),
    ("a real prior of an SD", lambda: priors({"sigma": mlm.Normal(0, 1)}),
     r"Normal\(0, 1\) \(Normal\) as the prior of 'sigma'", "HalfNormal", "pass one of these"),
    ("LKJ of an SD", lambda: priors({"sd": mlm.LKJ(2)}), r"LKJ\(2\)", "HalfNormal", "pass"),
    ("HalfNormal of a correlation", lambda: priors({"corr": mlm.HalfNormal(1)}),
     "HalfNormal.* as the prior of 'corr'", r"LKJ\(eta\)", "pass"),
    ("LKJ of a slope", lambda: priors({"x": mlm.LKJ(2)}), r"LKJ\(2\)", "Normal", "pass"),
    ("a number", lambda: priors({"x": 3}), r"3 \(int\) as the prior of 'x'", "Normal", "pass"),
    ("a name", lambda: priors({"x": "normal"}), "as the prior of 'x'", "Normal", "pass"),
    ("a class", lambda: priors({"x": mlm.Normal}), "as the prior of 'x'", "Normal", "pass"),
    ("None", lambda: priors({"x": None}), "as the prior of 'x'", "Normal", "pass"),
    ("a key that is no text", lambda: priors({3: mlm.Normal()}), "a prior for 3", "slopes",
     "correct"),
    ("a list", lambda: priors([("x", mlm.Normal())]), "priors of type list", "a dictionary",
     "for example"),
    ("one prior", lambda: priors(mlm.Normal()), "priors of type Normal", "a dictionary",
     "for example"),
    ("a mean that is no number", lambda: mlm.Normal("0", 1), r"Normal\(mu='0'\)", "finite number",
     "give mu a number"),
    ("a mean that is NaN", lambda: mlm.Normal(np.nan, 1), r"Normal\(mu=nan\)", "finite", "give mu"),
    ("an infinite SD", lambda: mlm.Normal(0, np.inf), r"Normal\(sigma=inf\)", "finite", "sigma"),
    ("an SD of zero", lambda: mlm.HalfNormal(0), r"HalfNormal\(sigma=0\)", "positive", "above"),
    ("a negative SD", lambda: mlm.StudentT(3, 0, -1), "sigma=-1", "positive", "above zero"),
    ("a truth", lambda: mlm.Normal(True, 1), "mu=True", "finite number", "give mu"),
    ("an LKJ of zero", lambda: mlm.LKJ(0), r"LKJ\(eta=0\)", "positive", "default"),
    ("an LKJ of NaN", lambda: mlm.LKJ(np.nan), r"LKJ\(eta=nan\)", "positive", "default"),
]  # fmt: skip


def refuse_to_sample(*_, **__):
    raise AssertionError("it was fitted")


ENGINES = [
    ("an unknown engine", {"method": "nutz"}, r"unknown engine 'nutz' \(did you mean 'nuts'\?\)",
     "'nuts'", "pass one of these"),
    ("an engine of another type", {"method": ["nuts"]}, r"unknown engine \['nuts'\]", "'nuts'",
     "pass"),
    ("an engine's class", {"method": mlm.NUTS}, "unknown engine", "'nuts'", "pass"),
    ("no engine", {"method": None}, "unknown engine None", "'nuts'", "pass"),
    ("an unknown option", {"drws": 3}, r"unknown option 'drws' of nuts \(did you mean 'draws'\?\)",
     "draws, tune, chains", "correct"),
    ("options twice", {"method": mlm.NUTS(), "draws": 3}, "options draws beside NUTS",
     "inside the engine", r"write NUTS\(draws=…\)"),
    *(
        (f"{option}={value!r}", {option: value}, rf"NUTS\({option}=", "a whole number from 1",
         "leave it out")
        for option in ("draws", "tune", "chains", "cores", "max_treedepth")
        for value in (0, -1, 1.5, "10", True)
    ),
    *(
        (f"target_accept={value!r}", {"target_accept": value}, r"NUTS\(target_accept=",
         "between 0 and 1", "0.9 is the default")
        for value in (0, 1, 1.5, np.nan, "0.9", None, True)
    ),
    ("an unknown sampler", {"sampler": "stan"}, r"NUTS\(sampler='stan'\)", "'nutpie', 'pymc'",
     "leave it out"),
    ("an unknown parametrisation", {"parametrisation": "center"}, "parametrisation 'center'",
     "'centred', 'non-centred'", "choose"),
    ("a parametrisation of nothing", {"parametrisation": {"item": "centred"}},
     "a parametrisation for 'item'", "school", "correct"),
    ("a parametrisation of another type", {"parametrisation": 3}, "parametrisation 3", "'centred'",
     "choose"),
    *(
        (f"seed={value!r}", {"seed": value}, "seed=", "a whole number from 0", "pass seed=1")
        for value in (-1, 1.5, "1", True, 2**64, [1, 2], {"a": 1})
    ),
]  # fmt: skip


def says(error, got, allowed, step):
    text = str(error)
    lines = text.split("\n  allowed: ")
    assert len(lines) == 2, text
    assert re.search(got, lines[0] + "\n", re.DOTALL), text
    what, _, next_step = lines[1].partition("\n  next:    ")
    assert re.search(allowed, what, re.DOTALL), text
    assert re.search(step, next_step, re.DOTALL), text
    assert next_step.strip(), text
    assert "bayesmlm_column" not in text


CASES = [
    *SPEC,
    *VALUES,
    *GROUPS,
    *(
        (what, lambda make=make: mlm.Model(FORMULA, make()), DataError, *rest)
        for what, make, *rest in FRAMES
    ),
    *RESPONSES,
    *((what, call, PriorError, *rest) for what, call, *rest in PRIORS),
]


@pytest.mark.parametrize(
    ("call", "error", "got", "allowed", "step"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_bad_input_is_refused(call, error, got, allowed, step):
    with pytest.raises(BayesmlmError) as caught:
        call()
    assert caught.type is error, caught.value
    says(caught.value, got, allowed, step)


@pytest.mark.parametrize("text", CODE)
def test_a_formula_is_not_python(text):
    with pytest.raises(SpecError) as caught:
        model(text)
    says(caught.value, "", "", "")


@pytest.mark.parametrize(
    ("options", "got", "allowed", "step"),
    [case[1:] for case in ENGINES],
    ids=[case[0] for case in ENGINES],
)
def test_bad_options_are_refused_before_anything_is_fitted(
    options, got, allowed, step, monkeypatch
):
    monkeypatch.setattr("bayesmlm.engines.nuts.build_model", refuse_to_sample)
    with pytest.raises(EngineError) as caught:
        model().fit(**options)
    says(caught.value, got, allowed, step)


@pytest.mark.parametrize(
    "options", [{"draws": 0}, {"draws": 2.5}, {"draws": "9"}, {"seed": -1}, {"seed": "a"}]
)
def test_bad_prior_draws_are_refused(options):
    with pytest.raises(EngineError, match="a whole number"):
        model().prior_predictive(**options)


# ---- what looks bad and is not ----


def test_one_row_per_group_is_a_model_where_the_sampling_sds_are_known():
    assert not model("y | se(s) ~ 1 + (1 | id)", id=np.arange(N)).design.estimates_scale
    assert model("r ~ 1 + (1 | id)", "poisson", id=np.arange(N)).design.random[0].grouping.size == N


def test_nearly_collinear_predictors_are_fitted_and_told():
    near = GOOD["x"] + 1e-4 * GOOD["z"]
    with pytest.warns(BayesmlmWarning, match=r"nearly collinear predictors.*: x \(.*, near \("):
        fitted = model("y ~ x + near", near=near)
    assert fitted.design.coef == ("Intercept", "x", "near")
    assert "nearly collinear" in str(fitted)


def test_dropped_rows_are_counted_and_told():
    x, school = first(np.nan, "x"), [*GOOD["school"][:-1].tolist(), None]
    with pytest.warns(
        BayesmlmWarning, match=r"2 of 40 rows dropped, with missing values in x \(1\), school \(1\)"
    ):
        assert len(model(x=x, school=school, missing="drop").design.y) == N - 2


def test_missing_values_elsewhere_do_not_matter():
    assert len(model(z=np.nan, day=pd.NaT, missing="error").design.y) == N


@pytest.mark.parametrize(
    ("spec", "columns", "coef"),
    [
        ("`class` ~ x", {"class": GOOD["y"]}, "x"),
        ("y ~ `class`", {"class": GOOD["x"]}, "class"),
        ("y ~ `for`:x", {"for": GOOD["z"]}, "for:x"),
        ("y ~ x + (1 | `my school`)", {"my school": GOOD["school"]}, "x"),
        ("y ~ `my x`", {"my x": GOOD["x"]}, "my x"),
        ("y ~ within(`my x`, `my g`)", {"my x": GOOD["x"], "my g": GOOD["school"]}, None),
        ("y ~ `x.1`", {"x.1": GOOD["x"]}, "x.1"),
        ("y ~ `1`", {"1": GOOD["x"]}, "1"),
        ("y ~ `0`", {"0": GOOD["x"]}, "0"),
        ("y ~ `2018` + x", {"2018": GOOD["z"]}, "2018"),
        ("y ~ nan", {"nan": GOOD["x"]}, "nan"),
        ("nan ~ x", {"nan": GOOD["y"]}, "x"),
        ("inf ~ x + offset(Infinity)", {"inf": GOOD["y"], "Infinity": GOOD["z"]}, "x"),
        ("y ~ log + log(s)", {"log": GOOD["x"]}, "log"),
        ("y ~ `True`", {"True": GOOD["x"]}, "True"),
        ("y ~ größe", {"größe": GOOD["x"]}, "größe"),
        ("y ~ log(`µ`)", {"µ": GOOD["s"]}, "log(`µ`)"),
        ("beta ~ x + (1 | school)", {"beta": GOOD["y"]}, "x"),
    ],
)
def test_odd_names_are_names(spec, columns, coef):
    found = model(spec, **columns).design
    assert coef is None or coef in found.coef
    assert np.ptp(found.X[:, 1]) > 0


def test_columns_that_are_not_named_by_text_do_not_matter():
    frame = data().assign(**{"extra": 1.0}).rename(columns={"extra": 7})
    fitted = model(frame=frame)
    assert len(fitted.design.y) == N
    assert "7" not in str(fitted.levels())


@pytest.mark.parametrize("values", [[False, True], [0, 1], [0.0, 1.0], ["no", "yes"]])
def test_bernoulli_responses(values):
    fitted = response("q", "bernoulli", q=values * 20)
    assert fitted.design.y.tolist() == [0, 1] * 20
    assert ("success is 'yes', failure is 'no'." in str(fitted)) == (values[0] == "no")


def test_categories_of_integers():
    codes = pd.Categorical([3, 10] * 20)
    assert model("y ~ q", q=codes).design.coef == ("Intercept", "q[T.10]")
    assert model("y ~ x + (1 | q)", q=codes).design.random[0].grouping.labels == (3, 10)
    assert response("q", "bernoulli", q=codes).design.outcome.success == 10


def test_a_link_of_the_formula_goes_with_the_family_of_the_model():
    fitted = model(mlm.formula("b ~ x", link="probit"), "bernoulli")
    assert fitted.design.family.link.name == "probit"


def test_integers_of_numpy_are_whole_numbers():
    assert mlm.NUTS(draws=np.int64(7)) == mlm.NUTS(draws=7)
    assert type(mlm.NUTS(draws=np.int64(7)).draws) is int


def test_levels_are_those_of_the_data_that_were_given():
    frame = data()
    fitted = model(frame=frame)
    before = str(fitted.levels())
    frame["late"] = 1.0
    frame.loc[:, "w"] = np.arange(N)
    assert str(fitted.levels()) == before
