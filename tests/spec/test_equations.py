"""Equations: what they declare, and every way to get one wrong."""

from __future__ import annotations

import re

import pytest

from bayesmlm.errors import SpecError
from bayesmlm.spec import INTERCEPT, Term, equations, formula
from bayesmlm.spec.render import equations_text

GROWTH = """
    level 1:          read = p0 + p1*year + e
    level 2 (child):  p0 = b00 + b01*black + r0
                      p1 = b10 + r1
    level 3 (school): b00 = g000 + g001*lowinc + u00
                      b10 = g100 + u10
"""
YEAR = Term(("year",))
CHILD, SCHOOL = ("school", "child"), ("school",)


def test_declarations_are_complete() -> None:
    declared = equations(GROWTH).declared
    assert declared is not None
    assert dict(declared.coefficients) == {
        INTERCEPT: "g000",
        Term(("black",)): "b01",
        Term(("lowinc",)): "g001",
        YEAR: "g100",
    }
    assert set(declared.random_names) == {
        ("school:child", INTERCEPT, "r0"),
        ("school:child", YEAR, "r1"),
        ("school", INTERCEPT, "u00"),
        ("school", YEAR, "u10"),
    }
    assert declared.residual_name == "e"
    assert declared.levels == ((2, CHILD), (3, SCHOOL))
    assert declared.levels_of == (("black", CHILD), ("lowinc", SCHOOL))
    assert {(g, str(t), name) for g, t, name in declared.labels} >= {
        ((), "Intercept", "p0"),
        ((), "year", "p1"),
        (CHILD, "Intercept", "b00"),
        (CHILD, "year", "b10"),
        (SCHOOL, "year", "g100"),
    }
    assert set(declared.bare_names) == {
        "p0", "e", "b00", "r0", "b10", "r1", "g000", "u00", "g100", "u10",
    }  # fmt: skip


def test_the_family_is_declared_by_the_link() -> None:
    families = {
        "y = b0 + r": ("gaussian", None),
        "identity(y) = b0 + r": ("gaussian", None),
        "logit(y) = b0": ("bernoulli", None),
        "logit(y | trials(n)) = b0": ("binomial", None),
        "logit(y) | trials(n) = b0": ("binomial", None),
        "probit(y | trials(n)) = b0": ("binomial", "probit"),
        "log(y) = b0": ("poisson", None),
        "sqrt(y) = b0 + r": ("gaussian", None),
    }
    for equation, expected in families.items():
        response = equations(f"level 1: {equation}").response
        assert (response.family, response.link) == expected
        assert response.family_declared


@pytest.mark.parametrize("name", ["u", "u0", "v1", "r", "e", "ε", "ζ1", "δ₀", "u₀ⱼ", "rᵢⱼ", "ϵ"])
def test_random_names(name: str) -> None:
    spec = equations(f"level 1: y = b0 + e9\nlevel 2 (g): b0 = g00 + {name}")
    assert len(spec.response.mu.random) == 1


@pytest.mark.parametrize("name", ["w", "w0", "eps", "u_0", "tau0", "β", "τ0", "lambda"])
def test_other_names_are_coefficients(name: str) -> None:
    spec = equations(f"level 1: y = {name} + r\nlevel 2 (g): {name} = g00 + u0")
    assert spec.response.mu.fixed == (INTERCEPT,)


def test_blocks_come_in_any_order() -> None:
    lines = GROWTH.strip().splitlines()
    assert equations("\n".join([*lines[3:], *lines[:3]])) == equations(GROWTH)


def test_labels_and_levels_do_not_count_for_equality() -> None:
    other = GROWTH.replace("p0", "a").replace("u00", "v7").replace("g001", "γ001")
    assert equations(other) == equations(GROWTH)
    assert equations(other).declared != equations(GROWTH).declared


L1 = "level 1: y = b0 + b1*x + r\n"
L2 = L1 + "level 2 (g): b0 = g00 + u0\n"
L23 = L1 + "level 2 (g): b0 = g00 + u0\n b1 = g10 + u1\n"

