import pytest

import bayesmlm as mlm
from bayesmlm.errors import StatisticError
from bayesmlm.reports.vocabulary import VOCABULARIES, words


@pytest.fixture(autouse=True)
def default():
    yield
    mlm.vocabulary("fixed/random")


def test_the_switch_holds_until_the_next_and_a_block_switches_back():
    mlm.vocabulary("population/group")
    with mlm.vocabulary("levels") as chosen:
        assert words() is chosen is VOCABULARIES["levels"]
    assert words().name == "population/group"


def test_levels_have_greek_letters():
    assert words("levels").coefficient("g01") == "γ₀₁"
    assert words("levels").coefficient("p1") == "π₁"
    assert words("levels").coefficient("slope") == "slope"
    assert words("fixed/random").coefficient("g01") == "g01"


def test_another_name_is_refused():
    with pytest.raises(StatisticError, match="vocabulary 'level'.*levels"):
        mlm.vocabulary("level")
    assert words().name == "fixed/random"
