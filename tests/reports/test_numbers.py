import pytest

from bayesmlm.errors import SpecError


def test_coefficients_stand_in_their_equations(fit):
    text = fit.equations().estimates.text
    rows = [line.split("= ")[1] for line in text.splitlines() if "= " in line]
    assert rows[0] == "b0 + b1*x + r"
    assert rows[1].startswith("1.0")
    assert "*w + " in rows[1] and "*s[T.c] + u0" in rows[1]
    assert rows[2].startswith("2.0") or rows[2].startswith("1.9")
    assert "u1 ~ Normal, SD 1.1" in text
    assert "correlation of u0, u1: 0.1" in text
    assert r"\beta_{0} &= \text{" in fit.equations().latex("estimates")


def test_priors_and_estimates_are_printed_below_the_equations(fit, model):
    text = str(model.equations())
    assert "Intercept at mean predictors ~ Normal(" in text
    assert "corr_g" in text and "LKJ(2)" in text
    assert "estimates:" not in text
    assert "estimates:" in str(fit.equations())
    assert model.equations().forms == ("levels", "priors")
    assert fit.equations()._repr_latex_().count("aligned") == 6


def test_the_notation_follows_the_vocabulary_or_the_argument(model):
    import bayesmlm as mlm

    assert r"\gamma_{00}" in model.equations().latex()
    assert r"\gamma^{\alpha}_{0}" in model.equations().latex(notation="gelman-hill")
    with mlm.vocabulary("population/group"):
        kept = model.equations()
    assert "α[j[i]]" in str(kept)
    assert "level 1:" in kept.text
    with pytest.raises(SpecError, match="the notation 'lme4'"):
        model.equations().latex(notation="lme4")
    with pytest.raises(SpecError, match="the form 'estimates'"):
        model.equations().latex("estimates")


def test_html_needs_no_script(fit):
    html = fit.equations().html()
    assert html.count("<math ") == 3
    assert "<script" not in html
