"""`latent(x, g)` met with data: columns that hold latent means, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import DataError, UnsupportedError


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(8), 5)
    return pd.DataFrame(
        {
            "g": g,
            "x": rng.normal(size=40) + rng.normal(size=8)[g],
            "w": rng.normal(size=8)[g],
            "c": np.array(list("ab") * 20),
            "mu_x": g % 4,
            "y": rng.normal(size=40),
        }
    )


def test_columns_are_the_observed_factors_times_the_latent_ones() -> None:
    data = frame()
    model = mlm.Model(
        "y ~ within(x, g)*latent(x, g) + c:latent(x, g) + w:within(x, g) + (1|g)", data
    )
    design = model.design
    means = data.groupby("g")["x"].transform("mean").to_numpy()
    deviations = data["x"].to_numpy() - means
    (mean,) = design.latent.means
    np.testing.assert_array_equal(mean.values, data["x"])
    assert mean.text == "latent(x, g)"
    found = {column.name: column for column in design.latent.columns}
    assert set(found) == {name for name in design.coef if "(x" in name}
    for name, column in found.items():
        value = column.rest * means ** len(column.means) * deviations ** len(column.deviations)
        np.testing.assert_allclose(value, design.X[:, design.coef.index(name)], atol=1e-12)
    np.testing.assert_array_equal(found["w:within(x, g)"].rest, data["w"])
    product = found["within(x, g):latent(x, g)"]
    assert (product.means, product.deviations) == (("x",), ("x",))
    assert (product.rest == 1).all()


def test_latent_means_are_of_level_2() -> None:
    design = mlm.Model("y ~ x + latent(x, g) + (1 | g)", frame()).design
    assert design.factor_levels["latent(x, g)"] == ("g",)
    assert [column.name for column in design.latent.columns] == ["latent(x, g)"]


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("y ~ latent(x, c) + (1 | g)", "no effects that vary over c"),
        ("y ~ latent(w, g) + (1 | g)", "does not vary within g"),
        ("y ~ latent(c, g) + (1 | g)", "text"),
        ("y ~ latent(x, mu_x) + (1 | mu_x)", "would be called 'mu_x'"),
    ],
)
def test_latent_means_that_the_data_do_not_have(formula: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        mlm.Model(formula, frame())


def test_new_rows_are_refused() -> None:
    design = mlm.Model("y ~ latent(x, g) + (1 | g)", frame()).design
    with pytest.raises(UnsupportedError, match="latent\\(x, g\\) is not observed"):
        design.apply(frame())
