"""The table of predictions."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm

FRAME = pd.DataFrame({"g": [1, 1, 2, 2], "x": [0.0, 1, 2, 3], "y": [1.0, 2, 3, 5]})


@pytest.fixture
def fit(make_result):
    model = mlm.Model("y ~ x + (1 | g)", FRAME)
    beta = np.array([[[1.0, 2.0], [3.0, 2.0]]])
    given = {"sigma": np.ones((1, 2)), "sd_g": np.ones((1, 2, 1))}
    return mlm.Fit(make_result(model, beta=beta, u_g=np.zeros((1, 2, 2, 1)), **given))


def test_it_prints_what_was_predicted(fit):
    text = str(fit.predict(FRAME[["x"]], groups="average"))
    assert "Predicted means (95 % intervals)" in text and "g: effects of zero" in text
    assert "<table" in fit.predict()._repr_html_()
    assert fit.predict().frame["mean"].tolist() == [2, 4, 6, 8]
    assert fit.predict().draws().shape == (1, 2, 4)


def test_a_point_has_estimates_alone(make_result):
    model = mlm.Model("y ~ x", FRAME)
    one = mlm.Fit(make_result(model, beta=np.ones((1, 1, 2)), sigma=np.ones((1, 1))))
    table = one.predict().table
    assert list(table.frame) == ["estimate"] and "estimates at the maximum" in table.notes


def test_means_that_do_not_exist_are_counted(make_result):
    counts = FRAME.assign(y=[1, 2, 3, 5])
    model = mlm.Model("y ~ x", counts, family="poisson", link="identity")
    result = make_result(model, beta=np.array([[[1.0, 1.0], [1.0, 2.0]]]))
    new = pd.DataFrame({"x": [-2.0, 0.0, -0.7]})
    assert "2 rows have no mean in some draws: NaN" in mlm.Fit(result).predict(new).table.notes
