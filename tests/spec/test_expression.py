"""Factor expressions: one spelling each, and nothing that is not on the list."""

from __future__ import annotations

import pytest

from bayesmlm.errors import SpecError
from bayesmlm.spec.expression import group_text, is_factor, is_name, normalise, variables


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("x", "x"),
        ("`x`", "x"),
        ("`IQ.verb`", "`IQ.verb`"),
        ("class", "`class`"),
        ("µ", "`µ`"),
        ("bs( x,df = 4 )", "bs(x, df=4)"),
        ("I(x**2)", "I(x ** 2)"),
        ('C(g, contr.treatment("b"))', "C(g, contr.treatment('b'))"),
        ("C(g, contr.sum)", "C(g, contr.sum)"),
        ("C(g, levels=['a', \"b\", -1])", "C(g, levels=['a', 'b', -1])"),
        ("poly(x, 2, raw=True)", "poly(x, 2, raw=True)"),
        ("log(x + 1) / 2", "log(x + 1) / 2"),
        ("I(sex=='F')", "I(sex == 'F')"),
        ("within(`a b`, class)", "within(`a b`, `class`)"),
        ("grand(x)", "grand(x)"),
        ("I(((x)))", "I(x)"),
    ],
)
def test_one_spelling(written: str, normal: str) -> None:
    assert normalise(written) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os')",
        "__import__('os').system('ls')",
        "x.__class__",
        "().__class__",
        "().__class__.__bases__[0]",
        "lambda: x",
        "lambda x: 1",
        "np.log(x)",
        "open('f')",
        "eval('x')",
        "I(open(x))",
        "C(x, contr.__class__)",
        "C(x, contr.SAS)",
        "C(x, contr.sum.__class__)",
        "I(contr.sum)",
        "x[0]",
        "[x for x in y]",
        "I([x])[0]",
        "{x}",
        "f'{x}'",
        "I(f'{x}')",
        "b'x'",
        "(y := x)",
        "I(*x)",
        "C(x, **k)",
        "x if y else z",
        "not x",
        "x and y",
        "x @ y",
        "x; y",
        "x\\",
        "'\\x41'",
        "I(x, ...)",
        "1j * x",
        "__name__",
        "I(__builtins__)",
        "log(log)(x)",
        "I(x)(y)",
        "bs(x, df=d)",
        "bs(x, df=9**9)",
        "I(x + 9**9**9)",
        "I(x ** 9**9)",
        "log(x, 9**9)",
        "I('a' * x)",
        "C(x, levels=[y])",
        "within(x)",
        "within(x, g + h)",
        "within(x, I(g))",
        "within(x, group=g)",
        "grand(x, g)",
        "log(1)",
        "",
        "   ",
        "x²",
        "007 + x",
        "1x",
        "x y",
        "`x",
        "I(x",
    ],
)
def test_code_is_refused(code: str) -> None:
    with pytest.raises(SpecError, match=r"(?s)allowed: .*next: "):
        normalise(code)


@pytest.mark.parametrize(
    "deep",
    [
        "(" * 10_000 + "x" + ")" * 10_000,
        "(" * 4_000 + "x" + ")" * 4_000,
        "I(" + "-" * 900 + "x)",
        "I(" + "+".join(["x"] * 400) + ")",
        "x" * 2_000,
    ],
)
def test_deep_or_long_is_refused(deep: str) -> None:
    with pytest.raises(SpecError, match=r"deeper|characters"):
        normalise(deep)


def test_a_near_miss_is_suggested() -> None:
    with pytest.raises(SpecError, match=r"'logg'.*did you mean 'log'"):
        normalise("logg(x)")


def test_a_dotted_name_is_told_of_backticks() -> None:
    with pytest.raises(SpecError, match=r"next: .*backticks: `IQ\.verb`"):
        normalise("log(IQ.verb)")


@pytest.mark.parametrize(
    ("expr", "columns"),
    [
        ("x", ("x",)),
        ("bs(`IQ.verb`, df=4)", ("IQ.verb",)),
        ("within(z, g) + log(x) * z", ("z", "g", "x")),
        ("C(g, contr.treatment('b'))", ("g",)),
        ("log", ("log",)),
        ("2", ()),
    ],
)
def test_variables(expr: str, columns: tuple[str, ...]) -> None:
    assert variables(expr) == columns


def test_is_name() -> None:
    assert is_name("x") and is_name("`a b`") and is_name("`x`") and is_name("class")
    assert not is_name("log(x)") and not is_name("x + 1") and not is_name("1")
    assert is_factor("log(x)") and not is_factor("x + 1") and not is_factor("log(x) + 1")


def test_a_string_may_look_like_an_alias() -> None:
    assert normalise("C(`a b`, levels=['column_0'])") == "C(`a b`, levels=['column_0'])"


def test_group_text() -> None:
    assert group_text(("school", "class", "a b", "None")) == "school:class:`a b`:`None`"


@pytest.mark.parametrize(
    ("code", "step"),
    [
        ("factor(x)", r"write C\(x\)"),
        ("ns(x, 3)", r"cr\(x, df=4\)"),
        ("s(x)", r"bs\(x, df=5\)"),
        ("cbind(a, b)", r"successes \| trials\(n\)"),
        ("logit(y)", "leave logit"),
        ("offset(x) + 1", r"\+ offset\(x\)"),
        ("np.log(x)", r"write log\(…\) without np"),
        ("numpy.sqrt(x)", r"write sqrt\(…\) without numpy"),
        ("poly(x, 2, raw=TRUE)", "write True or False for TRUE"),
        ("I(x^2)", r"I\(x\*\*2\)"),
        ("I(__x)", "in backticks: `__x`"),
    ],
)
def test_words_of_other_languages_have_their_own_hint(code: str, step: str) -> None:
    with pytest.raises(SpecError, match=rf"next: .*{step}"):
        normalise(code)
