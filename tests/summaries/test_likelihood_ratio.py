import numpy as np
import pandas as pd
import pytest
import scipy.stats

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.summaries.likelihood_ratio import likelihood_ratio


def sleep(formula, engine="ml", drop=0):
    frame = mlm.datasets.load("sleepstudy")
    return mlm.Model(formula, frame[: len(frame) - drop]).fit(engine)


def test_sleepstudy_as_lme4_prints_it():
    """anova(lmer): chi-squared 0.0639 on 1 df for the correlation (Bates et al. 2015)."""
    larger = sleep("Reaction ~ Days + (Days | Subject)")
    found = likelihood_ratio(larger.result, sleep("Reaction ~ Days + (Days || Subject)").result)
    assert found["statistic"].iloc[0] == pytest.approx(0.0639, abs=1e-3)
    assert found["p"].iloc[0] == pytest.approx(0.8004, abs=1e-3)
    assert np.isnan(found["p_boundary"].iloc[0])


def test_one_variance_more_is_a_mixture():
    larger, smaller = (
        sleep("Reaction ~ Days + (Days | Subject)"),
        sleep("Reaction ~ Days + (1 | Subject)"),
    )
    row = likelihood_ratio(larger.result, smaller.result).iloc[0]
    assert row["df"] == 2
    tails = [scipy.stats.chi2.sf(row["statistic"], df) for df in (1, 2)]
    assert row["p_boundary"] == pytest.approx(np.mean(tails))
    assert "boundary" in str(larger.likelihood_ratio(smaller))


@pytest.mark.slow
def test_the_mixture_has_the_size_it_says_and_chi_squared_rejects_too_seldom():
    """300 data sets whose groups do not differ: the test at 20 % rejects one in five."""
    rng = np.random.default_rng(5)
    p, plain = [], []
    for _ in range(300):
        frame = pd.DataFrame({"g": np.repeat(range(40), 4), "y": rng.normal(size=160)})
        pair = [mlm.Model(f, frame).fit("ml").result for f in ("y ~ 1 + (1 | g)", "y ~ 1")]
        row = likelihood_ratio(*pair).iloc[0]
        p.append(row["p_boundary"])
        plain.append(row["p"])
    se = np.sqrt(0.2 * 0.8 / 300)
    assert abs(np.mean(np.array(p) < 0.2) - 0.2) < 3 * se
    assert np.mean(np.array(plain) < 0.2) < 0.2 - 2 * se


def test_what_is_refused():
    larger = sleep("Reaction ~ Days + (Days | Subject)")
    small = "Reaction ~ Days + (1 | Subject)"
    with pytest.raises(StatisticError, match="different rows"):
        likelihood_ratio(larger.result, sleep(small, drop=10).result)
    with pytest.raises(StatisticError, match="not nested"):
        likelihood_ratio(sleep(small).result, larger.result)
    with pytest.raises(StatisticError, match="REML fits of different fixed effects"):
        likelihood_ratio(
            sleep(small, "reml").result, sleep("Reaction ~ 1 + (1 | Subject)", "reml").result
        )
    with pytest.raises(StatisticError, match="fits by ML, priors ignored and REML"):
        likelihood_ratio(larger.result, sleep(small, "reml").result)
    with pytest.raises(StatisticError, match="'laplace'"):
        likelihood_ratio(sleep(small, mlm.Laplace(draws=100)).result, larger.result)
