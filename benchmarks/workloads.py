"""The workloads: a model and its data, written for every fitter that can express it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.simulate import two_level

if TYPE_CHECKING:
    import pandas as pd

GROUPS, ROWS = 100_000, 10_000_000

EVERYONE = (
    "laplace", "quadrature", "nuts", "graph", "ml", "bambi", "lme4", "rstanarm", "brms",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A model as one fitter writes it.

    Parameters
    ----------
    formula
        In the fitter's own language; of Bambi, further parameters after semicolons.
    priors
        As the fitter writes them; empty for its defaults.
    """

    formula: str
    priors: Any = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """A model and its data.

    Parameters
    ----------
    name, title
        Short name, and what it is.
    data
        Returns the data frame.
    formula
        The model, for every fitter that reads it as it stands.
    family
        Of the response, as this project names it; empty for gaussian.
    written
        The model of the fitters that write it otherwise.
    cannot
        Fitters that cannot fit it or are not asked to, and why.
    options
        Of this project's engines.
    limit
        Seconds of one call.
    cold
        Fitters whose first ever call, all caches empty, is timed too.
    """

    name: str
    title: str
    data: Callable[[], pd.DataFrame]
    formula: str
    family: str = ""
    written: Mapping[str, Written] = field(default_factory=dict)
    cannot: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    limit: float = 600.0
    cold: tuple[str, ...] = ()

    def as_written_for(self, fitter: str) -> Written:
        """Return the model as a fitter reads it."""
        return self.written.get(fitter, Written(self.formula))


