"""Where the optimiser of the ELBO stops."""

import numpy as np
import pytest

from bayesmlm.engines.elbo import RATES, WINDOW, climb, last_rise


def test_the_rise_between_windows():
    rng = np.random.default_rng(0)
    rise, error = last_rise(np.concatenate([rng.normal(0, 1, WINDOW), rng.normal(3, 1, WINDOW)]))
    assert rise == pytest.approx(3, abs=4 * error)
    assert error == pytest.approx(np.sqrt(2 / WINDOW), rel=0.1)
    assert np.isnan(last_rise(np.zeros(WINDOW))[0])


@pytest.fixture(scope="module")
def normal():
    import pymc as pm

    with pm.Model() as model:
        pm.MvNormal("x", [3.0, -2.0], [[4.0, 1.0], [1.0, 1.0]])
    return model


def test_the_parameters_are_those_of_a_normal_target(normal):
    import pymc as pm

    found = climb(pm.FullRankADVI(model=normal, random_seed=1), 100_000, None)
    assert found.settled
    assert len(found.elbo) >= len(RATES) * WINDOW
    assert found.parameters["mu"] == pytest.approx([3, -2], abs=0.02)
    a, b, c = found.parameters["L_tril"]
    L = np.array([[np.logaddexp(0, a), 0], [b, np.logaddexp(0, c)]])
    np.testing.assert_allclose(L @ L.T, [[4, 1], [1, 1]], atol=0.05)
    assert found.elbo[-WINDOW:].mean() == pytest.approx(0, abs=0.01)


def test_the_limit_ends_it(normal):
    import pymc as pm

    reports = []
    found = climb(pm.ADVI(model=normal, random_seed=1), WINDOW, lambda *each: reports.append(each))
    assert not found.settled and len(found.elbo) == WINDOW
    assert reports[-1][:2] == (WINDOW, WINDOW) and reports[-1][2].startswith("ELBO -")


def test_an_interrupt_is_not_taken_for_the_end(normal):
    import pymc as pm

    def press(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        climb(pm.ADVI(model=normal, random_seed=1), 10_000, press)