ERRORS = [
    ("", "no block 'level 1:'", "write the level-1 equation"),
    ("# only a comment", "no block 'level 1:'", ""),
    ("y = b0 + r", "before any header", "begin with level 1"),
    ("level 2 (g): b0 = g00", "no block 'level 1:'", ""),
    ("level 1:", "no equation under 'level 1:'", "write one"),
    ("level 0: y = b0", "level 0", ""),
    ("level 1 (pupil): y = b0 + r", "level 1 with a group", "level 1: alone"),
    (L1 + "level 2: b0 = g00", "level 2 without a group", r"level 2 \(school\):"),
    (L1 + "level 2 ( ): b0 = g00", "level 2 without a group", ""),
    (L1 + "level 2 (3): b0 = g00", "the number '3' as a group", ""),
    (L1 + "level 2 (a/b): b0 = g00", r"the group \(a/b\) of level 2", "nest by levels"),
    (L1 + "level 2 (open('f')): b0 = g00", 'the header "level 2', ""),
    (L1 + "level two (g): b0 = g00", "the header 'level two", "for example"),
    (L1 + "levle 2 (g): b0 = g00", "the header 'levle 2", "for example"),
    (L1 + "stage 2 (g):\n b0 = g00", "the header 'stage 2", "for example"),
    (L1 + "level 2 (g)\n b0 = g00", "the header 'level 2", "for example"),
    (L1 + "level 3 (g): b0 = g00", "level 3 without level 2", "without gaps"),
    (L2 + "level 2 (g): b1 = g10", "two blocks 'level 2 \\(g\\):'", "in one block"),
    (L2 + "level 2 (h):", "no equation under 'level 2 \\(h\\):'", ""),
    ("level 1: y = b0", "no level-1 residual in the equation of y", r"… \+ r"),
    ("level 1: logit(y) = b0 + r", "the level-1 residual 'r', but the bernoulli", "remove it"),
    ("level 1: log(y) = b0 + r", "the poisson family", r"identity\(log\(y\)\)"),
    ("level 1: y | se(s) = b0 + r", "but se\\(\\) states its SD", "remove it"),
    ("level 1: y = b0 + r + e", "two random effects: r, e", "keep one"),
    ("level 1: y = b0 + a0 + r", "two intercepts: b0, a0", "called u0"),
    ("level 1: y = b0 + x + r", "two intercepts: b0, x", r"coefficient\*column"),
    (L1 + "level 2 (g): b0 = g00 + u_0j", "two intercepts: g00, u_0j", "called u0"),
    ("level 1: y = 0 + b0 + r", "0 and the intercept b0", "keep one"),
    ("level 1: y = b0 - b1*x + r", "a minus before 'b1\\*x'", "add every"),
    ("level 1: y = b0 + b1*x*z + r", "the summand 'b1\\*x\\*z'", "x:w for an interaction"),
    ("level 1: y = b0 + b1*x**2 + r", "the summand", r"I\(x\*\*2\)"),
    ("level 1: y = b0 + b1*(x + z) + r", "the term '\\(x \\+ z\\)' of b1", "one term"),
    ("level 1: y = b0 + b1*1 + r", "the term '1' of b1", "one term"),
    ("level 1: y = b0 + b1* + r", "nothing where terms are expected", ""),
    ("level 1: y = b0 + 2*x + r", "the summand '2\\*x'", ""),
    ("level 1: y = b0 + b1:x + r", "the summand 'b1:x'", ""),
    ("level 1: y = b0 + (b1*x) + r", "the summand", ""),
    ("level 1: y = 1 + r", "the summand '1'", ""),
    ("level 1: y = b0 + b1*x[0] + r", "'\\['", ""),
    ("level 1: y = b0 + b1*x.y + r", "'\\.'", "backticks"),
    ("level 1: y = b0 + b1*open('f') + r", "the function 'open'", ""),
    ("level 1: y = b0 + b1*__import__('os') + r", "__import__", ""),
    ("level 1: np.log(y) = b0 + r", "a dot", ""),
    ("level 1: y = b0 + r\n z = b0 + e", "2 equations at level 1", "one equation"),
    ("level 1: y ~ b0 + r", "with 0 times '='", "left = right"),
    ("level 1: y = b0 = r", "with 2 times '='", ""),
    ("level 1: = b0 + r", "'= b0 \\+ r'", "left = right"),
    ("level 1: y =", "an empty right side", "write 0"),
    ("level 1: y = b0 + (r", "is not closed", ""),
    ("level 1: logit(y) | trials(n) | se(s) = b0", "bars", ""),
    ("level 1: y | trials(n) = b0 + r", "the left side", "logit\\(r"),
    ("level 1: log(y | trials(n)) = b0", "the left side", "logit\\(r"),
    ("level 1: logit(y | se(s)) = b0", "the left side", "gaussian"),
    ("level 1: logit(y | trials(n)) | weights(w) = b0", "the left side", "inside the link"),
    ("level 1: cloglog(y) = b0", "the function 'cloglog'", ""),
    ("level 1: y | trails(n) = b0 + r", "did you mean 'trials'", ""),
    ("level 1: 1 = b0 + r", "the response '1'", ""),
    (L2 + "b0 = a00", "two equations for b0 in 'level 2 \\(g\\):'", "merge"),
    (L2 + "b2 = g20 + u2", "level 1 has no coefficient b2$", "as the level below"),
    (L2 + "level 3 (d): b0 = g000", "at level 3, but b0 is a coefficient of level 1", "b0 at lev"),
    (L2 + "g00 = a00", "at level 2, but g00 is a coefficient of level 2", "to level 3"),
    (
        L2 + "level 3 (d): g0 = d0",
        "level 2 has no coefficient g0 .did you mean 'g00'",
        "as the level below",
    ),
    (L2 + "2 = g10", "the left side '2' at level 2", "coefficient of the level below"),
    (L2 + "b1 = g00 + u1", "the name 'g00' 2 times", "own name"),
    (L2 + "b1 = g10 + u0", "the name 'u0' 2 times", "own name"),
    (L2 + "b1 = g10 + r", "the name 'r' 2 times", "own name"),
    (L2 + "b1 = g10 + b0*w", "the name 'b0' 2 times", "own name"),
    ("level 1: y = b0 + b0*x + r", "the name 'b0' 2 times", "own name"),
    (L2 + "b1 = g10 + g11*x", "g10 and g11 are both the coefficient of x", "remove one"),
    ("level 1: y = b0 + b1*x + b2*x + r", "b1 and b2 are both the coefficient of x", ""),
    ("level 1: y = b0 + b1*b0 + r", "'b0' for a coefficient or random effect and", "another"),
    ("level 1: r = b0 + b1*x + r", "'r' for a coefficient or random effect and for a col", ""),
    (L1 + "level 2 (u0): b0 = g00 + u0", "'u0' for a coefficient or random effect and", ""),
    (L2 + "level 2 (h): b0 = h00 + v0", "two intercepts for b0: g00, h00", "b0 = v0"),
    (L2 + "level 3 (a): g00 = a0 + v0\nlevel 3 (b): g00 = v1", "both model coefficients", "cro"),
    (L2 + "level 3 (g): g00 = a0 + v0", "are one grouping", "in one block"),
    (L23 + "cov(u0, u2) = 0", "cov\\(\\) of 'u2', which is no random effect", "name two"),
    (L23 + "cov(u0, u0) = 0", "'cov\\(u0, u0\\) = 0'", "only a covariance of zero"),
    (L23 + "cov(u0, u1) = 0.5", "'cov\\(u0, u1\\) = 0.5'", "only a covariance of zero"),
    (L23 + "cov(u0) = 0", "'cov\\(u0\\) = 0'", ""),
    ("level 1: y = b0 + r\n cov(r, u0) = 0", "'cov\\(r, u0\\) = 0'", "above level 1"),
    (
        "level 1: y = b0 + b1*x + b2*z + r\nlevel 2 (g): b0 = g0 + u0\nb1 = g1 + u1\n"
        "b2 = g2 + u2\ncov(u0, u1) = 0",
        "cov\\(u0, u1\\) = 0 in 'level 2 \\(g\\):' with the random effects u0, u1, u2",
        "all correlated inside",
    ),
    (L1 + "level 2 (g): b0 = g00 + offset(z)", "'offset\\(z\\)'", "a summand of level 1"),
    ("level 1: y = b0 + offset(2) + r", "there is no column", ""),
]


