import pytest

from bayesmlm.design.spelling import factors_of, spell
from bayesmlm.spec.formula import predictor


def spelling(text, coded=None):
    return spell(predictor(text).fixed, coded or {})


def test_plain_names_stay():
    spelled = spelling("x*w + log(x)")
    assert spelled.terms == ("1", "x", "w", "log(x)", "x:w")
    assert spelled.columns == {"x": "x", "w": "w"}
    assert spelled.original("x:w") == "x:w"


@pytest.mark.parametrize(
    ("text", "column"),
    [("`my x`", "my x"), ("`class`", "class"), ("µ", "µ"), ("`1`", "1"), ("log", "log")],
)
def test_odd_names_get_an_alias_and_get_their_name_back(text, column):
    spelled = spelling(f"{text} + {text}:w + exp({text})")
    alias = spelled.columns[column]
    assert alias.isidentifier()
    assert alias != column
    assert spelled.terms == ("1", alias, f"exp({alias})", f"{alias}:w")
    assert spelled.original(alias) == column
    assert spelled.original(f"{alias}[T.a]:w") == f"{column}[T.a]:w"
    assert spelled.original(f"w:{alias}") == f"w:{column}"
    assert column in spelled.original(f"exp({alias})")


def test_functions_contrasts_options_and_strings_are_no_columns():
    spelled = spelling("C(c, contr.poly) + poly + poly(x, degree=2) + I(c == 'poly')")
    assert "C(c, contr.poly)" in spelled.terms
    assert "poly(x, degree=2)" in spelled.terms
    assert "I(c == 'poly')" in spelled.terms


def test_eleven_aliases_are_told_apart():
    names = [f"odd {k}" for k in range(12)]
    spelled = spelling(" + ".join(f"`{name}`" for name in names))
    assert [spelled.original(alias) for alias in spelled.terms[1:]] == names


def test_categories_of_numbers_are_stated_and_hidden_again():
    spelled = spelling("C(k)", {"C(k)": (1, 2)})
    assert spelled.terms == ("1", "C(k, levels=[1, 2])")
    assert spelled.original("C(k, levels=[1, 2])[T.2]") == "C(k)[T.2]"


def test_factors_come_once():
    assert factors_of(predictor("x*w + x:v").fixed) == ["x", "w", "v"]
