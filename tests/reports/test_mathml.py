from xml.etree import ElementTree

import pytest

from bayesmlm.errors import SpecError
from bayesmlm.reports.mathml import mathml, plain
from bayesmlm.spec import formula
from bayesmlm.spec.gelman_hill import gelman_hill
from bayesmlm.spec.latex import latex

MODELS = (
    "y ~ x*w + (x | g)",
    "y ~ x + (x | a/b) + (1 | c)",
    "y ~ x + offset(z) + (x || g)",
    "y | se(s) ~ 1 + (1 | g)",
    "`a b` ~ `c_d` + I(x**2) + (1 | `g%`)",
    "y ~ bs(x, df=4) + (bs(x, df=4) | g)",
)


@pytest.mark.parametrize("text", MODELS)
@pytest.mark.parametrize("write", [latex, gelman_hill])
def test_every_equation_is_well_formed(text, write):
    root = ElementTree.fromstring(mathml(write(formula(text))))
    assert root.tag.endswith("math")
    assert root.findtext(".//{*}annotation") == write(formula(text))


def test_other_latex_is_refused():
    with pytest.raises(SpecError, match=r"\\frac in LaTeX"):
        mathml(r"\frac{1}{2}")


def test_text_is_escaped():
    assert "<script>" not in mathml(r"\text{<script>}")
    assert plain(r"\text{a\_b $\sim $ c}") == "a_b ~ c"
