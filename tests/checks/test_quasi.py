"""What a check of a quasi-likelihood fit says."""

import pytest
import xarray as xr

from bayesmlm.checks import check, check_iterated


def statistics(information, singular=False):
    found = {"iterations": 9, "change": 1e-7, "singular": singular, "information": information}
    return xr.Dataset(found)


def test_groups_with_enough_rows():
    found = check_iterated(statistics(10.0, singular=True))
    assert found.ok and found.singular
    assert str(found) == "Converged: singular fit, 9 iterations, last change 1.0e-07."


@pytest.mark.parametrize("information", [1.5, 9.9])
def test_groups_with_few_rows(information):
    found = check(xr.DataTree.from_dict({"sample_stats": statistics(information)}))
    assert not found.ok
    assert f"about {information:.2g} trials" in str(found) and '"nuts"' in str(found)


@pytest.mark.parametrize(("moves", "ok"), [([0.2, -0.4], True), ([0.2, -1.3], False)])
def test_a_step_of_the_second_order(moves, ok):
    step = xr.DataArray(moves, {"coef": ["Intercept", "x"]}, ("coef",))
    found = check_iterated(statistics(50.0).assign(order_step=step))
    assert found.ok == ok and found.step == moves[1]
    if not ok:
        assert "moves x by -1.3 standard errors" in str(found)
        assert '"quadrature"' in str(found) and "PQL(order=2)" in str(found)
