"""Default priors of formulas of further parameters, and the names that replace them."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.priors.further import link_scale, parameter_intercept

RNG = np.random.default_rng(4)
N = 60
DATA = pd.DataFrame(
    {
        "y": RNG.normal(10, 4, N),
        "count": RNG.poisson(2, N),
        "x": RNG.normal(5, 2, N),
        "o": RNG.normal(1, 1, N),
        "f": np.array(list("abc"))[np.arange(N) % 3],
        "g": np.arange(N) % 6,
    }
)


def model(formula, family=None, priors=None):
    return mlm.Model(formula, DATA, family=family, priors=priors)


@pytest.mark.parametrize(
    ("formula", "family", "constant"),
    [
        ("y ~ 1; sigma ~ x", "gaussian", mlm.HalfStudentT(3, 2.5 * DATA["y"].std())),
        ("y ~ 1; nu ~ x", "student", mlm.Gamma(2, 0.1)),
        ("count ~ 1; zi ~ x", "zero_inflated_poisson", mlm.Beta(1, 1)),
        ("count ~ 1; probit(hu) ~ x", "hurdle_poisson", mlm.Beta(1, 1)),
    ],
)
def test_the_intercept_has_the_interval_of_the_constant(formula, family, constant):
    found = model(formula, family)
    part = found.design.further[0]
    own = found.prior_values.predictors[part.target]
    bounds = part.link.inverse(np.array(own.coefficients["Intercept"].interval()))
    np.testing.assert_allclose(bounds, constant.interval(), rtol=1e-5)
    assert own.intercept_at_means


def test_slopes_and_sds_by_link():
    found = model("y ~ 1; sigma ~ x + (x | g)")
    spread = DATA["x"].std()
    slope = found.prior_values.predictors["sigma"].coefficients["x"]
    assert slope == mlm.Normal(0, 1 / spread)
    sds = found.prior_values.sds["sigma_g"]
    assert sds["Intercept"] == mlm.HalfStudentT(3, 1)
    assert sds["x"].sigma == pytest.approx(1 / spread)
    found = model("count ~ 1; zi ~ x + (1 | g)", "zero_inflated_poisson")
    assert found.prior_values.sds["zi_g"]["Intercept"].sigma == 2.5
    assert found.prior_values.predictors["zi"].coefficients["x"].sigma == 2.5 / spread


def test_the_identity_link_has_the_units_of_the_parameter():
    found = model("y ~ 1; identity(sigma) ~ x")
    part = found.design.further[0]
    constant = mlm.HalfStudentT(3, 2.5 * DATA["y"].std())
    median = constant.quantile(0.5)
    assert link_scale(part, constant) == 2.5 * median
    assert parameter_intercept(part, constant) == mlm.Normal(median, 2.5 * median)


def test_an_offset_is_taken_from_the_intercept_and_cells_have_its_prior():
    with_offset = model("y ~ 1; sigma ~ 1 + offset(o)").prior_values.predictors["sigma"]
    without = model("y ~ 1; sigma ~ 1").prior_values.predictors["sigma"]
    shift = without.coefficients["Intercept"].mu - with_offset.coefficients["Intercept"].mu
    assert shift == pytest.approx(DATA["o"].mean())
    cells = model("y ~ 1; sigma ~ 0 + f").prior_values.predictors["sigma"].coefficients
    assert set(cells.values()) == {without.coefficients["Intercept"]}


def test_names_that_replace_defaults():
    chosen = {
        "sigma_Intercept": mlm.Normal(0, 1),
        "sigma_slopes": mlm.Normal(0, 2),
        "sigma_x": mlm.Normal(0, 3),
        "sd_sigma": mlm.HalfNormal(1),
        "sd_sigma_g[x]": mlm.HalfNormal(2),
        "sd": mlm.HalfNormal(5),
        "slopes": mlm.Normal(0, 7),
        "corr_sigma_g": mlm.LKJ(3),
    }
    values = model("y ~ x + (1 | g); sigma ~ x + o + (x | g)", priors=chosen).prior_values
    own = values.predictors["sigma"]
    assert own.coefficients == {
        "Intercept": mlm.Normal(0, 1),
        "x": mlm.Normal(0, 3),
        "o": mlm.Normal(0, 2),
    }
    assert not own.intercept_at_means
    assert values.intercept_at_means
    assert values.coefficients["x"] == mlm.Normal(0, 7)
    assert values.sds == {
        "g": {"Intercept": mlm.HalfNormal(5)},
        "sigma_g": {"Intercept": mlm.HalfNormal(1), "x": mlm.HalfNormal(2)},
    }
    assert values.correlations == {"sigma_g": mlm.LKJ(3)}
    assert {"sigma_x", "sigma_o", "sd_sigma_g[Intercept]"} <= values.chosen
    assert values.of("sigma").coefficients == own.coefficients
    assert values.of("mu") is values


def test_listed_in_words():
    frame = model("y ~ x; sigma ~ x + (1 | g)", priors={"sd_sigma": mlm.HalfNormal(1)}).priors()
    rows = frame.frame
    assert "multiplies sigma by" in rows.loc["sigma_x", "implies"]
    assert rows.loc["sigma_Intercept", "implies"].startswith("sigma at mean predictors:")
    assert rows.loc["sd_sigma_g[Intercept]", "source"] == "yours"
    assert "of log(sigma) by g" in rows.loc["sd_sigma_g[Intercept]", "implies"]
    rows = model("count ~ x; zi ~ f; shape ~ 1", "zero_inflated_negbinomial").priors().frame
    assert "odds of zi" in rows.loc[next(n for n in rows.index if n.startswith("zi_f")), "implies"]


def test_in_a_model_file():
    chosen = {"sigma_x": mlm.Normal(0, 3), "sd_sigma_g": mlm.HalfNormal(1)}
    text = model("y ~ x; sigma ~ x + (1 | g)", priors=chosen).to_toml()
    assert 'formula = "y ~ 1 + x; sigma ~ 1 + x + (1 | g)"' in text
    assert 'sigma_x = "Normal(0.0, 3.0)"' in text
    assert '"sd_sigma_g[Intercept]" = "HalfNormal(1.0)"' in text


def test_priors_of_categories_by_the_names_of_all_or_of_one():
    chosen = {
        "x": mlm.Normal(0, 1),
        "muc_x": mlm.Normal(0, 2),
        "mub_slopes": mlm.Normal(0, 3),
        "Intercept": mlm.Normal(0, 4),
        "sd_g": mlm.HalfNormal(1),
        "sd_muc_g": mlm.HalfNormal(2),
        "corr": mlm.LKJ(3),
        "corr_mub_g": mlm.LKJ(4),
    }
    values = model("f ~ x + o + (x | g)", "categorical", chosen).prior_values
    b, c = values.predictors["mub"], values.predictors["muc"]
    assert (b.coefficients["x"], b.coefficients["o"]) == (mlm.Normal(0, 1), mlm.Normal(0, 3))
    assert c.coefficients["x"] == mlm.Normal(0, 2)
    assert c.coefficients["o"] == mlm.Normal(0, 2.5 / DATA["o"].std())
    assert b.coefficients["Intercept"] == c.coefficients["Intercept"] == mlm.Normal(0, 4)
    assert not b.intercept_at_means
    assert not c.intercept_at_means
    assert set(values.sds["mub_g"].values()) == {mlm.HalfNormal(1)}
    assert set(values.sds["muc_g"].values()) == {mlm.HalfNormal(2)}
    assert values.correlations == {"mub_g": mlm.LKJ(4), "muc_g": mlm.LKJ(3)}


def test_default_priors_of_categories_in_words():
    found = model("f ~ x + (1 | g)", "categorical")
    own = found.prior_values.predictors["muc"].coefficients
    assert own == {"Intercept": mlm.Normal(0, 2.5), "x": mlm.Normal(0, 2.5 / DATA["x"].std())}
    rows = found.priors().frame["implies"]
    assert rows["muc_Intercept"].startswith("odds of c against a at mean predictors: 0.00745 to")
    assert "multiplies the odds of b against a" in rows["mub_x"]
