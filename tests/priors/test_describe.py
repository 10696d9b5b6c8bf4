"""The sentence of each prior says what draws from it do on the response scale."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from bayesmlm.model import Model
from bayesmlm.priors import LKJ, Gamma, Normal, describe_priors

RNG = np.random.default_rng(12)
N = 120
DRAWS = 400_000
DATA = pd.DataFrame(
    {
        "y": RNG.normal(50, 8, N),
        "x": RNG.normal(3, 2, N),
        "female": np.arange(N) % 2,
        "school": np.arange(N) % 9,
        "b": RNG.integers(0, 2, N),
        "n": RNG.poisson(4, N),
        "o": RNG.normal(1, 0.3, N),
    }
)


def rows_of(formula: str, **options: Any) -> pd.DataFrame:
    model = Model(formula, DATA, **options)
    return describe_priors(model.design, model.prior_values)


def figures(sentence: str) -> list[float]:
    """Return the two bounds of an interval."""
    found = re.search(r"([-\d.e+]+) to ([-\d.e+]+) \(95 %\)", sentence)
    assert found, sentence
    return [float(text) for text in found.groups()]


def central(draws: np.ndarray) -> np.ndarray:
    return np.quantile(draws, [0.025, 0.975])


def test_gaussian() -> None:
    rows = rows_of("y ~ x + female + (x | school)")
    s, sx = DATA.y.std(), DATA.x.std()
    z = np.random.default_rng(1).normal(size=DRAWS)
    t = np.abs(np.random.default_rng(2).standard_t(3, size=DRAWS)) * 2.5 * s
    sentences = rows["implies"]
    assert "at mean predictors" in sentences["Intercept"]
    np.testing.assert_allclose(
        figures(sentences["Intercept"]), central(DATA.y.mean() + 2.5 * s * z), rtol=0.02
    )
    assert "one SD (" in sentences["x"]
    np.testing.assert_allclose(figures(sentences["x"]), central(2.5 * s / sx * z * sx), rtol=0.02)
    assert "0 to 1 moves y" in sentences["female"]
    np.testing.assert_allclose(
        figures(sentences["female"]), central(2.5 * s / DATA.female.std() * z), rtol=0.02
    )
    for key, draws in (
        ("sd_school[Intercept]", t),
        ("sd_school[x]", t / sx),
        ("sigma", t),
    ):
        numbers = re.findall(r"below ([\d.e+]+\d)", sentences[key])
        np.testing.assert_allclose(
            [float(v) for v in numbers], np.quantile(draws, [0.5, 0.95]), rtol=0.02
        )
    r = 2 * np.random.default_rng(3).beta(2, 2, DRAWS) - 1
    np.testing.assert_allclose(figures(sentences["corr_school"]), central(r), atol=0.01)
    assert (rows["source"] == "default").all()
    assert rows["prior"]["corr_school"] == "LKJ(2)"


def test_logit() -> None:
    sentences = rows_of("b ~ x + (1 | school)", family="bernoulli")["implies"]
    z = np.random.default_rng(1).normal(size=DRAWS)
    assert "probability of success" in sentences["Intercept"]
    np.testing.assert_allclose(figures(sentences["Intercept"]), central(expit(2.5 * z)), rtol=0.03)
    assert "multiplies the odds" in sentences["x"]
    np.testing.assert_allclose(figures(sentences["x"]), central(np.exp(2.5 * z)), rtol=0.07)


def test_probit() -> None:
    sentences = rows_of("b ~ x", family="bernoulli", link="probit")["implies"]
    z = np.random.default_rng(1).normal(size=DRAWS)
    np.testing.assert_allclose(figures(sentences["x"]), central(1.5 * z), rtol=0.02)


@pytest.mark.parametrize(("offset", "mean"), [("", 0.0), (" + offset(o)", DATA.o.mean())])
def test_poisson(offset: str, mean: float) -> None:
    prior = Normal(0.5, 0.3)
    rows = rows_of(f"n ~ x{offset} + (1 | school)", family="poisson", priors={"Intercept": prior})
    z = np.random.default_rng(1).normal(size=DRAWS)
    sentence = rows["implies"]["Intercept"]
    assert "expected count where all predictors are 0" in sentence
    assert ("and the mean offset" in sentence) == bool(offset)
    np.testing.assert_allclose(figures(sentence), central(np.exp(0.5 + 0.3 * z + mean)), rtol=0.02)
    assert rows["source"]["Intercept"] == "yours"
    assert "multiplies the expected count" in rows["implies"]["x"]


def test_the_default_intercept_includes_the_offset() -> None:
    low, high = figures(rows_of("y ~ x + offset(o)")["implies"]["Intercept"])
    assert (low + high) / 2 == pytest.approx(DATA.y.mean(), rel=1e-3)


def test_every_row_can_be_replaced_by_its_name() -> None:
    keys = list(rows_of("y ~ x + female + (x | school)").index)
    own = {key: LKJ(1) if key.startswith("corr") else Gamma(2, 0.5) for key in keys}
    rows = rows_of("y ~ x + female + (x | school)", priors=own)
    assert list(rows.index) == keys
    assert (rows["source"] == "yours").all()
    assert list(rows["prior"]) == [str(own[key]) for key in keys]
