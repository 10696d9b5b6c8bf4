"""Rendering: what a reader sees; that it reads back is also held by test_properties."""

from __future__ import annotations

import pytest

from bayesmlm.errors import SpecError
from bayesmlm.spec import Declarations, ModelSpec, equations, formula
from bayesmlm.spec.gelman_hill import gelman_hill
from bayesmlm.spec.render import (
    combined_text,
    equations_text,
    formula_text,
    formulas_text,
    latex,
)

SCHOOL = ("school",)
HSB = formula("mathach ~ meanses*cses + sector*cses + (cses | school)")
HSB_LEVELS = {"meanses": SCHOOL, "sector": SCHOOL}
GROWTH = formula("read ~ lowinc + black + year + (year | school/child)")
GROWTH_LEVELS = {"lowinc": SCHOOL, "black": ("school", "child")}


def block(text: str) -> str:
    """Return text without its common indentation."""
    lines = text.strip("\n").splitlines()
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[indent:] for line in lines).rstrip()


def test_two_levels() -> None:
    assert equations_text(HSB, HSB_LEVELS) == block("""
        level 1:          mathach = b0 + b1*cses + r
        level 2 (school): b0 = g00 + g01*meanses + g02*sector + u0
                          b1 = g10 + g11*meanses + g12*sector + u1
    """)


def test_three_levels() -> None:
    assert equations_text(GROWTH, GROWTH_LEVELS) == block("""
        level 1:          read = p0 + p1*year + e
        level 2 (child):  p0 = b00 + b01*black + r0
                          p1 = b10 + r1
        level 3 (school): b00 = g000 + g001*lowinc + u00
                          b01 = g010
                          b10 = g100 + u10
    """)


def test_crossed_and_independent() -> None:
    spec = formula("r | trials(n) ~ x + w:x + (1 | pupil) + (x || school)", family="binomial")
    assert equations_text(spec, {"w": SCHOOL}) == block("""
        level 1:          logit(r | trials(n)) = b0 + b1*x
        level 2 (pupil):  b0 = g00 + u0
                          b1 = g10
        level 2 (school): b0 = v0
                          b1 = h11*w + v1
                          cov(v0, v1) = 0
    """)


def test_without_levels_every_predictor_is_in_level_1() -> None:
    first = equations_text(HSB).splitlines()[0]
    assert "meanses" in first and "sector:cses" in first
    assert equations_text(HSB).splitlines()[1] == "level 2 (school): b0 = g00 + u0"


def test_an_interaction_without_its_slope_stays_in_level_1() -> None:
    text = equations_text(formula("y ~ x:w + (1 | school)"), {"w": SCHOOL})
    assert text.splitlines()[0] == "level 1:          y = b0 + b1*x:w + r"


def test_a_level_2_predictor_without_an_intercept_stays_in_level_1() -> None:
    text = equations_text(formula("y ~ 0 + w + (0 + x | school)"), {"w": SCHOOL})
    assert text.splitlines()[0] == "level 1:          y = b1*w + b2*x + r"


def test_a_predictor_of_a_group_that_is_not_modelled_stays_in_level_1() -> None:
    text = equations_text(formula("y ~ w + (1 | school)"), {"w": ("town",)})
    assert text.splitlines()[0] == "level 1:          y = b0 + b1*w + r"


def test_declared_labels_are_kept() -> None:
    text = block("""
        level 1:          Y = β0 + β1*x + ε
        level 2 (school): β0 = γ00 + γ01*w + ζ0
                          β1 = mean_slope + ζ1
    """)
    assert equations_text(equations(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "level 1: y | se(s) = b0",
        "level 1: identity(log(y)) = b0 + r",
        "level 1: y = r",
        "level 1: logit(y) = 0",
        "level 1: log(y) = b0 + b1*x + offset(log(n))",
    ],
)
def test_declared_text_is_given_back(text: str) -> None:
    assert equations_text(equations(text)) == text


def test_names_never_clash_with_columns() -> None:
    spec = formula("r ~ b0 + e + g00 + (1 | u0) + (1 | v0)")
    labels = equations(equations_text(spec)).declared
    assert labels is not None
    assert not {name for _, _, name in labels.labels} & {"b0", "e", "g00", "r"}
    assert not {name for _, _, name in labels.random_names} & {"u0", "v0"}


def test_many_coefficients_have_different_names() -> None:
    spec = formula("y ~ " + " + ".join(f"x{i}" for i in range(25)) + " + (x1 | g)")
    declared = equations(equations_text(spec)).declared
    assert declared is not None
    names = [name for _, _, name in declared.labels]
    assert len(set(names)) == len(names) == 52


