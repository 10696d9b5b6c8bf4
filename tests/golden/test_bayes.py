"""With the priors stated beside them, fits hit long NUTS runs of Stan within Monte Carlo error.

Every mean and 5, 50 and 95 % quantile is compared in units of the combined Monte Carlo
standard error, against a Bonferroni bound at 1e-3 over all figures of the model.
"""

import arviz_stats
import numpy as np
import pytest
from scipy.stats import norm

import bayesmlm as mlm

pytestmark = pytest.mark.slow

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
}
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
ACCEPTANCE = {"dyestuff2": 0.99, "penicillin_crossed": 0.99}
QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}


def family(name, reference):
    if reference["family"] != "binomial":
        return reference["family"]
    return "binomial" if "trials(" in MODELS[name] else "bernoulli"


def priors(model, reference, read_prior, order):
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
    if name == "mean":
        own = float(arviz_stats.mcse(draws, method="mean"))
        return (float(draws.mean()) - expected["mean"]) / np.hypot(own, expected["mcse_mean"])
    p = QUANTILES[name]
    flat = draws.to_numpy().ravel()
    own = float(arviz_stats.mcse(draws, method="quantile", prob=p))
    low, high = np.quantile(flat, [p - 0.02, p + 0.02])
    size = expected["ess_bulk"] if p == 0.5 else expected["ess_tail"]
    theirs = np.sqrt(p * (1 - p) / size) * (high - low) / 0.04
    return (np.quantile(flat, p) - expected[name]) / np.hypot(own, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_means_and_quantiles_agree_with_stan(name, bayes, dataset, read_prior):
    reference = bayes(name)
    frame = dataset(reference["dataset"])
    default = mlm.Model(MODELS[name], frame, family=family(name, reference))
    order = ORDER.get(name, default.design.coef)
    chosen = priors(default, reference, read_prior, order)
    model = mlm.Model(MODELS[name], frame, family=family(name, reference), priors=chosen)
    assert len(model.design.y) == reference["n_obs"]
    fit = model.fit(
        "nuts", seed=7, draws=2500, target_accept=ACCEPTANCE.get(name, 0.95), max_treedepth=12
    )
    scores = {
        f"{key} {figure}": score(draws_of(key, fit, reference, order), figure, expected)
        for key, expected in reference["summary"].items()
        for figure in ("mean", *QUANTILES)
    }
    bound = norm.isf(1e-3 / (2 * len(scores)))
    worst = max(scores, key=lambda key: abs(scores[key]))
    print(f"{name}: {len(scores)} figures, worst {worst} at {scores[worst]:.2f} of {bound:.2f}")
    assert abs(scores[worst]) < bound, {k: v for k, v in scores.items() if abs(v) > bound}
