"""Default priors by the design's formulas, and the user's own in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmlm.errors import PriorError
from bayesmlm.model import Model
from bayesmlm.priors import LKJ, Exponential, HalfNormal, HalfStudentT, Normal, Prior, Priors

RNG = np.random.default_rng(11)
N = 90
DATA = pd.DataFrame(
    {
        "y": RNG.normal(50, 8, N),
        "x": RNG.normal(3, 2, N),
        "z": RNG.normal(-1, 0.8, N),
        "school": np.arange(N) % 9,
        "site": np.arange(N) % 5,
        "b": RNG.integers(0, 2, N),
        "n": RNG.integers(3, 9, N),
        "o": RNG.normal(4, 3, N),
        "s": RNG.uniform(0.5, 1, N),
    }
).assign(k=lambda d: np.minimum(d.n, 2))


def priors_of(formula: str, user: Any = None, **options: Any) -> Priors:
    return Model(formula, DATA, priors=user, **options).prior_values


def assert_prior(prior: Prior | None, expected: Prior) -> None:
    assert type(prior) is type(expected)
    assert prior is not None
    assert prior.parameters() == pytest.approx(expected.parameters())


def test_gaussian_defaults() -> None:
    priors = priors_of("y ~ x + z + (x | school) + (1 | site)")
    y, x, z = (DATA[name] for name in "yxz")
    s = y.std()
    assert priors.intercept_at_means
    assert_prior(priors.coefficients["Intercept"], Normal(y.mean(), 2.5 * s))
    assert_prior(priors.coefficients["x"], Normal(0, 2.5 * s / x.std()))
    assert_prior(priors.coefficients["z"], Normal(0, 2.5 * s / z.std()))
    assert_prior(priors.sds["school"]["Intercept"], HalfStudentT(3, 2.5 * s))
    assert_prior(priors.sds["school"]["x"], HalfStudentT(3, 2.5 * s / x.std()))
    assert_prior(priors.sds["site"]["Intercept"], HalfStudentT(3, 2.5 * s))
    assert_prior(priors.sigma, HalfStudentT(3, 2.5 * s))
    assert priors.correlations == {"school": LKJ(2)}
    assert priors.chosen == frozenset()


@pytest.mark.parametrize(
    ("formula", "family", "link", "intercept", "slope"),
    [
        ("b ~ x + (x | school)", "bernoulli", None, 2.5, 2.5),
        ("b ~ x + (x | school)", "bernoulli", "probit", 1.5, 1.5),
        ("k | trials(n) ~ x + (x | school)", "binomial", None, 2.5, 2.5),
        ("k | trials(n) ~ x + (x | school)", "binomial", "probit", 1.5, 1.5),
        ("n ~ x + (x | school)", "poisson", None, 5.0, 2.5),
    ],
)
def test_link_scale_defaults(
    formula: str, family: str, link: str | None, intercept: float, slope: float
) -> None:
    priors = priors_of(formula, family=family, link=link)
    assert priors.sigma is None
    assert_prior(priors.coefficients["Intercept"], Normal(0, intercept))
    assert_prior(priors.coefficients["x"], Normal(0, slope / DATA.x.std()))
    assert_prior(priors.sds["school"]["Intercept"], HalfStudentT(3, slope))
    assert_prior(priors.sds["school"]["x"], HalfStudentT(3, slope / DATA.x.std()))


def test_known_standard_errors_leave_no_sigma() -> None:
    assert priors_of("y | se(s) ~ x + (1 | school)").sigma is None


def test_an_offset_is_not_for_the_model_to_explain() -> None:
    with_offset = priors_of("y ~ x + offset(o) + (1 | school)")
    without = Model("r ~ x + (1 | school)", DATA.assign(r=DATA.y - DATA.o)).prior_values
    for name in ("Intercept", "x"):
        assert_prior(with_offset.coefficients[name], without.coefficients[name])
    assert_prior(with_offset.sigma, without.sigma)
    counts = priors_of("n ~ x + offset(o)", family="poisson")
    assert_prior(counts.coefficients["Intercept"], Normal(-DATA.o.mean(), 5))


def test_no_intercept_and_no_predictors() -> None:
    assert list(priors_of("y ~ 0 + (1 | school)").coefficients) == []
    assert list(priors_of("y ~ 1").coefficients) == ["Intercept"]


def test_the_more_specific_name_wins_for_slopes() -> None:
    own = {"slopes": Normal(0, 1), "x": Normal(3, 2)}
    for user in (own, dict(reversed(own.items()))):
        priors = priors_of("y ~ x + z + (1 | school)", user)
        assert priors.coefficients["x"] == Normal(3, 2)
        assert priors.coefficients["z"] == Normal(0, 1)
        assert_prior(priors.coefficients["Intercept"], Normal(DATA.y.mean(), 2.5 * DATA.y.std()))
        assert priors.intercept_at_means
        assert priors.chosen == {"x", "z"}


def test_the_more_specific_name_wins_for_sds() -> None:
    user = {
        "sd": HalfNormal(1),
        "sd_school": HalfNormal(2),
        "sd_school[x]": Exponential(3),
    }
    priors = priors_of("y ~ x + (x + z | school) + (1 | site)", user)
    assert priors.sds == {
        "school": {"Intercept": HalfNormal(2), "x": Exponential(3), "z": HalfNormal(2)},
        "site": {"Intercept": HalfNormal(1)},
    }
    assert priors.chosen == {
        "sd_school[Intercept]",
        "sd_school[x]",
        "sd_school[z]",
        "sd_site[Intercept]",
    }


def test_the_more_specific_name_wins_for_correlations() -> None:
    user = {"corr": LKJ(1), "corr_school": LKJ(4)}
    priors = priors_of("y ~ x + (x | school) + (x | site)", user)
    assert priors.correlations == {"school": LKJ(4), "site": LKJ(1)}
    assert priors.chosen == {"corr_school", "corr_site"}


def test_sigma_and_intercept() -> None:
    priors = priors_of("y ~ x", {"sigma": Exponential(2), "Intercept": Normal(1, 1)})
    assert priors.sigma == Exponential(2)
    assert priors.coefficients["Intercept"] == Normal(1, 1)
    assert not priors.intercept_at_means
    assert priors.chosen == {"sigma", "Intercept"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"zz": Normal()}, "no parameter"),
        ({"Slopes": Normal()}, "did you mean 'slopes'"),
        ({3: Normal()}, "no parameter"),
        ({"corr": LKJ()}, "no parameter"),  # (x || school) has no correlation
        ({"sigma": Normal()}, "HalfNormal"),
        ({"sd": Normal(1, 1)}, "HalfNormal"),
        ({"sd_school[x]": LKJ(1)}, "HalfNormal"),
        ({"x": LKJ(1)}, "Normal"),
        ({"x": 2.5}, "Normal"),
        ({"x": Normal}, "Normal"),
        ([("x", Normal())], "priors of type list"),
    ],
)
def test_priors_that_do_not_suit(user: Any, words: str) -> None:
    with pytest.raises(PriorError, match=words) as caught:
        priors_of("y ~ x + (x || school)", user)
    assert "allowed:" in str(caught.value)
    assert "next:" in str(caught.value)


def test_sigma_has_no_prior_where_there_is_none() -> None:
    with pytest.raises(PriorError, match="no parameter"):
        priors_of("b ~ x", {"sigma": HalfNormal()}, family="bernoulli")


@pytest.mark.parametrize("name", ["sigma", "slopes", "sd", "sd_school"])
def test_a_name_of_two_parameters_takes_no_prior(name: str) -> None:
    data = DATA.rename(columns={"x": name})
    model = Model(f"y ~ {name} + (1 | school)", data)
    assert_prior(model.prior_values.sigma, HalfStudentT(3, 2.5 * DATA.y.std()))
    with pytest.raises(PriorError, match=r"coefficient's name and a parameter's"):
        Model(f"y ~ {name} + (1 | school)", data, priors={name: HalfNormal()})


def test_means_of_categories_have_the_prior_of_an_intercept():
    frame = pd.DataFrame({"t": list("abc") * 8, "x": np.arange(24.0), "g": [1, 2, 3, 4] * 6})
    frame["y"] = 500 + np.sin(frame["x"])
    model = Model("y ~ 0 + t + x + (1 | g)", frame)
    priors = model.prior_values.coefficients
    s = frame["y"].std()
    for name in ("t[a]", "t[b]", "t[c]"):
        assert priors[name].mu == pytest.approx(frame["y"].mean())
        assert priors[name].sigma == pytest.approx(2.5 * s)
        assert "in this category" in model.priors().frame.loc[name, "implies"]
    assert priors["x"].mu == 0
