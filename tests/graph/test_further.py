"""The further parameters in the graph: names, dimensions, and where thresholds hold."""

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode

import bayesmlm as mlm

MODE = Mode(linker="py", optimizer="fast_compile")
RNG = np.random.default_rng(1)
FRAME = pd.DataFrame({"y": np.arange(30) % 3, "x": RNG.normal(7, 2, 30)})


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("student", {"sigma", "nu"}),
        ("negbinomial", {"shape"}),
        ("hurdle_negbinomial", {"shape", "hu"}),
        ("poisson", set()),
    ],
)
def test_they_are_variables_of_their_names(family, expected):
    graph = mlm.Model("y ~ x", FRAME, family=family).to_pymc()
    assert {v.name for v in graph.free_RVs} - {"slopes", "intercept_at_means"} == expected


@pytest.mark.parametrize(("prior", "place"), [(None, "means"), (mlm.Normal(0, 5), "zero")])
def test_thresholds_are_displayed_where_the_predictors_are_zero(prior, place):
    priors = None if prior is None else {"thresholds": prior}
    model = mlm.Model("y ~ x", FRAME, family="cumulative", priors=priors)
    graph = model.to_pymc()
    assert graph.coords["threshold"] == ("0|1", "1|2")
    outputs = [graph[name] for name in (f"thresholds_at_{place}", "beta", "thresholds")]
    graph.check_start_vals(graph.initial_point())
    point = {key: value + 0.3 for key, value in graph.initial_point().items()}
    own, beta, displayed = graph.compile_fn(
        graph.replace_rvs_by_values(outputs), mode=MODE, on_unused_input="ignore"
    )(point)
    assert (np.diff(displayed) > 0).all()
    shift = beta[0] * FRAME["x"].mean() if place == "means" else 0.0
    np.testing.assert_allclose(displayed, own + shift)
    assert model.design.coef == ("x",)
