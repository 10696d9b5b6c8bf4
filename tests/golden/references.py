"""The long runs with stated priors: their data, our models of them, and the comparison.

`scripts/engines.py` and the tests share it.
"""

import re

import numpy as np
import pandas as pd
from scipy.stats import norm

import bayesmlm as mlm


def read_frame(folder, name):
    """Return a data frame of a folder, prepared as the references were."""
    if name == "rodgold_sim":
        y = pd.read_csv(folder / "rodgold_sim_y.csv")
        return pd.read_csv(folder / "rodgold_sim_x.csv").assign(y001=y["y001"])
    frame = pd.read_csv(folder / f"{name}.csv")
    if name == "MathAchieve":
        return high_schools(frame, pd.read_csv(folder / "MathAchSchool.csv"))
    return PREPARE.get(name, unchanged)(frame)


def unchanged(frame):
    return frame


def high_schools(frame, schools):
    """Add the school's columns: exact and (cses2) rounded centring within schools."""
    found = schools.set_index("School").loc[frame["School"]].reset_index(drop=True)
    return frame.assign(
        meanses=found["MEANSES"],
        catholic=(found["Sector"] == "Catholic").astype(int),
        cses=frame["SES"] - frame.groupby("School")["SES"].transform("mean"),
        cses2=frame["SES"] - found["MEANSES"],
    )


def clusters(size, groups=200):
    """Binary rows whose clusters differ by a normal effect of SD 1."""
    rng = np.random.default_rng(size)
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(size=len(g))
    p = 1 / (1 + np.exp(-(0.5 * x + rng.normal(size=groups)[g])))
    data = pd.DataFrame({"g": g, "x": x, "y": (rng.random(len(g)) < p).astype(int)})
    return mlm.Model("y ~ x + (1 | g)", data, family="bernoulli")


def language(frame):
    """Centre IQ and SES at their means, and add the school means of the first."""
    iqc = frame["IQ.verb"] - frame["IQ.verb"].mean()
    return frame.assign(
        iqc=iqc,
        sesc=frame["ses"] - frame["ses"].mean(),
        iqm=iqc.groupby(frame["schoolNR"]).transform("mean"),
    )


def epilepsy(frame):
    """Add the centred covariates of the second BUGS epilepsy model."""
    columns = {
        "lb4": np.log(frame["Base"] / 4),
        "Trt": frame["Trt"],
        "BT": np.log(frame["Base"] / 4) * frame["Trt"],
        "lage": np.log(frame["Age"]),
        "V4": frame["V4"],
    }
    return frame.assign(**{f"c_{name}": x - x.mean() for name, x in columns.items()})


def log_odds_ratios(frame):
    """Add each study's log odds ratio and its sampling SD."""
    dead, controls_dead = frame["rt"], frame["rc"]
    alive, controls_alive = frame["nt"] - dead, frame["nc"] - controls_dead
    counts = (dead, alive, controls_dead, controls_alive)
    return frame.assign(
        y=np.log(dead / alive) - np.log(controls_dead / controls_alive),
        sigma=np.sqrt(sum(1 / count for count in counts)),
    )


def seasons(frame):
    """Add the sine and cosine of a yearly cycle."""
    angle = 2 * np.pi * frame["Time"]
    return frame.assign(sine=np.sin(angle), cosine=np.cos(angle))


def ordered(column, first, second):
    """Return a function that makes a column a category of two levels in an order."""
    return lambda frame: frame.assign(**{column: pd.Categorical(frame[column], [first, second])})


def immunisation(frame):
    """Add the response as 0 and 1; the reference ethnic group is L."""
    ethn = pd.Categorical(frame["ethn"], ["L", "N", "S"])
    return frame.assign(immunised=(frame["immun"] == "Y").astype(int), ethn=ethn)


PREPARE = {
    "guImmun": immunisation,
    "bdf": language,
    "bugs_blocker": log_odds_ratios,
    "bugs_epil": epilepsy,
    "bugs_rats": lambda frame: frame.assign(t=frame["day"] - 22),
    "bugs_seeds": lambda frame: frame.rename(columns={"x1": "seed", "x2": "extract"}),
    "cbpp": lambda frame: frame.astype({"period": str}),
    "election88_polls_subset": lambda frame: frame.dropna(subset=["bush"]),
    "BodyWeight": lambda frame: frame.astype({"Diet": str}),
    "Hsb82": ordered("sector", "Public", "Catholic"),
    "InstEval": lambda frame: frame.astype({"service": str}),
    "Orthodont": ordered("Sex", "Male", "Female"),
    "Ovary": seasons,
}
"""How the references prepared the data (`prep` of each), by data set."""


MODELS = {
    "hsb_slopes_outcomes": "MathAch ~ meanses*cses + catholic*cses + (cses | School)",
    "sleepstudy_slope": "Reaction ~ Days + (Days | Subject)",
    "radon_slope_uranium": "y ~ floor*log_uranium + (floor | county)",
    "mlbook_slope": "langPOST ~ IQ_verb + sch_iqv + (IQ_verb | schoolnr)",
    "mlbook_crosslevel": "langPOST ~ IQ_verb*sch_iqv + (IQ_verb | schoolnr)",
    "penicillin_crossed": "diameter ~ 1 + (1 | plate) + (1 | sample)",
    "dyestuff2": "Yield ~ 1 + (1 | Batch)",
    "election88_simple": "bush ~ black + female + (1 | state)",
    "cbpp": "incidence | trials(size) ~ period + (1 | herd)",
    "bugs_seeds_halfnormal": "r | trials(n) ~ seed*extract + (1 | plate)",
    "bugs_epil2": "y ~ c_lb4 + c_Trt + c_BT + c_lage + c_V4 + (1 | patient)",
    "rodgold_sim01": "y001 ~ chldcov + famcov + commcov + (1 | family) + (1 | community)",
    "guimmun_3level": (
        "immunised ~ kid2p + mom25p + ord + ethn + momEd + husEd + momWork + rural + pcInd81 "
        "+ (1 | mom) + (1 | comm)"
    ),
}
"""The models of the long NUTS runs, by the run's name."""

