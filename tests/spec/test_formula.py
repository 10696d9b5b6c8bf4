"""Formulas: what is read, and every way to get one wrong."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from bayesmlm.errors import BayesmlmError, SpecError, UnsupportedError
from bayesmlm.spec import ModelSpec, Predictor, RandomTerm, Term, formula
from bayesmlm.spec.algebra import terms
from bayesmlm.spec.support import refuse_unsupported


def mu(text: str) -> Predictor:
    return formula(text).response.mu


def fixed(text: str) -> list[str]:
    return [str(term) for term in mu(text).fixed]


def bars(text: str) -> list[tuple[list[str], tuple[str, ...]]]:
    return [([str(e) for e in term.effects], term.grouping) for term in mu(text).random]


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("1", ["Intercept"]),
        ("0", []),
        ("x", ["Intercept", "x"]),
        ("0 + x", ["x"]),
        ("x - 1", ["x"]),
        ("-1 + x", ["x"]),
        ("x*w", ["Intercept", "x", "w", "x:w"]),
        ("x:w + x", ["Intercept", "x", "x:w"]),
        ("a/b", ["Intercept", "a", "a:b"]),
        ("b %in% a", ["Intercept", "a", "a:b"]),
        ("(a + b)^2", ["Intercept", "a", "b", "a:b"]),
        ("(a + b + c)**2 - a:b", ["Intercept", "a", "b", "c", "a:c", "b:c"]),
        ("x*(a + b)", ["Intercept", "x", "a", "b", "x:a", "x:b"]),
        ("bs(x,df=4)*w", ["Intercept", "bs(x, df=4)", "w", "bs(x, df=4):w"]),
        ("`IQ.verb` + class", ["Intercept", "`IQ.verb`", "`class`"]),
        ("x +\n w", ["Intercept", "x", "w"]),
        ("I(x**2) + I(x ** 2)", ["Intercept", "I(x ** 2)"]),
    ],
)
def test_fixed_part(right: str, expected: list[str]) -> None:
    assert fixed(f"y ~ {right}") == expected


@pytest.mark.parametrize(
    "text", ["x*w", "(a + b + c)^2 - a:c", "a/b/c", "0 + a*b*c", "a*(b + c):d"]
)
def test_the_algebra_is_formulaics(text: str) -> None:
    from formulaic.parser import DefaultFormulaParser

    theirs = {
        frozenset(f.expr for f in term.factors) - {"1"}
        for term in DefaultFormulaParser().get_terms(text)
    }
    assert {term.key for term in terms(text)} == theirs


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ("(1 | g)", [(["Intercept"], ("g",))]),
        ("(x | g)", [(["Intercept", "x"], ("g",))]),
        ("(0 + x | g)", [(["x"], ("g",))]),
        ("(x || g)", [(["Intercept"], ("g",)), (["x"], ("g",))]),
        ("(1 | a/b)", [(["Intercept"], ("a",)), (["Intercept"], ("a", "b"))]),
        ("(1 | a:b)", [(["Intercept"], ("a", "b"))]),
        (
            "(1 | a/b/c)",
            [(["Intercept"], tuple("abc"[:n])) for n in (1, 2, 3)],
        ),
        ("(1 | `a b`/class)", [(["Intercept"], ("a b",)), (["Intercept"], ("a b", "class"))]),
        ("(bs(x, df=4) | g)", [(["Intercept", "bs(x, df=4)"], ("g",))]),
    ],
)
def test_bars(bar: str, expected: list[tuple[list[str], tuple[str, ...]]]) -> None:
    assert bars(f"y ~ {bar}") == expected
    assert bars(f"y ~ x + {bar} + w") == expected
    assert fixed(f"y ~ {bar}") == ["Intercept"]
    assert fixed(f"y ~ 0 + {bar}") == []


def test_double_bar_is_two_bars() -> None:
    assert formula("y ~ x + (x || g)") == formula("y ~ x + (1 | g) + (0 + x | g)")
    assert formula("y ~ x + (x || g)") != formula("y ~ x + (x | g)")


def test_left_side() -> None:
    response = formula("log(y) | weights(1/v) + se(s) ~ x").response
    assert response.column == "log(y)"
    assert response.additions == (("se", "s"), ("weights", "1 / v"))
    assert formula("r | trials(10) ~ 1", family="binomial").response.addition("trials") == "10"


def test_offset() -> None:
    assert mu("y ~ x + offset(log(n))").offset == ("log(n)",)
    assert fixed("y ~ offset") == ["Intercept", "offset"]


def test_family_and_link() -> None:
    assert formula("y ~ x").response.family == "gaussian"
    assert formula("y ~ x", family="bernoulli", link="logit") == formula(
        "y ~ x", family="bernoulli"
    )
    assert formula("y ~ x", family="bernoulli", link="probit") != formula(
        "y ~ x", family="bernoulli"
    )


def test_equality_ignores_order_and_nothing_else() -> None:
    assert formula("y ~ x + w:x + (x + 1 | a:b)") == formula("y ~ x:w + x + (x | b:a)")
    different = ["y ~ x", "z ~ x", "y ~ w", "y ~ 0 + x", "y ~ x + (1 | g)", "y ~ x + offset(w)",
                 "y | weights(w) ~ x", "y ~ x + (1 | h)"]  # fmt: skip
    assert len({formula(text) for text in different}) == len(different)


def test_further_parameters() -> None:
    spec = formula("y ~ x", sigma="~ w + (1 | g)")
    assert [name for name, _ in spec.response.predictors] == ["mu", "sigma"]
    sigma = dict(spec.response.predictors)["sigma"]
    assert [str(t) for t in sigma.fixed] == ["Intercept", "w"]
    assert sigma.random[0].grouping == ("g",)


def test_formulas_of_further_parameters_in_one_text() -> None:
    spec = formula("y ~ x + (1 | g); sigma ~ w + (1 | g)", family="student", nu="~ z")
    assert spec == formula("y ~ x + (1 | g)", family="student", sigma="~ w + (1 | g)", nu="~ z")
    assert [name for name, _ in spec.response.further] == ["nu", "sigma"]
    assert formula("y ~ x; log(sigma) ~ x") == formula("y ~ x; sigma ~ x")
    assert formula("y ~ x; identity(sigma) ~ x") != formula("y ~ x; sigma ~ x")
    assert formula("y ~ x", sigma="identity(sigma) ~ x") == formula("y ~ x; identity(sigma) ~ x")
    quoted = formula("`a;b` ~ x; sigma ~ `c;d`")
    assert (quoted.response.column, len(quoted.response.predictors)) == ("`a;b`", 2)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("y ~ x;", "a semicolon without a formula after it"),
        ("y ~ x; sigma", "no ~ in 'sigma'"),
        ("y ~ x; ~ x", "'~ x' after a semicolon"),
        ("y ~ x; sigma + nu ~ x", "after a semicolon"),
        ("y ~ x; sigma ~ x; sigma ~ w", "two formulas of sigma"),
        ("y ~ x; mu ~ x", "a formula for 'mu'"),
        ("y ~ x; sigma ~", "an empty right side"),
        ("; sigma ~ x", "no ~"),
    ],
)
def test_errors_in_formulas_of_further_parameters(text: str, got: str) -> None:
    with pytest.raises(SpecError, match=got):
        formula(text)


def test_a_parameter_has_one_formula() -> None:
    with pytest.raises(SpecError, match="two formulas of sigma"):
        formula("y ~ x; sigma ~ x", sigma="~ w")


def test_group_options() -> None:
    (term,) = mu("y ~ (1 | gr(g, by=z, cov=A, dist='student'))").random
    assert term == RandomTerm(
        (Term(()),), ("g",), distribution="student", by="z", known_covariance="A"
    )
    (term,) = mu("y ~ (1 | mm(g1, g2, weights=cbind(w1, w2)))").random
    assert (term.members, term.membership_weights) == (("g1", "g2"), ("w1", "w2"))


ERRORS = [
    ("~ x", "no response", "write the response before ~"),
    ("y", "no ~", "for example"),
    ("y ~ x ~ z", "2 times ~", "for example"),
    ("I(y ~ z)", "a ~ inside brackets", ""),
    ("y ~ I(x ~ z)", "'~ z", ""),
    ("y ~", "empty right side", "write 1"),
    ("y ~ (1 | g", "'\\(' is not closed, at character 5", "add or remove"),
    ("y ~ 1 | g)", "'\\)' without its opening bracket, at character 10", "add or remove"),
    ("y ~ `x", "` is not closed", "add or remove"),
    ("y ~ (x]", "without its opening bracket", ""),
    ("y ~ ( | g)", "a bar without effects", r"\(1 \| g\)"),
    ("y ~ (1 | )", "a bar without a group", r"\(1 \| g\)"),
    ("y ~ (0 | g)", "no effect in", "name what varies"),
    ("y ~ (1 | a | b | c)", "3 bars in one parenthesis", "one parenthesis a group"),
    ("y ~ (1 |id| g)", r"identifier \|id\|", "not implemented"),
    ("y ~ (1 | g) + (x | g)", "Intercept varies over g in two bars", "merge"),
    ("y ~ (1 | a/b) + (x | b:a)", "varies over b:a in two bars", "merge"),
    ("y ~ (1 | a + b)", "the group 'a \\+ b'", r"\(… \| a\) \+ \(… \| b\)"),
    ("y ~ (1 | 3)", "the number '3' as a group", "one column"),
    ("y ~ (1 | C(g))", r"the group 'C\(g\)'", "one column"),
    ("y ~ (1 | g:g)", "'g' twice", "one column"),
    ("y ~ (1 | g/g)", "column twice", "one column"),
    ("y ~ (1 | a//b)", "the group", "one column"),
    ("y ~ (1 | gr(g, bye=z))", "bye=z.*did you mean 'by'", "by=column"),
    ("y ~ (1 | gr(g, dist='t'))", "distribution 't'", "gaussian"),
    ("y ~ (1 | gr(g, dist='points'))", "no k= with effects", "k from 2"),
    ("y ~ (1 | gr(g, dist='points', k=1))", "k=1 with effects", "k from 2"),
    ("y ~ (1 | gr(g, dist='points', k=2.5))", "k=2.5 with effects", "k from 2"),
    ("y ~ (1 | gr(g, dist='student', k=3))", "k=3 with effects .* student", "k from 2"),
    ("y ~ (1 | mm(g))", "two or more", ""),
    ("y ~ (1 | mm(g, h, weights=w))", "1 weights for 2", ""),
    ("y ~ 1 | g", "a bar at character 3", r"parentheses: \(1 \| g\)"),
    ("y ~ x - (1 | g)", "subtracted", "add it with"),
    ("y ~ x*(1 | g)", "a bar at character", "stands alone"),
    ("y ~ (1 | g)*x", "a bar at character", "stands alone"),
    ("y ~ ((1 | g))", "a bar at character", "stands alone"),
    ("y ~ (1 | g) (1 | h)", "a bar at character", "stands alone"),
    ("y ~ (x + (1 | g))", "a bar at character", "stands alone"),
    ("y ~ .", "'.' at character 1", "write the columns out"),
    ("y ~ IQ.verb", "'.' at character 3", "backticks"),
    ("y ~ x +", "nothing after the last operator", "write terms"),
    ("y ~ x + + (1 | g)", "nothing after", ""),
    ("y ~ x ++ w", "sign after another operator", ""),
    ("y ~ *x", r"nothing before '\*'", ""),
    ("y ~ x w", "no operator before 'w'", ""),
    ("y ~ 2*x", "a number where a column belongs: '2'", r"I\(2\*x\)"),
    ("y ~ 3", "a number where a column belongs", ""),
    ("y ~ 0:x", "a number where a column belongs: '0'", ""),
    ("y ~ (1 + x)*w", "a number where a column belongs: '1'", ""),
    ("y ~ (a + b)^x", "the exponent 'x'", "whole number"),
    ("y ~ x^99", "the exponent '99'", ""),
    ("y ~ a*b*c*d*e*f*g*h*i*j*k*l*m", "very many terms", "interactions that are meant"),
    ("y ~ (a + b + c + d + e + f + g + h)^9", "very many terms", ""),
    ("y ~ {x + 1}", "'{'", r"I\(...\)"),
    ("y ~ 'x'", '"\'"', "take no quotes"),
    ("y ~ x # comment", "'#'", ""),
    ("y ~ I(1)", "without a column", ""),
    ("y ~ y", "'y' on both sides", "remove it"),
    ("y1 + y2 ~ x", "the response 'y1 \\+ y2'", r"I\(...\)"),
    ("3 ~ x", "the response '3'", ""),
    ("y | ~ x", "the addition ''", ""),
    ("| se(s) ~ x", "no response", ""),
    ("y | se(s) | trials(n) ~ x", "2 bars in the response", ""),
    ("y | se(s) + se(t) ~ x", "'se' twice", ""),
    ("y | cens(c) ~ x", "the addition 'cens'", "se, trials, weights, precision"),
    ("y | trial(n) ~ x", "did you mean 'trials'", ""),
    ("y | se(s, t) ~ x", "takes one argument", ""),
    ("y | n ~ x", "the addition 'n'", ""),
    ("y ~ offset(1)", "there is no column", ""),
    ("y ~ x - offset(z)", "subtracted", ""),
    ("y ~ offset(z) + offset(z)", "one offset twice", ""),
    ("y ~ x:offset(z)", "the function 'offset'", "a summand of its own"),
    ("y ~ np.log(x)", "'.'", ""),
    ("y ~ x.__class__", "'.'", ""),
    ("y ~ __import__('os')", "__import__", ""),
    ("y ~ open('f')", "the function 'open'", ""),
    ("y ~ (open('f') | g)", "the function 'open'", ""),
    ("y | weights(open('f')) ~ x", "the function 'open'", ""),
    ("open('f') ~ x", "the function 'open'", ""),
    ("y ~ offset(open('f'))", "the function 'open'", ""),
    ("", "no ~", ""),
]


@pytest.mark.parametrize(("text", "got", "step"), ERRORS, ids=[text for text, _, _ in ERRORS])
def test_errors_say_got_allowed_next(text: str, got: str, step: str) -> None:
    with pytest.raises(SpecError) as caught:
        formula(text)
    said, rest = str(caught.value).split("\n  allowed: ")
    assert re.search(got, said), said
    assert re.search(step, rest), rest


@pytest.mark.parametrize("text", [3, None, b"y ~ x", ["y ~ x"], ModelSpec(())])
def test_not_a_string(text: object) -> None:
    with pytest.raises(SpecError, match="of type"):
        formula(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keywords", "got"),
    [
        ({"famly": "poisson"}, "did you mean 'family'"),
        ({"family": 3}, "a family of type int"),
        ({"link": 3}, "a link of type int"),
        ({"mu": "~ x"}, "a formula for 'mu'"),
        ({"sigma": "x"}, "sigma='x'"),
        ({"sigma": 3}, "sigma=3"),
        ({"sigma": "y ~ x"}, "the response 'y' in the formula of sigma"),
        ({"sigma": "~ (1 | )"}, "a bar without a group"),
    ],
)
def test_keyword_errors(keywords: dict[str, str], got: str) -> None:
    with pytest.raises(SpecError, match=got):
        formula("y ~ x", **keywords)


@pytest.mark.parametrize(
    "text",
    [
        "y ~ " + "(" * 10_000 + "x" + ")" * 10_000,
        "y ~ " + "(" * 3_000 + "x" + ")" * 3_000,
        "y ~ " + "x + " * 10_000 + "x",
        "y ~ I(" + "-" * 900 + "x)",
    ],
)
def test_deep_and_long_formulas_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"deeper|characters"):
        formula(text)


def test_a_long_plain_formula_is_read() -> None:
    assert len(fixed("y ~ " + " + ".join(f"x{i}*w{i}" for i in range(60)))) == 181


@pytest.mark.parametrize(
    ("spec", "got"),
    [
        (
            formula("y ~ x; sigma ~ (1 | gr(g, dist='points', k=2))"),
            "mass points by g in the formula of sigma",
        ),
        (formula("y ~ x; sigma ~ (1 | gr(g, by=z))"), "a covariance by 'z'"),
        (formula("y ~ (1 | gr(g, by=z))"), "a covariance by 'z'"),
        (formula("y ~ (1 | gr(g, cov=A))"), "known covariance 'A'"),
        (
            formula("y ~ (1 | gr(g, dist='student')) + (0 + x | g)"),
            "effects of g with two distributions",
        ),
        (
            formula("y ~ (1 | gr(g, dist='points', k=2)) + (1 | gr(h, dist='points', k=2))"),
            "two terms of mass points, by g and h",
        ),
        (formula("y ~ (x || gr(g, dist='points', k=2))"), "two terms of mass points, by g and g"),
        (formula("y ~ (1 | mm(a, b))"), "multiple membership"),
        (ModelSpec(()), "0 responses"),
        (ModelSpec((formula("y ~ x").response, formula("z ~ x").response)), "2 responses"),
    ],
)
def test_what_nothing_implements_is_refused_once(spec: ModelSpec, got: str) -> None:
    with pytest.raises(UnsupportedError, match=f"(?s){got}.*not implemented.*allowed: one resp"):
        refuse_unsupported(spec)
    assert issubclass(UnsupportedError, BayesmlmError)


def test_what_is_implemented_is_let_through() -> None:
    refuse_unsupported(formula("y | se(s) ~ x + offset(z) + (x || a/b) + (1 | k)"))
    refuse_unsupported(
        formula("y ~ (x || gr(g, dist='student')) + (1 | gr(h, dist='points', k=9))")
    )


def test_importing_spec_imports_nothing_heavy() -> None:
    code = (
        "import sys, bayesmlm.spec, bayesmlm.spec.render; "
        "print([m for m in ('formulaic', 'pandas', 'numpy', 'scipy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
