"""Round trips, of models drawn at random: every notation gives the same model back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmlm.errors import SpecError
from bayesmlm.spec import (
    INTERCEPT,
    ModelSpec,
    Predictor,
    RandomTerm,
    Response,
    Term,
    equations,
    formula,
)
from bayesmlm.spec.expression import normalise
from bayesmlm.spec.render import combined_text, equations_text, formula_text, latex

FACTORS = ("x", "w", "r", "b0", "bs(z, df=4)", "within(x, a)", "`IQ.verb`", "I(x ** 2)")
GROUPINGS = (("a",), ("a", "b"), ("a", "b", "c"), ("k",), ("k", "m"), ("class",), ("u0",))
FAMILIES = (
    {"family": "gaussian"},
    {"family": "gaussian", "additions": (("se", "s"),)},
    {"family": "gaussian", "additions": (("precision", "1 / v"), ("weights", "v"))},
    {"family": "bernoulli", "link": "probit"},
    {"family": "binomial", "additions": (("trials", "n"),)},
    {"family": "poisson"},
)

terms = st.lists(st.sampled_from(FACTORS), max_size=3, unique=True).map(lambda f: Term(tuple(f)))
term_sets = st.lists(terms, max_size=6, unique=True)


@st.composite
def random_terms(draw: st.DrawFn, pool: list[Term]) -> tuple[RandomTerm, ...]:
    """Draw bars; the effects of one grouping are cut into correlated sets at random."""
    found: list[RandomTerm] = []
    for grouping in draw(st.lists(st.sampled_from(GROUPINGS), max_size=4, unique=True)):
        effects = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))
        cuts = draw(st.lists(st.booleans(), min_size=len(effects), max_size=len(effects)))
        blocks: list[list[Term]] = [[]]
        for effect, cut in zip(effects, cuts, strict=True):
            if cut and blocks[-1]:
                blocks.append([])
            blocks[-1].append(effect)
        found += [RandomTerm(tuple(block), grouping) for block in blocks]
    return tuple(found)


@st.composite
def specs(draw: st.DrawFn) -> ModelSpec:
    """Draw a model of one response."""
    fixed = draw(term_sets)
    if draw(st.booleans()):
        fixed = [INTERCEPT, *(term for term in fixed if term != INTERCEPT)]
    pool = list(dict.fromkeys((INTERCEPT, *fixed, Term(("x",)), Term(("w", "x")))))
    offset = draw(st.sampled_from(((), ("log(n)",))))
    mu = Predictor(tuple(fixed), draw(random_terms(pool)), offset)
    column = draw(st.sampled_from(("y", "log(y)", "`my y`", "sqrt(y)")))
    return ModelSpec((Response(column, (("mu", mu),), **draw(st.sampled_from(FAMILIES))),))


levels = st.dictionaries(st.sampled_from(FACTORS), st.sampled_from(GROUPINGS))


@given(specs())
@settings(max_examples=150, deadline=None)
def test_formula_text_reads_back(spec: ModelSpec) -> None:
    response = spec.response
    again = formula(formula_text(spec), family=response.family, link=response.link)
    assert again == spec


@given(specs(), st.one_of(st.none(), levels))
@settings(max_examples=300, deadline=None)
def test_equations_text_reads_back(spec: ModelSpec, where: dict[str, tuple[str, ...]]) -> None:
    again = equations(equations_text(spec, where))
    assert again == spec
    # and so does what the declared labels and levels render
    assert equations(equations_text(again)) == spec


@given(specs(), levels)
@settings(max_examples=100, deadline=None)
def test_level_2_equations_hold_only_what_is_constant_there(
    spec: ModelSpec, where: dict[str, tuple[str, ...]]
) -> None:
    declared = equations(equations_text(spec, where)).declared
    assert declared is not None
    for factor, grouping in declared.levels_of:
        assert frozenset(where[factor]) == frozenset(grouping)


@given(specs(), levels)
@settings(max_examples=100, deadline=None)
def test_combined_and_latex_name_every_coefficient(
    spec: ModelSpec, where: dict[str, tuple[str, ...]]
) -> None:
    combined = combined_text(spec, where)
    declared = equations(equations_text(spec, where)).declared
    assert declared is not None
    for term, label in declared.coefficients:
        assert (label if term.is_intercept else f"{label}*") in combined
    for form in ("levels", "combined"):
        written = latex(spec, where, form)
        assert written.count("{") == written.count("}")
        assert written.count(r"\sim") >= len(spec.response.mu.random)


@given(st.lists(terms, min_size=2, max_size=4), st.sampled_from(["|", "||"]))
@settings(max_examples=50, deadline=None)
def test_order_is_for_display_only(effects: list[Term], bar: str) -> None:
    texts = [str(term) for term in effects if not term.is_intercept]
    one = formula(f"y ~ 1 + {' + '.join(texts or ['x'])} + (1 {bar} g)")
    other = formula(f"y ~ 1 + {' + '.join(reversed(texts or ['x']))} + (1 {bar} g)")
    assert one == other and hash(one) == hash(other)


text = st.text(alphabet=st.sampled_from("yxgabw01 ~+-*/:^|()[]{}.,='\"`#%\\_βγ₀é\n\t"), max_size=40)


@given(text, st.sampled_from(["{}", "y ~ {}", "y ~ ({} | g)", "y ~ (1 | {})", "y | {} ~ x"]))
@settings(max_examples=600, deadline=None)
def test_any_text_is_a_formula_or_a_spec_error(body: str, frame: str) -> None:
    try:
        spec = formula(frame.replace("{}", body))
    except SpecError as error:
        assert "allowed:" in str(error) and "next:" in str(error)
    else:
        assert formula(formula_text(spec)) == spec


EQUATION_FRAMES = (
    "{}",
    "level 1: {}",
    "level 1: y = {} + r",
    "level 1: {} = b0 + r",
    "level 1: y = b0 + r\nlevel 2 ({}): b0 = g00 + u0",
    "level 1: y = b0 + r\nlevel 2 (g): b0 = {}",
)


@given(text, st.sampled_from(EQUATION_FRAMES))
@settings(max_examples=600, deadline=None)
def test_any_text_is_equations_or_a_spec_error(body: str, frame: str) -> None:
    try:
        spec = equations(frame.replace("{}", body))
    except SpecError as error:
        assert "allowed:" in str(error) and "next:" in str(error)
    else:
        assert equations(equations_text(spec)) == spec


@given(text)
@settings(max_examples=600, deadline=None)
def test_normalising_twice_is_normalising_once(body: str) -> None:
    try:
        once = normalise(body)
    except SpecError:
        return
    assert normalise(once) == once
