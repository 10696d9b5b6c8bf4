import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.reports.levels import sections
from bayesmlm.spec import equations, formula
from bayesmlm.spec.levelwise import levelwise


def test_predictors_stand_under_the_coefficient_that_they_explain(fit):
    table = fit.summary().parts[1]
    assert [row for row in table.body() if isinstance(row, tuple)] == [
        ("for b0", "intercept"),
        ("for b1", "slope of x"),
    ]
    assert list(table.frame.index) == [
        ("g00", "Intercept"),
        ("g01", "w"),
        ("g02", "s[T.c]"),
        ("g10", "Intercept"),
        ("g11", "w"),
        ("g12", "s[T.c]"),
    ]
    flat = fit.fixef().frame
    assert table.frame["mean"].to_list() == [
        flat.loc[name, "mean"] for name in ("Intercept", "w", "s[T.c]", "x", "x:w", "x:s[T.c]")
    ]


def test_the_words_follow_the_vocabulary(fit):
    text = str(fit.summary(vocabulary="levels"))
    for piece in ("Coefficients by level, γ", "for β₁", "γ₁₂", "τ₀₀ Intercept", "level 2: g", "σ²"):
        assert piece in text
    text = str(fit.summary(vocabulary="population/group"))
    assert "Population-level effects" in text
    assert "Fixed effects" not in text


def test_three_levels_and_crossed_groups():
    written = levelwise(formula("y ~ x + z + (x | a/b) + (1 | c)"), {"z": ("a",)})
    found = [(label, [leaf[0] for leaf in leaves]) for label, _, leaves in sections(written)]
    assert found == [("b00", ["g000", "g001"]), ("b10", ["g100"])]
    written = levelwise(equations("level 1: y = b0 + b1*x + r\nlevel 2 (g): b0 = g00 + u0"))
    found = [(label, [leaf[0] for leaf in leaves]) for label, _, leaves in sections(written)]
    assert found == [(None, ["b1"]), ("b0", ["g00"])]


def test_every_coefficient_has_its_row_and_its_html(fit):
    html = fit.summary().html()
    assert html.count("<tr><th colspan=") == 2
    assert "for b1, slope of x" in html
    latex = fit.summary().latex()
    assert r"\multicolumn{9}{l}{\textit{for b1, slope of x}} \\" in latex
    assert r"x:s" not in latex.split(r"\begin{tabular}")[1]


@pytest.fixture(scope="module")
def of_factors():
    """A fit of factors on both levels, some categories with colons in their names."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 10)
    frame = pd.DataFrame(
        {
            "g": g,
            "y": rng.normal(size=120),
            "x": rng.normal(size=120),
            "f": np.array(["a", "b:1", "c"])[np.arange(120) % 3],
            "w": np.array(["k", "l", "m:[2]"])[g % 3],
        }
    )
    return mlm.Model("y ~ f*w + poly(x, 2) + (1 | g)", frame).fit("ml")


def test_each_column_of_a_factor_has_its_section(of_factors):
    table = of_factors.summary().parts[1]
    body = [row if isinstance(row, tuple) else row[:2] for row in table.body()]
    assert body == [
        ("for b0", "intercept"),
        ["g00", "Intercept"],
        ["g01", "w[T.l]"],
        ["g01", "w[T.m:[2]]"],
        ("for b1", "slope of f[T.b:1]"),
        ["g10", "Intercept"],
        ["g11", "w[T.l]"],
        ["g11", "w[T.m:[2]]"],
        ("for b1", "slope of f[T.c]"),
        ["g10", "Intercept"],
        ["g11", "w[T.l]"],
        ["g11", "w[T.m:[2]]"],
        ("for b2", "slope of poly(x, 2)[1]"),
        ["g20", "Intercept"],
        ("for b2", "slope of poly(x, 2)[2]"),
        ["g20", "Intercept"],
    ]
    flat = of_factors.fixef().frame["estimate"]
    assert table.frame["estimate"].to_list()[3] == flat["f[T.b:1]"]
    assert table.frame["estimate"].to_list()[8] == flat["f[T.c]:w[T.m:[2]]"]
    assert sorted(table.frame["estimate"]) == sorted(flat)


def test_each_column_of_a_factor_has_its_equation(of_factors):
    lines = of_factors.equations().estimates.text.splitlines()
    left = [line.split(" = ")[0].removeprefix("level 2 (g):").strip() for line in lines[2:-1]]
    assert left == [
        "b0",
        "b1 of f[T.b:1]",
        "b1 of f[T.c]",
        "b2 of poly(x, 2)[1]",
        "b2 of poly(x, 2)[2]",
    ]
    assert r"\beta_{1}\text{ of f[T.c]} &=" in of_factors.equations().latex("estimates")
    assert of_factors.equations().html().count("<math ") == 2