def test_combined() -> None:
    assert combined_text(HSB, HSB_LEVELS) == (
        "mathach = g00 + g01*meanses + g02*sector + g10*cses + g11*meanses:cses"
        " + g12*sector:cses + u0 + u1*cses + r"
    )
    assert combined_text(formula("y ~ x + offset(log(n)) + (1 | g)", family="poisson")) == (
        "log(y) = g00 + g10*x + offset(log(n)) + u0"
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("y ~ x*w + (x | g)", "y ~ 1 + x + w + x:w + (1 + x | g)"),
        ("y ~ 0 + (x || a/b)", "y ~ 0 + (1 + x || a/b)"),
        ("y ~ (1 | a:b) + (x | a)", "y ~ 1 + (1 | a:b) + (1 + x | a)"),
        ("y ~ (x | g) + (0 + z | g)", "y ~ 1 + (1 + x | g) + (0 + z | g)"),
        ("y|se(s)+weights(v) ~ offset(z)", "y | se(s) + weights(v) ~ 1 + offset(z)"),
        ("y ~ (1 | gr(g, cov=A, by=z))", "y ~ 1 + (1 | gr(g, by=z, cov=A))"),
        ("y ~ (1 | gr(g, dist='student'))", 'y ~ 1 + (1 | gr(g, dist="student"))'),
        (
            "y ~ (1 | mm(a, b, weights=cbind(v, w)))",
            "y ~ 1 + (1 | mm(a, b, weights=cbind(v, w)))",
        ),
        ("y ~ (1 | `a b`/class)", "y ~ 1 + (1 | `a b`/class)"),
    ],
)
def test_formula_text(written: str, text: str) -> None:
    spec = formula(written)
    assert formula_text(spec) == text
    assert formula(text) == spec


def test_formula_text_of_a_further_parameter() -> None:
    spec = formula("y ~ x", sigma="~ w + (1 | g)")
    assert formula_text(spec, "sigma") == "~ 1 + w + (1 | g)"
    assert formula(formula_text(spec), sigma=formula_text(spec, "sigma")) == spec
    with pytest.raises(SpecError, match=r"'nu'.*\n.*mu, sigma"):
        formula_text(spec, "nu")


@pytest.mark.parametrize(
    ("spec", "got"),
    [
        (formula("y ~ x", family="student"), "the family 'student'"),
        (formula("y ~ x", link="log"), "'gaussian' with the link 'log'"),
        (formula("y ~ x", family="binomial"), "the family 'binomial'"),
        (formula("y ~ x", sigma="~ x"), "a predictor of sigma"),
        (formula("y ~ (1 | gr(g, by=z))"), "the options of the random effects of g"),
        (ModelSpec(()), "0 responses"),
    ],
)
def test_what_equations_cannot_say_is_refused(spec: ModelSpec, got: str) -> None:
    with pytest.raises(SpecError, match=rf"(?s){got}.*next: .*formula"):
        equations_text(spec)


def test_two_nestings_are_still_one_model() -> None:
    spec = formula("y ~ x + (1 | a/b) + (x | c/d)")
    assert equations(equations_text(spec)) == spec


def test_latex_two_levels() -> None:
    text = latex(HSB, HSB_LEVELS)
    for piece in (
        r"\mathit{mathach}_{ij} &= \beta_{0j} + \beta_{1j} \, \mathit{cses}_{ij} + r_{ij}",
        r"\beta_{0j} &= \gamma_{00} + \gamma_{01} \, \mathit{meanses}_{j}"
        r" + \gamma_{02} \, \mathit{sector}_{j} + u_{0j}",
        r"r_{ij} &\sim N(0,\, \sigma^2)",
        r"\begin{pmatrix} u_{0j} \\ u_{1j} \end{pmatrix} &\sim N(\mathbf{0},\, \mathbf{T})",
    ):
        assert piece in text
    assert text.startswith(r"\begin{aligned}") and text.endswith(r"\end{aligned}")


def test_latex_combined() -> None:
    text = latex(HSB, HSB_LEVELS, form="combined")
    assert r"\gamma_{11} \, \mathit{meanses}_{j} \, \mathit{cses}_{ij}" in text
    assert r"u_{1j} \, \mathit{cses}_{ij} + r_{ij}" in text
    assert r"\beta" not in text


