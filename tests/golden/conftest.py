"""Reference results and the data behind them, read from the shared folder."""

import json
import warnings

import pytest
import references

import bayesmlm as mlm


@pytest.fixture(scope="session")
def golden(shared_reference):
    """Fits by lme4 and others, by id."""
    rows = json.loads((shared_reference / "golden.json").read_text())
    return {row["id"]: row for row in rows}


@pytest.fixture(scope="session")
def bayes(shared_reference):
    """Return a function of a name that gives a long NUTS run with stated priors."""

    def read(name):
        return json.loads((shared_reference / "bayes" / f"{name}.json").read_text())

    return read


@pytest.fixture(scope="session")
def dataset(shared_data):
    """Return a function of a name that gives a data frame, prepared as the references were."""

    return lambda name: references.read_frame(shared_data, name)


@pytest.fixture(scope="session")
def stated(bayes, dataset):
    """Return a function of a name that gives the model of a long run with the run's priors.

    With it the run, and a function of a fit that gives the worst score and its bound.
    """

    def read(name):
        run = bayes(name)
        model, order = references.stated_model(name, run, dataset(run["dataset"]))
        return model, lambda fit: references.compare(
            name, references.run_draws(fit, run, order), run["summary"]
        )

    return read


@pytest.fixture(scope="session")
def compare_draws():
    """Return the comparison of draws with a summary; see `references.compare`."""
    return references.compare


@pytest.fixture(scope="session")
def quiet_model():
    """Return `mlm.Model` without the cautions about the data, which the classics earn."""

    def build(*arguments, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mlm.BayesmlmWarning)
            return mlm.Model(*arguments, **options)

    return build
