import pytest

import bayesmlm as mlm
from bayesmlm.engines import ENGINES, engine
from bayesmlm.errors import EngineError


def test_a_short_name_is_an_alias_of_the_value():
    assert engine("nuts") == mlm.NUTS()
    assert engine("nuts", draws=7) == mlm.NUTS(draws=7)
    assert engine(mlm.NUTS(draws=7)) == mlm.NUTS(draws=7)


def test_the_registry_names_each_engine_by_its_name():
    assert all(kind.name == name for name, kind in ENGINES.items())


def test_unknown_engine():
    with pytest.raises(EngineError, match=r"unknown engine 'nut' \(did you mean 'nuts'\?\)"):
        engine("nut")


def test_unknown_option():
    with pytest.raises(EngineError, match=r"unknown option 'drws' of nuts \(did you mean 'draws'"):
        engine("nuts", drws=100)


def test_options_beside_an_engine_that_has_its_own():
    with pytest.raises(EngineError, match=r"write NUTS\(draws=…\)"):
        engine(mlm.NUTS(), draws=100)