ORDER = {
    "hsb_slopes_outcomes": (
        "Intercept",
        "meanses",
        "catholic",
        "cses",
        "meanses:cses",
        "catholic:cses",
    )
}
"""Our coefficients in the order of the run, where it is another."""

QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}


def stated_model(name, run, frame):
    """Return the model of a long run with the run's priors, and its coefficients in our order.

    Parameters
    ----------
    name, run
        A run of `MODELS`, and what its file holds.
    frame
        Its data.
    """
    kind = family(name, run)
    default = mlm.Model(MODELS[name], frame, family=kind)
    order = ORDER.get(name, default.design.coef)
    model = mlm.Model(MODELS[name], frame, family=kind, priors=priors(default, run, order))
    assert len(model.design.y) == run["n_obs"]
    return model, order


def read_prior(text):
    """Return a prior as the references write it: Normal(0,5)."""
    kind, inside = re.fullmatch(r"(\w+)\((.*)\)", text).groups()
    return getattr(mlm, kind)(*map(float, inside.split(",")))


def compare(name, draws, summary):
    """Hold draws (chain, draw) by name against the means and quantiles of a long run.

    Every difference in units of the combined Monte Carlo standard error stays within a
    Bonferroni bound at 1e-3 over all of them.
    """
    found, bound = scores(draws, summary)
    worst = max(found, key=lambda key: abs(found[key]))
    print(f"{name}: {len(found)} figures, worst {worst} at {found[worst]:.2f} of {bound:.2f}")
    assert abs(found[worst]) < bound, {k: v for k, v in found.items() if abs(v) > bound}


def scores(draws, summary):
    """Return the differences in combined Monte Carlo standard errors, and their bound."""
    found = {
        f"{key} {figure}": score(draws[key], figure, expected)
        for key, expected in summary.items()
        for figure in ("mean", *QUANTILES)
    }
    return found, float(norm.isf(1e-3 / (2 * len(found))))


def family(name, reference):
    if reference["family"] != "binomial":
        return reference["family"]
    return "binomial" if "trials(" in MODELS[name] else "bernoulli"


def priors(model, reference, order):
    stated = reference["priors"]
    blocks = model.design.random
    chosen = {name: read_prior(text) for name, text in zip(order, stated["beta"], strict=True)}
    if len(blocks) == 1:
        keys = [f"sd_{blocks[0].name}[{effect}]" for effect in blocks[0].effects]
    else:
        keys = [f"sd_{group}" for group in reference["group_factors"]]
    chosen |= {key: read_prior(text) for key, text in zip(keys, stated["sd"], strict=True)}
    if stated["sigma"]:
        chosen["sigma"] = read_prior(stated["sigma"])
    if stated["corr"]:
        chosen["corr"] = read_prior(stated["corr"])
    return chosen


def run_draws(fit, run, order):
    """Return the draws (chain, draw) of everything a run summarises, by its names."""
    return {key: draws_of(key, fit, run, order) for key in run["summary"]}


def draws_of(key, fit, reference, order):
    """Return the draws (chain, draw) of a parameter as the reference names it."""
    posterior = fit.tree["posterior"].to_dataset()
    groups = reference["group_factors"]
    kind, _, rest = key.partition(":")
    if kind == "b":
        position = reference["beta_names"].index(rest)
        return posterior["beta"].sel(coef=order[position])
    if kind == "sd":
        group, effect = rest.split(":")
        return posterior[f"sd_{group}"].sel({f"{group}_effect": effect_name(effect)})
    if kind == "corr":
        return posterior[f"corr_{groups[0]}"][..., 0]
    if kind == "sigma":
        return posterior["sigma"]
    j, _, k = kind.removeprefix("u[").removesuffix("]").partition(",")
    level = reference["first_levels"][groups[0]][int(j) - 1]
    labels = [str(label) for label in posterior[groups[0]].to_numpy()]
    effects = posterior[f"u_{groups[0]}"]
    return effects[:, :, labels.index(level), int(k or 1) - 1]


def effect_name(text):
    return "Intercept" if text == "(Intercept)" else text


def score(draws, name, expected):
    """Return the difference in combined Monte Carlo standard errors."""
    flat = draws.to_numpy().ravel()
    if name == "mean":
        return (flat.mean() - expected["mean"]) / np.hypot(own_error(draws), expected["mcse_mean"])
    p = QUANTILES[name]
    low, high = np.quantile(flat, [p - 0.02, p + 0.02])
    spread = np.sqrt(p * (1 - p)) * (high - low) / 0.04
    size = expected["ess_bulk"] if p == 0.5 else expected["ess_tail"]
    return (np.quantile(flat, p) - expected[name]) / np.hypot(
        own_error(draws, p, spread), spread / np.sqrt(size)
    )


def own_error(draws, p=None, spread=None):
    """Return the Monte Carlo standard error of our mean, or of the quantile of p.

    Importance draws carry their effective sample size; the quantile's `spread` over its root
    is then the error.
    """
    import arviz_stats

    if "ess" in draws.attrs:
        scale = float(draws.std()) if p is None else spread
        return scale / np.sqrt(draws.attrs["ess"])
    if p is None:
        return float(arviz_stats.mcse(draws, method="mean"))
    return float(arviz_stats.mcse(draws, method="quantile", prob=p))
