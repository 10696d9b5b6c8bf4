import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError


@pytest.fixture(scope="module")
def fits():
    data = mlm.datasets.load("sleepstudy")
    model = mlm.Model("Reaction ~ Days + (Days | Subject)", data)
    return {
        "ML": model.fit("ml"),
        "REML": model.fit("reml"),
        "posterior": model.fit("laplace", seed=1),
    }


def test_engines_stand_side_by_side(fits):
    found = mlm.compare_fits(fits)
    # lme4 1.1: lmer(Reaction ~ Days + (Days | Subject))
    assert found.frame.loc["Days", ("REML", "estimate")] == pytest.approx(10.46729, abs=1e-4)
    assert found.frame.loc["Days", ("REML", "se")] == pytest.approx(1.545790, abs=1e-4)
    assert found.frame.loc["sd_Subject[Days]", ("ML", "estimate")] == pytest.approx(
        5.7168, abs=1e-3
    )
    text = str(found)
    assert "1,751.94" in text  # the deviance
    assert "1,743.63" in text  # the REML criterion
    assert "deviance" in text and "REML criterion" in text


def test_names_are_of_engines_and_numbered(fits):
    found = mlm.compare_fits([fits["ML"], fits["REML"], fits["ML"]])
    assert list(dict.fromkeys(name for name, _ in found.frame.columns)) == ["ML 1", "REML", "ML 2"]


def test_what_cannot_be_compared_is_refused(fits):
    with pytest.raises(StatisticError, match="no fits"):
        mlm.compare_fits([])
    with pytest.raises(StatisticError, match="a str"):
        mlm.compare_fits(["ML"])
    with pytest.raises(StatisticError, match="one name a fit"):
        mlm.compare_fits(list(fits.values()), names=["a", "a", "b"])
    data = mlm.datasets.load("sleepstudy").rename(columns={"Reaction": "ms"})
    other = mlm.Model("ms ~ Days + (1 | Subject)", data).fit("ml")
    with pytest.raises(StatisticError, match="different outcomes: Reaction, ms"):
        mlm.compare_fits([fits["ML"], other])
