"""Every table names its definition, and what its numbers are of."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.reports.statistics import definition_of_icc


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    g = np.repeat(range(10), 6)
    frame = pd.DataFrame({"g": g, "h": np.tile(range(6), 10), "x": rng.normal(size=60)})
    frame["y"] = rng.normal(size=10)[g] + frame["x"] + rng.normal(size=60)
    return frame.assign(b=(frame["y"] > 0).astype(int))


@pytest.fixture(scope="module")
def slopes(frame):
    formula = "y ~ within(x, g) + between(x, g) + (within(x, g) | g)"
    return mlm.Model(formula, frame).fit("laplace", seed=1)


@pytest.fixture(scope="module")
def empty(frame):
    return mlm.Model("y ~ 1 + (1 | g)", frame).fit("reml")


TABLES = {
    "icc": (lambda f: f.icc(), "averaged over the rows"),
    "share": (lambda f: f.icc(kind="share"), "each level's own share"),
    "icc at": (lambda f: f.icc(at={"within(x, g)": [0, 1]}), "Intraclass"),
    "function": (lambda f: f.variance_function({"within(x, g)": 0}), "Variance function"),
    "reliability": (lambda f: f.reliability(), "excluded: groups"),
    "each": (lambda f: f.reliability(by_group=True), "sampling variance"),
    "shrinkage": (lambda f: f.shrinkage(), "partial pooling"),
    "pooling": (lambda f: f.pooling_factors(), "V(E[error])"),
    "errors": (lambda f: f.standard_errors(), "lme4's condVar"),
    "ranks": (lambda f: f.ranks(), "rank 1 is the highest"),
    "within": (lambda f: f.within_between(), "between less within"),
    "nakagawa": (lambda f: f.r2(), "marginal: fixed part"),
    "bayes": (lambda f: f.r2("bayes"), "variance of the predicted means"),
    "levels": (lambda f: f.r2("levels"), "Gelman & Pardoe"),
    "sterba": (lambda f: f.r2("rights-sterba"), "variances of the fixed part"),
    "of total": (lambda f: f.r2("rights-sterba", by_level=False), "Rights & Sterba"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_a_posterior(name, slopes):
    make, words = TABLES[name]
    table = make(slopes)
    assert words in str(table)
    assert words.replace("&", "&amp;").replace("'", "&#x27;") in table._repr_html_()
    if {"lower", "upper"} <= set(table.frame):
        assert "95 % intervals" in table.title


def test_tables_of_a_maximum(empty):
    for table in (empty.icc(), empty.anova(), empty.reliability(), empty.shrinkage(), empty.r2()):
        assert "estimates at the maximum" in str(table)
        assert not {"lower", "sd"} & set(table.frame)
    assert "one-way" in str(empty.anova())
    assert "at the modes of the effects" in str(empty.r2("bayes"))
    assert "posterior" not in empty.standard_errors().frame


def test_several_groupings(frame):
    fit = mlm.Model("y ~ 1 + (1 | g) + (1 | h)", frame).fit("reml")
    assert "sequential shares" in str(fit.anova())
    assert "effects of other groupings are left out" in str(fit.shrinkage("g"))
    assert list(fit.anova(order=["h", "g"]).frame)[-1] == "h, g"
    drawn = mlm.Model("y ~ 1 + (1 | g) + (1 | h)", frame).fit("laplace", seed=1)
    assert "these two at 100 of the 4,000 draws" in str(drawn.standard_errors("g"))


def test_a_null_model_is_a_fit(frame, empty):
    fit = mlm.Model("y ~ x + (1 | g)", frame).fit("reml")
    table = fit.r2("snijders-bosker", null=empty)
    assert "against the null model's variances" in str(table)
    assert "against the model's own variances" in str(fit.r2("snijders-bosker"))
    found = table.frame["estimate"]
    left = fit.variance_components().frame["variance"].sum()
    whole = empty.variance_components().frame["variance"].sum()
    assert found["level 1"] == pytest.approx(1 - left / whole)


def test_a_contextual_effect_of_a_maximum_has_standard_errors(frame):
    fit = mlm.Model("y ~ x + between(x, g) + (1 | g)", frame).fit("ml")
    assert "normal approximation at the maximum" in str(fit.within_between())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("logit", "latent", None), "pi²/3 on the logit scale"),
        (("probit", "latent", None), "level-1 variance 1"),
        (("log", "latent", None), "lognormal approximation"),
        (("logit", "exact", None), "integrated, fixed part at its mean"),
        (("logit", "simulated", -1.5), "simulated, fixed part at -1.5"),
    ],
)
def test_the_definition_of_a_correlation_in_words(arguments, words):
    assert words in definition_of_icc(*arguments)
