"""Reference results and the data behind them, read from the shared folder."""

import json
import re

import pandas as pd
import pytest

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

    def read(name):
        if name == "MathAchieve":
            schools = pd.read_csv(shared_data / "MathAchSchool.csv").drop(columns="MEANSES")
            frame = pd.read_csv(shared_data / "MathAchieve.csv").merge(schools, on="School")
            means = pd.read_csv(shared_data / "MathAchSchool.csv").set_index("School")["MEANSES"]
            frame["meanses"] = frame["School"].map(means)
            frame["catholic"] = (frame["Sector"] == "Catholic").astype(int)
            frame["cses"] = frame["SES"] - frame.groupby("School")["SES"].transform("mean")
            return frame
        if name == "rodgold_sim":
            y = pd.read_csv(shared_data / "rodgold_sim_y.csv")
            return pd.read_csv(shared_data / "rodgold_sim_x.csv").assign(y001=y["y001"])
        frame = pd.read_csv(shared_data / f"{name}.csv")
        if name == "election88_polls_subset":
            return frame.dropna(subset=["bush"])
        if name == "cbpp":
            return frame.astype({"period": str})
        if name == "bugs_seeds":
            return frame.rename(columns={"x1": "seed", "x2": "extract"})
        if name == "bugs_epil":
            return epilepsy(frame)
        return frame

    return read


def epilepsy(frame):
    """Add the centred covariates of the second BUGS epilepsy model."""
    import numpy as np

    columns = {
        "lb4": np.log(frame["Base"] / 4),
        "Trt": frame["Trt"],
        "BT": np.log(frame["Base"] / 4) * frame["Trt"],
        "lage": np.log(frame["Age"]),
        "V4": frame["V4"],
    }
    return frame.assign(**{f"c_{name}": x - x.mean() for name, x in columns.items()})


@pytest.fixture(scope="session")
def read_prior():
    """Return a function that reads a prior as the references write it: Normal(0,5)."""

    def read(text):
        kind, inside = re.fullmatch(r"(\w+)\((.*)\)", text).groups()
        return getattr(mlm, kind)(*map(float, inside.split(",")))

    return read