def test_latex_three_levels() -> None:
    text = latex(GROWTH, GROWTH_LEVELS)
    assert r"\pi_{0jk} &= \beta_{00k} + \beta_{01k} \, \mathit{black}_{jk} + r_{0jk}" in text
    assert r"\gamma_{001} \, \mathit{lowinc}_{k} + u_{00k}" in text
    assert r"\mathbf{T}_{\text{school:child}}" in text


def test_latex_crossed_effects_are_in_one_equation() -> None:
    text = latex(formula("y ~ 1 + (1 | pupil) + (1 | school)"))
    assert r"\beta_{0jk} &= \gamma_{00} + u_{0j} + v_{0k}" in text


@pytest.mark.parametrize(
    ("spec", "pieces"),
    [
        (
            formula("r | trials(n) ~ 1 + (1 | g)", family="binomial"),
            (r"r_{ij} &\sim \mathrm{Binomial}(n_{ij},\, \varphi_{ij})",
             r"\eta_{ij} &= \mathrm{logit}(\varphi_{ij})", r"\eta_{ij} &= \beta_{0j}",
             r"u_{0j} &\sim N(0,\, \tau_{00})"),
        ),
        (
            formula("y ~ offset(log(n))", family="poisson"),
            (r"y_{i} &\sim \mathrm{Poisson}(\lambda_{i})",
             r"\eta_{i} &= \beta_{0} + \text{log(n)}_{i}"),
        ),
        (
            formula("y | se(s) ~ 1 + (1 | g)"),
            (r"y_{ij} &\sim N(\eta_{ij},\, s_{ij}^{\,2})",),
        ),
        (
            formula("y | precision(v) ~ `a_b`"),
            (r"\sigma^2 / v_{i}", r"\mathit{a\_b}_{i}"),
        ),
        (
            formula("y ~ (0 + bs(x, df=4) | g)"),
            (r"u_{1j} &\sim N(\mathbf{0},\, \mathbf{T})",),
        ),
        (
            formula("y ~ x", family="student", link="identity"),
            (r"y_{i} &\sim \mathrm{student}(\mu_{i})", r"\eta_{i} &= \mu_{i}"),
        ),
    ],
)  # fmt: skip
def test_latex_responses(spec: ModelSpec, pieces: tuple[str, ...]) -> None:
    for piece in pieces:
        assert piece in latex(spec)


def test_latex_refuses_an_unknown_form() -> None:
    with pytest.raises(SpecError, match="'level'"):
        latex(HSB, form="level")


def test_declared_levels_without_random_effects_are_written() -> None:
    text = block("""
        level 1:          y = b0 + r
        level 2 (class):  b0 = g00 + u0
        level 3 (school): g00 = d000 + d001*w
    """)
    spec = equations(text)
    assert equations_text(spec) == text
    assert equations(equations_text(spec, {})) == spec
    assert spec.declared != Declarations()


DISTRIBUTIONS = (
    ("y ~ x + (x | gr(g, dist='student')) + (1 | h)", "dist(u0, u1) = student", "t_{\\nu"),
    ("y ~ x + (x || gr(g, dist='student'))", "dist(u1) = student", "t_{\\nu}(0,"),
    ("y ~ x + (1 | gr(g, dist='points', k=3))", "dist(u0) = points(3)", "\\sum_{k=1}^{3} \\pi_k"),
)


@pytest.mark.parametrize(("text", "line", "law"), DISTRIBUTIONS)
def test_distributions_of_effects_are_written_and_read_back(text, line, law):
    spec = formula(text)
    assert formula(formula_text(spec)) == spec
    written = equations_text(spec)
    assert line in written and equations(written) == spec
    assert law in latex(spec)
    plain = formula(
        text.replace("gr(g, dist='student')", "g").replace("gr(g, dist='points', k=3)", "g")
    )
    assert plain != spec and "dist(" not in equations_text(plain)


@pytest.mark.parametrize(
    ("lines", "got"),
    [
        ("dist(u0) = student", "which are correlated"),
        ("dist(u0, u1) = student\n dist(u0, u1) = points(3)", "which are correlated"),
        ("dist(u0, u2) = student", "dist\\(\\) of 'u2', which is no random effect"),
        ("dist(u0, u1) = cauchy", "dist\\(u0, u1\\) = cauchy"),
        ("dist(u0, u1) = points(1)", "k=1 with effects"),
        ("dist() = student", "dist\\(\\) = student"),
    ],
)
def test_distributions_that_are_not_in_the_language(lines, got):
    head = "level 1: y = b0 + b1*x + r\nlevel 2 (g): b0 = g00 + u0\n b1 = g10 + u1\n "
    with pytest.raises(SpecError, match=got):
        equations(head + lines)


