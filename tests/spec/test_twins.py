"""Twins: the equations of the textbook and the formula of the same model are one ModelSpec."""

from __future__ import annotations

import pytest

from bayesmlm.spec import ModelSpec, equations, formula
from bayesmlm.spec.render import equations_text

TWINS: dict[str, tuple[str, ModelSpec]] = {
    "one-way ANOVA (High School & Beyond 1)": (
        """
        level 1:          mathach = b0 + r
        level 2 (school): b0 = g00 + u0
        """,
        formula("mathach ~ 1 + (1 | school)"),
    ),
    "means as outcomes (High School & Beyond 2)": (
        """
        level 1:          mathach = b0 + r
        level 2 (school): b0 = g00 + g01*meanses + u0
        """,
        formula("mathach ~ meanses + (1 | school)"),
    ),
    "random coefficients (High School & Beyond 3)": (
        """
        level 1:          mathach = b0 + b1*cses + r
        level 2 (school): b0 = g00 + u0
                          b1 = g10 + u1
        """,
        formula("mathach ~ cses + (cses | school)"),
    ),
    "intercepts and slopes as outcomes (High School & Beyond 4)": (
        """
        level 1:          mathach = b0 + b1*cses + r
        level 2 (school): b0 = g00 + g01*meanses + g02*sector + u0
                          b1 = g10 + g11*meanses + g12*sector + u1
        """,
        formula("mathach ~ meanses*cses + sector*cses + (cses | school)"),
    ),
    "three-level growth": (
        """
        level 1:          read = p0 + p1*year + e                # three-level growth
        level 2 (child):  p0 = b00 + b01*black + r0
                          p1 = b10 + r1
        level 3 (school): b00 = g000 + g001*lowinc + u00
                          b10 = g100 + u10
        """,
        formula("read ~ lowinc + black + year + (year | school/child)"),
    ),
    "crossed pupil and school": (
        """
        level 1:          y = b0 + b1*x + e
        level 2 (pupil):  b0 = g00 + u0
        level 2 (school): b0 = v0
        """,
        formula("y ~ x + (1 | pupil) + (1 | school)"),
    ),
    "crossed, with predictors of both groups": (
        """
        level 1:          y = b0 + b1*x + e
        level 2 (pupil):  b0 = g00 + g01*age + u0
        level 2 (school): b0 = h01*size + v0
                          b1 = g10 + v1
        """,
        formula("y ~ x + age + size + (1 | pupil) + (x | school)"),
    ),
    "classes in schools, crossed with raters": (
        """
        level 1:          y = b0 + e
        level 2 (class):  b0 = g00 + u0
        level 2 (rater):  b0 = v0
        level 3 (school): g00 = d000 + u00
        """,
        formula("y ~ 1 + (1 | school/class) + (1 | rater)"),
    ),
    "logit with trials": (
        """
        level 1:            logit(r | trials(n)) = b0 + b1*x     # crossed, binomial
        level 2 (pupil):    b0 = g00 + u0
        level 2 (school):   b0 = v0
        """,
        formula("r | trials(n) ~ x + (1 | pupil) + (1 | school)", family="binomial"),
    ),
    "logit without trials": (
        """
        level 1:     logit(y) = b0 + b1*x
        level 2 (g): b0 = g00 + u0
        """,
        formula("y ~ x + (1 | g)", family="bernoulli"),
    ),
    "probit": ("level 1: probit(y) = b0", formula("y ~ 1", family="bernoulli", link="probit")),
    "log, with an offset": (
        """
        level 1:     log(y) = b0 + b1*x + offset(log(n))
        level 2 (g): b0 = g00 + u0
        """,
        formula("y ~ x + offset(log(n)) + (1 | g)", family="poisson"),
    ),
    "known variances": (
        """
        level 1:          effect | se(s) = b0
        level 2 (school): b0 = g00 + u0
        """,
        formula("effect | se(s) ~ 1 + (1 | school)"),
    ),
    "known variances, inside the link": (
        """
        level 1:          identity(effect | se(s)) = b0
        level 2 (school): b0 = g00 + u0
        """,
        formula("effect | se(s) ~ 1 + (1 | school)"),
    ),
    "weights and precision": (
        "level 1: y | weights(w) + precision(1/v) = b0 + r",
        formula("y | precision(1/v) + weights(w) ~ 1"),
    ),
    "a transformed gaussian response": (
        "level 1: identity(log(y)) = b0 + b1*x + r",
        formula("log(y) ~ x"),
    ),
    "slope without random intercept": (
        """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b1 = g10 + u1
        """,
        formula("y ~ x + (0 + x | g)"),
    ),
    "slope without any intercept": (
        """
        level 1:     y = b1*x + r
        level 2 (g): b1 = g10 + u1
        """,
        formula("y ~ 0 + x + (0 + x | g)"),
    ),
    "random effect without a mean": (
        """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b0 = g00 + u0
                     b1 = u1
        """,
        formula("y ~ 1 + (x | g)"),
    ),
    "no random slope": (
        """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b0 = g00 + u0
                     b1 = g10
        """,
        formula("y ~ x + (1 | g)"),
    ),
    "slope not modelled at all": (
        """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b0 = g00 + u0
        """,
        formula("y ~ x + (1 | g)"),
    ),
    "slope with a predictor and no random effect": (
        """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b0 = g00 + u0
                     b1 = g10 + g11*w
        """,
        formula("y ~ x + x:w + (1 | g)"),
    ),
    "uncorrelated effects": (
        """
        level 1:     y = b0 + b1*x + r
        level 2 (g): b0 = g00 + u0
                     b1 = g10 + u1
                     cov(u0, u1) = 0
        """,
        formula("y ~ x + (x || g)"),
    ),
    "one effect uncorrelated with two that are": (
        """
        level 1:     y = b0 + b1*x + b2*z + r
        level 2 (g): b0 = g00 + u0
                     b1 = g10 + u1
                     b2 = g20 + u2
                     cov(u2, u0) = 0
                     cov(u1, u2) = 0
        """,
        formula("y ~ x + z + (x | g) + (0 + z | g)"),
    ),
    "a spline with a random slope": (
        """
        level 1:     y = b0 + b1*bs(x, df=4) + r
        level 2 (g): b0 = g00 + u0
                     b1 = g10 + u1
        """,
        formula("y ~ bs(x, df=4) + (bs(x, df=4) | g)"),
    ),
    "an interaction within level 1, a square, a centred predictor": (
        """
        level 1:     y = b0 + b1*x:z + b2*I(x**2) + b3*within(x, g) + r
        level 2 (g): b0 = g00 + g01*between(x, g) + u0
        """,
        formula("y ~ x:z + I(x**2) + within(x, g) + between(x, g) + (1 | g)"),
    ),
    "a grouping of two columns": (
        """
        level 1:                y = b0 + r
        level 2 (school:class): b0 = g00 + u0
        """,
        formula("y ~ 1 + (1 | school:class)"),
    ),
    "four levels": (
        """
        level 1:     y = a0 + e
        level 2 (c): a0 = p00 + r0
        level 3 (b): p00 = b000 + u00
        level 4 (a): b000 = g0000 + v000
        """,
        formula("y ~ 1 + (1 | a/b/c)"),
    ),
    "only level 1": ("level 1: y = b0 + b1*x + r", formula("y ~ x")),
    "nothing but noise": ("level 1: y = r", formula("y ~ 0")),
    "Greek, subscripts, continued lines, another order, capitals": (
        """
        LEVEL 1: Y = rᵢⱼ + β₁ⱼ*x
            + β₀ⱼ
        Level 2 (school):
            β₁ⱼ = u₁ⱼ + γ₁₀ +
                  γ₁₁*w
            β₀ⱼ = γ₀₁*w + u₀ⱼ + γ₀₀
        """,
        formula("Y ~ x*w + (x | school)"),
    ),
    "odd column names": (
        """
        level 1:                 `my y` = b0 + b1*`IQ.verb` + r   # don't
        level 2 (`the school`):  b0 = g00 + g01*class + u0
        """,
        formula("`my y` ~ `IQ.verb` + class + (1 | `the school`)"),
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_twins_are_one_model(name: str) -> None:
    text, twin = TWINS[name]
    assert equations(text) == twin
    assert hash(equations(text)) == hash(twin)


@pytest.mark.parametrize("name", TWINS)
def test_each_twin_is_written_and_read_back(name: str) -> None:
    text, twin = TWINS[name]
    assert equations(equations_text(equations(text))) == twin
    assert equations(equations_text(twin)) == twin


def test_no_two_twins_are_the_same_by_accident() -> None:
    same = {
        frozenset({"known variances", "known variances, inside the link"}),
        frozenset({"no random slope", "slope not modelled at all"}),
    }
    names = list(TWINS)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            expected = frozenset({one, other}) in same
            assert (TWINS[one][1] == TWINS[other][1]) is expected, (one, other)
