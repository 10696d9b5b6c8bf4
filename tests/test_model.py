import numpy as np
import pandas as pd
import polars as pl
import pytest
from arviz_base import from_dict

import bayesmlm as mlm
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import DataError, EngineError, FamilyError, SpecError

EQUATIONS = """
level 1:          mathach = b0 + b1*within(ses, school) + r
level 2 (school): b0 = g00 + g01*meanses + g02*sector + u0
                  b1 = g10 + g11*meanses + g12*sector + u1
"""


@pytest.fixture(scope="module")
def hsb():
    return mlm.datasets.load("high_school_beyond")


@pytest.fixture(scope="module")
def model(hsb):
    return mlm.Model(mlm.equations(EQUATIONS), hsb)


def test_levels_say_where_every_column_of_the_data_varies(model):
    assert str(model.levels()).splitlines() == [
        "level 1: 7,185 rows; minority, sex, ses and mathach vary here",
        "level 2: school, 160 groups of 14–67; size, sector, pracad, disclim, himinty and "
        "meanses vary here",
    ]


def test_equations_put_each_predictor_on_the_level_where_the_data_have_it(hsb):
    formula = (
        "mathach ~ meanses + sector + within(ses, school) + within(ses, school):meanses "
        "+ within(ses, school):sector + (within(ses, school) | school)"
    )
    model = mlm.Model(formula, hsb)
    assert model.spec == mlm.equations(EQUATIONS)
    lines = [line.strip() for line in model.equations().text.splitlines()]
    assert any(line.endswith("b0 = g00 + g01*meanses + g02*sector + u0") for line in lines)
    assert any(line.endswith("b1 = g10 + g11*meanses + g12*sector + u1") for line in lines)
    assert mlm.equations(model.equations().text) == model.spec


def test_equations_show_themselves_as_latex_in_a_notebook(model):
    shown = model.equations()._repr_latex_()
    assert shown.startswith("$$")
    assert r"\gamma_{11}" in shown


def test_priors_are_a_table_with_sentences(model):
    frame = model.priors().frame
    assert list(frame.columns) == ["prior", "source", "implies"]
    assert "sd_school[within(ses, school)]" in frame.index
    assert (frame["source"] == "default").all()
    assert "sd_school[within(ses, school)]" in str(model.priors())


def test_family_of_the_equations_is_not_overruled(hsb):
    with pytest.raises(FamilyError, match="poisson.*beside a specification that says gaussian"):
        mlm.Model(mlm.equations(EQUATIONS), hsb, family="poisson")
    same = mlm.Model(mlm.equations(EQUATIONS), hsb, family="gaussian")
    assert same.spec == mlm.equations(EQUATIONS)


def test_family_and_link_of_a_formula_are_given_to_the_model(hsb):
    frame = hsb.assign(high=(hsb["mathach"] > 15).astype(int))
    model = mlm.Model("high ~ ses + (1 | school)", frame, family="bernoulli", link="probit")
    assert model.design.family.link.name == "probit"
    spec = mlm.formula("high ~ ses + (1 | school)", family="bernoulli", link="probit")
    assert model.spec == spec
    assert mlm.Model(spec, frame).design.family.link.name == "probit"


def test_dropped_rows_are_counted_and_told(hsb):
    frame = hsb.copy()
    frame.loc[:9, "ses"] = np.nan
    with pytest.raises(DataError, match=r"missing values in ses \(10\): 10 of 7185 rows"):
        mlm.Model("mathach ~ ses + (1 | school)", frame)
    with pytest.warns(mlm.BayesmlmWarning, match="10 of 7185 rows dropped"):
        model = mlm.Model("mathach ~ ses + (1 | school)", frame, missing="drop")
    assert len(model.design.y) == 7175
    assert model.design.positions[0] == 10
    assert "10 of 7185 rows dropped" in str(model)


def test_polars_and_pandas_make_the_same_model(hsb):
    frame = pl.DataFrame({name: hsb[name].to_list() for name in hsb.columns})
    first = mlm.Model("mathach ~ ses + (ses | school)", frame)
    second = mlm.Model("mathach ~ ses + (ses | school)", hsb)
    assert np.array_equal(first.design.X, second.design.X)
    assert first.design.random[0].grouping.labels == second.design.random[0].grouping.labels
    assert str(first.levels()).startswith("level 1: 7,185 rows")