def dataset(name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the columns of a data set that a model uses."""
    from bayesmlm import datasets

    return datasets.load(name)[list(columns)]


def eight_schools() -> pd.DataFrame:
    """Return the eight schools with the log of the sampling SDs, which Bambi needs."""
    import numpy as np

    data = dataset("eight_schools", ("school", "y", "sigma"))
    return data.assign(log_se=np.log(data["sigma"]))


def high_school_beyond() -> pd.DataFrame:
    """Return High School & Beyond with SES centred by school, as peers have no word for it."""
    data = dataset("high_school_beyond", ("school", "mathach", "ses", "meanses", "sector"))
    return data.assign(cses=data["ses"] - data.groupby("school")["ses"].transform("mean"))


def radon() -> pd.DataFrame:
    """Return radon with counties as labels: to some a number is no factor."""
    data = dataset("radon", ("county", "floor", "y"))
    return data.assign(county=data["county"].astype(str))


def contraception() -> pd.DataFrame:
    """Return contraception in Bangladesh with use as 0 and 1, and age squared."""
    data = dataset("contraception", ("use", "age", "urban", "livch", "district"))
    used = (data.pop("use") == "Y").astype(int)
    return data.assign(used=used, age_squared=data["age"] ** 2)


def verbal_aggression() -> pd.DataFrame:
    """Return answers to 24 items by 316 persons, as 0 and 1."""
    data = dataset("verbagg", ("r2", "Anger", "Gender", "btype", "situ", "mode", "id", "item"))
    return data.assign(answer=(data.pop("r2") == "Y").astype(int))


def immunisation() -> pd.DataFrame:
    """Return children immunised in Guatemala, as 0 and 1."""
    columns = (
        "immun", "kid2p", "mom25p", "ord", "ethn", "momEd", "husEd", "momWork", "rural", "pcInd81",
        "mom", "comm",
    )  # fmt: skip
    data = dataset("guimmun", columns)
    return data.assign(immunised=(data.pop("immun") == "Y").astype(int))


EIGHT = "y | se(sigma) ~ 1 + (1 | school)"
CONTRACEPTION = "used ~ age + age_squared + urban + livch + (1 | district)"
MANY = "asked of quadrature alone, beside Stan's default"
UNKNOWN_SCALE = "it has no known sampling SDs"
STAN = "rstanarm stands for Stan here, without a compiler"
BIG = "only this project and lme4 are asked for so many rows"

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "eight-schools", "Eight schools", eight_schools, EIGHT,
            written={
                "laplace": Written(
                    EIGHT, {"Intercept": "Normal(0, 5)", "sd_school": "HalfCauchy(5)"}
                ),
                "nuts": Written(
                    EIGHT, {"Intercept": "Normal(0, 5)", "sd_school": "HalfCauchy(5)"}
                ),
                "bambi": Written(
                    "y ~ 1 + (1|school); sigma ~ 0 + offset(log_se)",
                    {"Intercept": ("Normal", 0, 5), "1|school": ("HalfCauchy", 5)},
                ),
                "brms": Written(
                    EIGHT,
                    [
                        'prior("normal(0, 5)", class = "Intercept")',
                        'prior("cauchy(0, 5)", class = "sd")',
                    ],
                ),
            },
            cannot=dict.fromkeys(("lme4", "rstanarm"), UNKNOWN_SCALE),
        ),
        Workload(
            "sleepstudy", "Sleepstudy: intercepts and slopes of 18 subjects",
            partial(dataset, "sleepstudy", ("Reaction", "Days", "Subject")),
            "Reaction ~ Days + (Days | Subject)",
            cold=("laplace", "nuts", "ml", "bambi"),
        ),
        Workload(
            "radon", "Radon: intercepts and slopes of 85 counties", radon,
            "y ~ floor + (floor | county)",
        ),
        Workload(
            "hsb", "High School & Beyond: slopes as outcomes, 160 schools", high_school_beyond,
            "mathach ~ cses*meanses + cses*sector + (cses | school)",
        ),
        Workload(
            "penicillin", "Penicillin: 24 plates crossed with 6 samples",
            partial(dataset, "penicillin", ("diameter", "plate", "sample")),
            "diameter ~ 1 + (1 | plate) + (1 | sample)",
            cold=("laplace",),
        ),
        Workload(
            "insteval", "InstEval: 2,972 students crossed with 1,128 lecturers, 14 departments",
            partial(dataset, "insteval", ("y", "service", "s", "d", "dept")),
            "y ~ service + (1 | s) + (1 | d) + (1 | dept)",
            limit=900.0,
        ),
        Workload(
            "contraception", "Contraception: 1,934 women in 60 districts, logit", contraception,
            CONTRACEPTION, "bernoulli",
            cannot={"brms": STAN},
        ),
        Workload(
            "contraception-many", "Contraception: ten times as many effective draws", contraception,
            CONTRACEPTION, "bernoulli",
            cannot=dict.fromkeys(
                ("laplace", "nuts", "graph", "ml", "bambi", "lme4", "brms"), MANY
            ),
            options={"quadrature": {"draws": 32_000, "evaluations": 32_768}},
        ),
        Workload(
            "verbagg", "Verbal aggression: 316 persons crossed with 24 items, logit",
            verbal_aggression,
            "answer ~ Anger + Gender + btype + situ + mode + (1 | id) + (1 | item)", "bernoulli",
            cannot={"brms": STAN},
        ),
        Workload(
            "guimmun", "Immunisation: 1,595 mothers in 161 communities, logit", immunisation,
            "immunised ~ kid2p + mom25p + ord + ethn + momEd + husEd + momWork + rural + pcInd81 "
            "+ (1 | mom) + (1 | comm)",
            "bernoulli",
            cannot={"brms": STAN},
        ),
        Workload(
            "simulated", f"Simulated: intercepts and slopes of {GROUPS:,} groups",
            partial(two_level, ROWS, GROUPS, 1), "y ~ x + (x | group)",
            options={"laplace": {"draws": 1000}},
            cannot={
                "nuts": "8,000 draws of 200,000 effects are 13 GB",
                **dict.fromkeys(("bambi", "rstanarm", "brms"), BIG),
            },
            limit=900.0,
        ),
    )
}  # fmt: skip
