"""`latent(x, g)` as language: read, written back, refused where it has no meaning."""

import pytest

from bayesmlm.errors import SpecError, UnsupportedError
from bayesmlm.spec import equations, formula
from bayesmlm.spec.latent_means import latent_pairs, submodel_text
from bayesmlm.spec.render import combined_text, equations_text, formula_text, latex
from bayesmlm.spec.support import refuse_unsupported

LEVELS = {"latent(x, g)": ("g",)}


def test_formula_and_equations_are_one_model() -> None:
    one = formula("y ~ within(x,g) + latent( x,g ) + (1 | g)")
    two = equations("""
        level 1:     y = b0 + b1*within(x, g) + r
        level 2 (g): b0 = g00 + g01*latent(x, g) + u0
    """)
    assert one == two
    assert formula(formula_text(one)) == one
    assert equations(equations_text(one, LEVELS)) == one
    assert combined_text(one, LEVELS) == "y = g00 + g01*latent(x, g) + g10*within(x, g) + u0 + r"


def test_the_submodel_is_written_below_the_equations() -> None:
    spec = formula("y ~ within(x, g) + latent(x, g) + (1 | g)")
    assert latent_pairs(spec.response.mu) == (("x", "g"),)
    text = "\n".join(submodel_text(spec.response.mu))
    assert "latent(x, g) = mu_x + xi,  xi ~ N(0, tau_x^2) by g" in text
    assert "within(x, g) = x - latent(x, g)" in text
    written = latex(spec, LEVELS)
    assert r"x_{ij} &= \text{latent(x, g)}_{j} + e^{x}_{ij}" in written
    assert r"\text{latent(x, g)}_{j} &= \mu_{x} + \xi^{x}_{j}" in written
    assert r"\text{within(x, g)}_{ij} &= x_{ij} - \text{latent(x, g)}_{j}" in written
    plain = formula("y ~ x + latent(x, g) + (1 | g)")
    assert "within" not in "\n".join(submodel_text(plain.response.mu))
    assert "within" not in latex(plain, LEVELS)
    assert submodel_text(formula("y ~ x + between(x, g) + (1 | g)").response.mu) == []


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("y ~ latent(x, g) + between(x, g) + (1 | g)", SpecError, "two means of one predictor"),
        ("y ~ latent(x, g) + latent(x, h) + (1 | g) + (1 | h)", SpecError, "x by g and h"),
        ("y ~ I(latent(x, g)**2) + (1 | g)", SpecError, "inside"),
        ("y ~ latent(x, g) + I(within(x, g)**2) + (1 | g)", SpecError, "whose mean x is taken"),
        ("y ~ latent(x, g) + within(x, h) + (1 | g)", SpecError, "beside latent"),
        ("y ~ latent(x, g) + (within(x, g) | g)", UnsupportedError, "varying slope"),
        ("y ~ x + latent(x, g) + (1 | g) + (latent(x, g) | h)", UnsupportedError, "varies"),
        ("y ~ offset(latent(x, g)) + (1 | g)", SpecError, "fixed part"),
        ("latent(y, g) ~ x + (1 | g)", SpecError, "fixed part"),
    ],
)
def test_latent_means_where_they_have_no_meaning(text: str, kind: type, says: str) -> None:
    with pytest.raises(kind, match=says) as error:
        refuse_unsupported(formula(text))
    assert "next:" in str(error.value)


def test_another_predictor_may_be_centred_on_observed_means() -> None:
    refuse_unsupported(formula("y ~ latent(x, g)*within(w, g) + between(w, g) + (w | g)"))
