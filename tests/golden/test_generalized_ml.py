"""ML by Laplace and by quadrature hits every glmer and glmmTMB fit of the references.

Log likelihood less its saturated value within 1e-3; fixed effects within 1e-3 standard
errors, standard errors within 2 %, SDs within 1e-3 (SD + 0.01), a variance of zero by its
absolute value; or, where estimates differ by more, our log likelihood is the higher.
"""

import numpy as np
import pandas as pd
import pytest

from bayesmlm.engines import ML

NODES = {"Laplace": 1, "AGQ9": 9, "AGQ10": 10, "AGQ25": 25}


def category(column, *levels):
    return lambda frame: frame.assign(**{column: pd.Categorical(frame[column], levels)})


def success(column, value):
    return lambda frame: frame.assign(y=(frame[column] == value).astype(int))


def blocker(frame):
    """One row a study and arm."""
    arms = [
        pd.DataFrame({"study": frame["study"], "r": frame[r], "n": frame[n], "trt": t})
        for r, n, t in (("rt", "nt", 0.5), ("rc", "nc", -0.5))
    ]
    return pd.concat(arms, ignore_index=True)


def respiratory(frame):
    """Months 1 to 4, the status at month 0 beside them."""
    frame = frame.assign(month=frame["month"].astype(int))
    first = frame[frame["month"] == 0].set_index("subject")["status"]
    rest = frame[frame["month"] > 0].reset_index(drop=True)
    rest = rest.assign(
        base=first.loc[rest["subject"]].to_numpy(), centre=rest["centre"].astype(str)
    )
    rest = category("base", "poor", "good")(category("treatment", "placebo", "treatment")(rest))
    return success("status", "good")(rest)


def bacteria(frame):
    frame = frame.assign(late=(frame["week"] > 2).astype(int))
    return success("y", "y")(category("trt", "placebo", "drug", "drug+")(frame))


EPIL = "y ~ lbase*trt + lage + V4 + (1 | subject)"
CONTRACEPTION = "y ~ age + I(age**2) + urban + livch + ({} | district)"

MODELS = {
    "cbpp": (
        "incidence | trials(size) ~ C(period) + (1 | herd)",
        "binomial",
        lambda frame: frame,
    ),
    "contraception_ri": (CONTRACEPTION.format(1), "bernoulli", success("use", "Y")),
    "contraception_rs": (CONTRACEPTION.format("urban"), "bernoulli", success("use", "Y")),
    "election88_simple": ("bush ~ black + female + (1 | state)", "bernoulli", lambda frame: frame),
    "bacteria": ("y ~ trt + late + (1 | ID)", "bernoulli", bacteria),
    "epil_ri": (EPIL, "poisson", category("trt", "placebo", "progabide")),
    "bugs_epil2": (
        "y ~ c_lb4 + c_Trt + c_BT + c_lage + c_V4 + (1 | patient)",
        "poisson",
        lambda frame: frame,
    ),
    "bugs_seeds": ("r | trials(n) ~ seed*extract + (1 | plate)", "binomial", lambda frame: frame),
    "bugs_salm": (
        "y ~ ld + d100 + (1 | row)",
        "poisson",
        lambda frame: frame.assign(
            ld=np.log(frame["dose"] + 10), d100=frame["dose"] / 100, row=np.arange(len(frame))
        ),
    ),
    "blocker_glmm": ("r | trials(n) ~ trt + (trt | study)", "binomial", blocker),
    "surgical": (
        "y | trials(K) ~ 1 + (1 | hospital)",
        "binomial",
        lambda frame: frame.assign(hospital=np.arange(len(frame))),
    ),
    "respiratory": (
        "y ~ base + treatment + gender + age + C(centre) + (1 | subject)",
        "bernoulli",
        respiratory,
    ),
}

ORDINAL = ("wine",)
SEVERAL = (
    "grouseticks",
    "verbagg",
    "guimmun",
    "rodgold_sim01",
    "rodgold_sim02",
    "rodgold_sim03",
    "election88_arm14.2",
    "election88_arm14.2_adj",
    "election88_full",
    "epil_olre",
)
"""Several groupings."""


def saturated(design):
    """Return the log likelihood of means equal to the responses."""
    from scipy.stats import binom, poisson

    if design.family.name == "poisson":
        return float(poisson.logpmf(design.y, design.y).sum())
    trials = design.outcome.rows.get("trials", np.ones(len(design.y)))
    return float(binom.logpmf(design.y, trials, design.y / trials).sum())


def references(golden):
    return {
        id: row
        for id, row in golden.items()
        if not row["family"].startswith("gaussian") and "PQL" not in id
    }


def test_every_reference_is_named(golden):
    assert {id.split("/")[0] for id in references(golden)} == {*MODELS, *ORDINAL, *SEVERAL}


@pytest.mark.parametrize("name", MODELS)
def test_ml(name, golden, dataset, quiet_model):
    formula, family, prepare = MODELS[name]
    fits = {}
    for id, reference in references(golden).items():
        if id.split("/")[0] != name:
            continue
        method = id.split("-")[-1]
        frame = prepare(dataset(reference["dataset"]))
        model = quiet_model(formula, frame, family=family)
        assert len(model.design.y) == reference["n_obs"]
        nodes = NODES[method]
        fit = fits.setdefault(nodes, model.fit(ML(nodes=nodes)))
        compare(id, fit, reference, saturated(model.design) if method.startswith("AGQ") else 0.0)


def compare(id, fit, reference, full):
    gain = fit.log_likelihood - full - reference["logLik"]
    frame = fit.fixef().frame
    theirs = np.array(list(reference["fixed"].values()))
    off = np.abs(frame["estimate"].to_numpy() - theirs[:, 0]) / theirs[:, 1]
    errors = np.abs(frame["se"].to_numpy() / theirs[:, 1] - 1)
    sds, expected = [], []
    blocks = {frozenset(block.name.split(":")): block for block in fit.result.design.random}
    only = len(blocks) == 1
    for group, spec in reference["varcorr"].items():
        block = next(iter(blocks.values())) if only else blocks[frozenset(group.split(":"))]
        sds += fit.result.posterior[f"sd_{block.name}"].to_numpy()[0, 0].tolist()
        expected += list(spec["sds"].values())
    apart = np.abs(np.subtract(sds, expected)) / (np.array(expected) + 0.01)
    print(
        f"{id}: log likelihood {gain:+.1e}, fixed {off.max():.1e} SE, SE {errors.max():.1e}, "
        f"SD {apart.max():.1e}"
    )
    assert fit.check().ok
    assert gain > -1e-3
    if gain < 1e-3:
        assert off.max() < 1e-3 or gain > 0
        assert apart.max() < 1e-3 or gain > 0
        assert errors.max() < 0.02
