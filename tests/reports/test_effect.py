"""The tables of averages, comparisons and slopes."""

import numpy as np
import pandas as pd

import bayesmlm as mlm

FRAME = pd.DataFrame({"g": [1, 1, 2, 2], "x": [0.0, 1, 2, 3], "y": [1.0, 2, 3, 5]})


def test_they_say_what_is_compared(make_result):
    model = mlm.Model("y ~ x + (1 | g)", FRAME)
    beta = np.array([[[1.0, 2.0], [3.0, 2.0]]])
    given = {"sigma": np.ones((1, 2)), "sd_g": np.ones((1, 2, 1))}
    result = make_result(model, beta=beta, u_g=np.zeros((1, 2, 2, 1)), **given)
    fit = mlm.Fit(result, model._data)
    text = str(fit.avg_comparisons("x", groups="average", compare="ratio"))
    assert "Comparisons (95 % intervals)" in text and "averaged over 4 rows" in text
    assert "of the mean response, ratio" in text and "g: effects of zero" in text
    assert "Slopes" in str(fit.slopes()) and "difference" not in str(fit.slopes())
    assert "<table" in fit.avg_predictions()._repr_html_()