@pytest.mark.parametrize(("text", "got", "step"), ERRORS, ids=range(len(ERRORS)))
def test_errors_say_got_allowed_next(text: str, got: str, step: str) -> None:
    with pytest.raises(SpecError) as caught:
        equations(text)
    said, rest = str(caught.value).split("\n  allowed: ")
    assert re.search(got, said), said
    assert "\n  next:    " in rest
    assert re.search(step, rest), rest


@pytest.mark.parametrize("text", [3, None, b"level 1: y = b0 + r"])
def test_not_a_string(text: object) -> None:
    with pytest.raises(SpecError, match="of type"):
        equations(text)  # type: ignore[arg-type]


def test_deep_and_long_texts_are_refused() -> None:
    for body in ("(" * 3_000 + "x" + ")" * 3_000, "x" * 2_000):
        with pytest.raises(SpecError, match=r"deeper|characters"):
            equations(f"level 1: y = b0 + b1*{body} + r")


def test_formulas_of_further_parameters_beside_equations() -> None:
    text = """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b0 = g00 + u0
    """
    spec = equations(text, sigma="~ x + (1 | g)")
    assert spec == formula("y ~ x + (1 | g); sigma ~ x + (1 | g)")
    assert equations_text(spec, strict=False).splitlines()[-2:] == [
        "sigma, level 2 (g): d0 = t00 + w0",
        "                    d1 = t10",
    ]
    with pytest.raises(SpecError, match="the response 'y' in the formula of sigma"):
        equations(text, sigma="y ~ x")
