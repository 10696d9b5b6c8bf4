"""What a check of a maximum says."""

import numpy as np
import pytest
import xarray as xr

from bayesmlm.checks import check, check_optimum


def statistics(gradient, singular=False, ratio=1.0):
    found = {"gradient": gradient, "singular": singular, "ratio": ratio}
    return xr.Dataset(found | {"evaluations": 250, "deviance": 1000.0})


def test_a_maximum():
    found = check_optimum(statistics(1e-6))
    assert found.ok and not found.singular
    assert str(found) == "Maximum found: largest derivative 1.0e-06, 250 evaluations."


def test_a_singular_fit_is_allowed_and_told():
    found = check_optimum(statistics(1e-6, singular=True))
    assert found.ok and found.singular
    assert str(found).startswith("Maximum found: singular fit, ")


@pytest.mark.parametrize("gradient", [0.011, 5.0, np.nan])
def test_a_likelihood_that_still_rises(gradient):
    found = check_optimum(statistics(gradient))
    assert not found.ok
    assert str(found).startswith("No maximum found: ")
    assert "still rises" in str(found) and "next:" in str(found)


def test_the_statistics_choose_the_check():
    tree = xr.DataTree.from_dict({"sample_stats": statistics(1e-6)})
    assert check(tree) == check_optimum(statistics(1e-6))


def test_a_residual_lost_beside_the_effects_is_told():
    found = check_optimum(statistics(1e-6, ratio=1e5))
    assert not found.ok
    assert "too small beside the random effects" in str(found)


def test_a_shift_by_approximation_is_told():
    coords = {"hyperparameter": ["sd_g[x]"], "coef": ["slope"]}
    parts = {"shift": (("hyperparameter",), [0.1]), "beta_shift": (("coef",), [-0.05])}
    given = statistics(1e-6).assign(parts).assign_coords(coords)
    assert check_optimum(given).ok
    assert "shift by approximation 0.10 SE (sd_g[x])" in str(check_optimum(given))
    found = check_optimum(given.assign(beta_shift=(("coef",), [0.8])))
    assert not found.ok and found.shift == 0.8
    assert str(found).startswith("Maximum found, not to be trusted: ")
    assert "puts slope about 0.8 standard errors too low" in str(found)
    assert 'ML(nodes="auto")' in str(found)