def test_repr_is_one_line(model):
    assert repr(model).startswith("<bayesmlm.Model mathach ~ ")
    assert "\n" not in repr(model)


def test_a_specification_of_another_type_is_refused(hsb):
    with pytest.raises(SpecError, match="a specification of type dict"):
        mlm.Model({"y": "x"}, hsb)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, 2**64])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(EngineError, match="a whole number from 0"):
        resolve_seed(seed)


def test_seeds():
    assert resolve_seed(7) == 7
    assert resolve_seed(None) != resolve_seed(None)


def test_rows_with_known_sampling_sds():
    frame = pd.DataFrame(
        {
            "school": list("ABCDEFGH"),
            "y": [28, 8, -3, 7, -1, 1, 18, 12],
            "sigma_j": [15, 10, 16, 11, 9, 11, 10, 18],
        }
    )
    model = mlm.Model("y | se(sigma_j) ~ 1 + (1 | school)", frame)
    assert not model.design.estimates_scale
    assert "sigma" not in model.priors().frame.index


def test_effects_are_recovered_for_draws_of_the_integrated_graph(hsb):
    model = mlm.Model("mathach ~ ses + (ses | school)", hsb)
    psi = {"sd_school": [[[1.5, 0.6]]], "corr_school": [[[0.3]]], "sigma": [[6.0]]}
    dims = {"sd_school": ["school_effect"], "corr_school": ["school_pair"]}
    coords = {"school_effect": ["Intercept", "ses"], "school_pair": ["Intercept~ses"]}
    psi = {name: np.array(value) for name, value in psi.items()}
    tree = from_dict({"posterior": psi}, coords=coords, dims=dims)
    found = model.recover(tree, seed=4)["posterior"]
    assert found["u_school"].dims == ("chain", "draw", "school", "school_effect")
    assert found["u_school"].shape == (1, 1, 160, 2)
    assert list(found["coef"].values) == ["Intercept", "ses"]
    again = model.recover(tree, seed=4)["posterior"]
    assert found.identical(again)
    assert not found["beta"].equals(model.recover(tree, seed=5)["posterior"]["beta"])
    with pytest.raises(EngineError, match="seed=-1"):
        model.recover(tree, seed=-1)


NOT_INTEGRATED = {
    "a family": (
        {"spec": "sector ~ ses + (1 | school)", "family": "bernoulli"},
        "the bernoulli family does not integrate in closed form",
    ),
    "a prior": (
        {"spec": "mathach ~ ses + (1 | school)", "priors": {"ses": mlm.StudentT(3, 0, 1)}},
        "a fixed effect has a prior that is not Normal",
    ),
    "nothing": (
        {"spec": "mathach | se(size) ~ ses"},
        "neither a residual SD nor a random effect",
    ),
}


@pytest.mark.parametrize("name", NOT_INTEGRATED)
def test_effects_that_do_not_integrate_are_refused(hsb, name):
    options, why = NOT_INTEGRATED[name]
    model = mlm.Model(data=hsb.assign(sector=(hsb["sector"] == "Catholic").astype(int)), **options)
    for call in (lambda: model.to_pymc(random_effects="integrate"), lambda: model.recover({})):
        with pytest.raises(EngineError, match=f"{why}\n  allowed: gaussian.*\n.*random_effects"):
            call()


@pytest.mark.parametrize("value", ["auto", "both", None, True, 3, ["integrate"]])
def test_other_values_of_random_effects_are_refused(model, value):
    with pytest.raises(EngineError, match="random_effects=.*\n  allowed: 'sample', 'integrate'"):
        model.to_pymc(random_effects=value)


def test_integrated_effects_have_no_parametrisation(model):
    with pytest.raises(EngineError, match="with a parametrisation"):
        model.to_pymc("centred", random_effects="integrate")
    assert "u_school" in model.to_pymc("centred", random_effects="sample").named_vars
