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


def of_family(make_result, formula, family, **extra):
    """Return a fit with stated draws, some of them of variables that a family brings."""
    import numpy as np
    import pandas as pd
    import xarray as xr

    import bayesmlm as mlm

    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(6), 5)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=30), "w": rng.normal(size=6)[g]})
    frame["y"] = np.exp(rng.normal(size=30))
    frame["o"] = pd.Categorical(g % 3, ordered=True)
    model = mlm.Model(formula, frame, family=family)
    p = len(model.design.coef)
    draws = {"beta": np.arange(1.0, p + 1) + 0.01 * rng.normal(size=(1, 50, p))}
    for parameter in model.design.parameters:
        shape = (1, 50, parameter.size) if parameter.labels else (1, 50)
        draws[parameter.name] = np.sort(rng.uniform(1, 2, shape), axis=-1)
    draws["sd_g"] = rng.uniform(1, 2, (1, 50, 1))
    draws["u_g"] = rng.normal(size=(1, 50, 6, 1))
    result = make_result(model, **draws)
    for name, value in extra.items():
        constant = xr.DataArray(np.full((1, 50), value), dims=("chain", "draw"))
        result.tree["posterior"][name] = constant
    return mlm.Fit(result)


@pytest.mark.parametrize(
    ("family", "says"),
    [("student", ["sigma = 1.", "nu = 1."]), ("lognormal", ["sigma = "]), ("gamma", ["shape = "])],
)
def test_families_that_no_left_side_declares_have_estimates(make_result, family, says, tmp_path):
    fit = of_family(make_result, "y ~ x + (1 | g)", family)
    text = str(fit.equations())
    assert f"{family}[" in text
    for words in says:
        assert words in fit.equations().estimates.text
    for parameter in fit.result.design.parameters:
        assert f"\n  {parameter.name} " in text.split("estimates:")[0]
    assert "None" not in text
    assert fit.equations().html().count("<math ") == 3
    fit.report(tmp_path / "x.html")


def test_thresholds_stand_in_the_place_of_the_intercept(make_result):
    fit = of_family(make_result, "o ~ x*w + (1 | g)", "cumulative")
    assert fit.result.design.coef == ("x", "w", "x:w")
    rows = fit.equations().estimates.text.splitlines()
    assert rows[0] == "level 1:     logit(P(o <= k)) = thresholds[k] - (b0 + b1*x)"
    assert "thresholds[0|1] = 1." in rows[1]
    latex = fit.equations().estimates.latex
    assert r"\text{thresholds}_{k} - (\beta_{0} + \beta_{1} \, \text{x})" in latex
    assert fit.equations().html().count("<math ") == 3
    intercept, slope = (float(row.split(" = ")[1].split()[0]) for row in rows[3:5])
    assert (intercept, slope) == pytest.approx((2, 1), abs=0.05)
    assert rows[3].endswith("*w + u0")
    assert rows[4].endswith("*w")
    summary = str(fit.summary())
    assert summary.index("g01      w") < summary.index("slope of x") < summary.index("g11      w")
    assert "thresholds at mean predictors ~ StudentT(3, 0, 2.5)" in str(fit.equations())


def test_effects_that_are_not_normal(make_result, tmp_path):
    student = "y ~ x + (1 | gr(g, dist='student'))"
    fit = of_family(make_result, student, "gaussian", nu_g=4.0)
    assert (
        "u0 ~ Student-t with 4.000 (0.000) degrees of freedom, SD 1."
        in fit.equations().estimates.text
    )
    assert "nu_g - 2 " in str(fit.equations())
    fit.report(tmp_path / "x.html")
    assert "The effects of g are Student-t with mean zero" in (tmp_path / "x.html").read_text()
    points = of_family(make_result, "y ~ x + (1 | gr(g, dist='points', k=3))", "gaussian")
    assert "u0 ~ one of 3 points, SD 1." in points.equations().estimates.text
    points.report(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    assert "∑" in text and "one of a few mass points" in text


def test_the_vocabulary_by_level_names_equations_as_tables(fit):
    import bayesmlm as mlm

    with mlm.vocabulary("levels"):
        text = str(fit.equations())
        head = str(fit.summary()).splitlines()[0]
    assert "β₀ = γ₀₀ + γ₀₁*w" in text
    assert "+ u₀" in text and "g00" not in text
    assert "γ₀₀" in head
    assert "γ" not in fit.equations().text
