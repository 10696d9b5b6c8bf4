import tomllib

import pytest

import bayesmlm as mlm
from bayesmlm.errors import PriorError
from bayesmlm.reports.toml import key, model_toml, prior_text, quoted, read_prior, tables
from bayesmlm.spec import formula


@pytest.mark.parametrize(
    "text", ['a "quoted" one', "back\\slash", "tab\t, bell\a, del\x7f", "σ and 😀"]
)
def test_any_text_is_written_as_toml(text):
    assert tomllib.loads(f"{quoted(text)} = {quoted(text)}") == {text: text}


@pytest.mark.parametrize(
    "prior",
    [mlm.Normal(0.1, 1 / 3), mlm.HalfCauchy(5), mlm.LKJ(2), mlm.Exponential(1e-30)],
)
def test_priors_are_read_as_they_are_written(prior):
    assert read_prior(prior_text(prior)) == prior


def test_priors_are_read_by_name():
    assert read_prior(" HalfStudentT(sigma = 2, nu=4) ") == mlm.HalfStudentT(4, 2)
    assert read_prior("Normal(-1, 2e3)") == mlm.Normal(-1, 2000)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("Normale(0, 1)", "did you mean 'Normal'"),
        ("Normal", "the prior 'Normal'"),
        ("Normal(0, 1, 2)", "give Normal the numbers mu, sigma"),
        ("Normal(tau=1)", "give Normal the numbers mu, sigma"),
        ("Normal(0, open('x'))", "give Normal the numbers"),
        ("Normal(0, 1)) + f((1)", "give Normal the numbers"),
        ("Normal(*(0, 1))", "give Normal the numbers"),
        ("Normal(0, -1)", "a positive number"),
        ("Normal(0, 'wide')", "a finite number"),
    ],
)
def test_bad_priors_are_refused(text, got):
    with pytest.raises(PriorError, match=None) as raised:
        read_prior(text)
    assert got in str(raised.value)


def test_tables_are_read_back():
    parts = {
        "model": {"formula": "y ~ `it's`", "equations": "level 1: y = r\n", "x": "a\tb\nc'''"},
        "odd ''' name": {"flag": True, "number": 1 / 3, "whole": 4, "text": "\x01\n"},
    }
    assert tomllib.loads(tables(parts)) == parts
    assert key("plain-1") == "plain-1" and key("sd_g[x]") == '"sd_g[x]"'


def test_a_model_without_equations_is_written_as_a_formula():
    """Two groupings that share a column are no chain of levels."""
    spec = formula("y ~ 1 + (1 | a:b) + (1 | b:c)", family="gaussian", link="log")
    priors = mlm.Model("strength ~ 1 + (1 | batch)", mlm.datasets.load("pastes")).prior_values
    model = tomllib.loads(model_toml(spec, priors, {}))["model"]
    assert "equations" not in model
    assert formula(model["formula"], family=model["family"], link=model["link"]) == spec


def test_the_link_is_written_where_it_is_not_the_canonical_one():
    frame = mlm.datasets.load("pastes")
    frame["strong"] = frame["strength"] > 60
    probit = mlm.Model("strong ~ 1 + (1 | batch)", frame, family="bernoulli", link="probit")
    logit = mlm.Model("strong ~ 1 + (1 | batch)", frame, family="bernoulli")
    assert tomllib.loads(probit.to_toml())["model"]["link"] == "probit"
    assert "link" not in tomllib.loads(logit.to_toml())["model"]
