"""One group's update as a table."""

import numpy as np
import pandas as pd

import bayesmlm as mlm
from bayesmlm.reports.group_update import GroupUpdate


def test_the_table_and_html():
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(12), 6)
    data = pd.DataFrame({"g": g, "y": 2 * rng.normal(size=12)[g] + rng.normal(size=72)})
    fit = mlm.Model("y ~ 1 + (1 | g)", data).fit("ml")
    found = fit.update_group(pd.DataFrame({"g": [4], "y": [1.0]}))
    assert isinstance(found, GroupUpdate) and found.ok and found.khat == -np.inf
    assert "g 4 (known to the fit) after 1 more rows" in str(found)
    assert "<table>" in found._repr_html_()
    row = found.frame.loc["Intercept"]
    assert row["lower"] < row["mean"] < row["upper"]
