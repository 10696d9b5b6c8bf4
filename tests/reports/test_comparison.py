import numpy as np
import pytest

from bayesmlm.reports.comparison import comparison, entry


def test_a_parameter_of_one_fit_alone_has_empty_cells(fit, make_result, frame):
    import bayesmlm as mlm

    other = make_result(
        mlm.Model("y ~ x + (1 | g)", frame),
        beta=np.ones((1, 1, 2)),
        sd_g=np.full((1, 1, 1), 2.0),
        u_g=np.zeros((1, 1, 6, 1)),
        sigma=np.full((1, 1), 3.0),
    )
    found = comparison({"full": fit.result, "less <b>": other})
    assert np.isnan(found.frame.loc["x:w", ("less <b>", "estimate")])
    assert found.frame.loc["sigma", ("less <b>", "estimate")] == 3
    assert found.frame.loc["x", ("full", "se")] == pytest.approx(fit.fixef().frame.loc["x", "sd"])
    assert list(found.frame.index)[-4:] == [
        "sd_g[Intercept]",
        "sd_g[x]",
        "corr_g[Intercept~x]",
        "sigma",
    ]
    assert "less &lt;b&gt;" in found.html()
    assert "<b>less" not in found.html()
    assert str(found).count("\n the fits") == 1
    assert r"\toprule" in found.latex()


def test_entries_have_two_digits_of_their_error():
    assert entry(12.0961, 0.1987) == "12.10 (0.20)"
    assert entry(1.2345678, float("nan")) == "1.235"