FORMULAS = [
    "y ~ 1 + x; sigma ~ 1 + x + w + (1 + x | g)",
    "y ~ 1 + x + (1 | g); identity(sigma) ~ 0 + offset(o)",
    "y ~ 1; nu ~ 1 + (1 | g); sigma ~ 1 + x",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_of_further_parameters_in_one_text(text: str) -> None:
    spec = formula(text)
    assert formulas_text(spec) == text
    assert formula(formulas_text(spec)) == spec


def test_equations_of_further_parameters_for_reading() -> None:
    spec = formula("y ~ x + (1 | g); sigma ~ x + w + (1 | g); identity(nu) ~ z", family="student")
    levels = {"w": ("g",)}
    assert equations_text(spec, levels, strict=False).splitlines() == [
        "level 1:            student[identity](y) = b0 + b1*x",
        "level 2 (g):        b0 = g00 + u0",
        "                    b1 = g10",
        "nu, level 1:        nu = d0 + d1*z",
        "sigma, level 1:     log(sigma) = c0 + c1*x",
        "sigma, level 2 (g): c0 = k00 + k01*w + z0",
        "                    c1 = k10",
    ]
    assert combined_text(spec, levels) == (
        "student[identity](y) = g00 + g10*x + u0; nu = d0 + d1*z; "
        "log(sigma) = k00 + k01*w + k10*x + z0"
    )


def test_names_of_further_coefficients_are_no_columns() -> None:
    text = equations_text(formula("y ~ d0; sigma ~ d1"), strict=False)
    assert text.splitlines()[1] == "sigma, level 1: log(sigma) = d0_ + d1_*d1"


def test_latex_of_further_parameters() -> None:
    spec = formula("y ~ x + (1 | g); sigma ~ x + (1 | g)")
    text = latex(spec)
    for piece in (
        r"r_{ij} &\sim N(0,\, \sigma_{ij}^2)",
        r"\textbf{Level 1 of sigma}",
        r"\mathrm{log}(\sigma_{ij}) &= \delta_{0j} + \delta_{1j} \, x_{ij}",
        r"\delta_{0j} &= \theta_{00} + w_{0j}",
        r"w_{0j} &\sim N(0,\, \tau_{00,\,\text{sigma}})",
    ):
        assert piece in text
    one = latex(formula("y ~ x; sigma ~ x"), form="combined")
    assert r"\mathrm{log}(\sigma_{i}) &= \delta_{0} + \delta_{1} \, x_{i}" in one
    assert r"\sigma_i^2" in gelman_hill(formula("y ~ x; sigma ~ x"))
    assert r"\mathrm{log}(\sigma_{i})" in gelman_hill(formula("y ~ x; sigma ~ x"))


ORDERED = [
    (
        "c ~ x*w + (x | g)",
        [
            "level 1:     logit(P(c <= k)) = thresholds[k] - (b0 + b1*x)",
            "level 2 (g): b0 = g01*w + u0",
            "             b1 = g10 + g11*w + u1",
        ],
        "logit(P(c <= k)) = thresholds[k] - (g01*w + g10*x + g11*x:w + u0 + u1*x)",
    ),
    (
        "c | weights(n) ~ x",
        ["level 1: logit(P(c <= k) | weights(n)) = thresholds[k] - b1*x"],
        "logit(P(c <= k) | weights(n)) = thresholds[k] - b1*x",
    ),
    (
        "c ~ 1",
        ["level 1: logit(P(c <= k)) = thresholds[k]"],
        "logit(P(c <= k)) = thresholds[k]",
    ),
]


@pytest.mark.parametrize(("text", "lines", "combined"), ORDERED, ids=[row[0] for row in ORDERED])
def test_thresholds_stand_in_the_place_of_the_intercept(
    text: str, lines: list[str], combined: str
) -> None:
    spec, levels = formula(text, family="cumulative"), {"w": ("g",)}
    assert equations_text(spec, levels, strict=False).splitlines() == lines
    assert combined_text(spec, levels) == combined


def test_latex_of_ordered_categories() -> None:
    spec, levels = formula("c ~ x*w + (1 | g)", family="cumulative"), {"w": ("g",)}
    for form in ("levels", "combined"):
        text = latex(spec, levels, form)
        assert r"\mathrm{logit}(P(c_{ij} \le k)) &= \theta_{k} - \eta_{ij}" in text
        assert r"\gamma_{01} \, w_{j}" in text and r"\gamma_{00}" not in text
