"""ML and REML hit every Gaussian linear mixed model of the references, none skipped.

lme4, nlme, and direct maximisation for known variances. Deviance no more than 1e-3 above the
reference, fixed effects within 1e-3 standard errors, SDs within 1e-4 (SD + 0.01 sigma),
conditional modes within 1e-4 SD; where our deviance is lower, the reference did not reach
the maximum and its estimates need not be ours.
"""

import numpy as np
import pytest

from bayesmlm.engines.marginal import require_marginal
from bayesmlm.engines.ml import Profile

BOTH = ("ML", "REML")

LME4 = {
    "sb2_empty": "langPOST ~ 1 + (1 | schoolnr)",
    "sb2_iq": "langPOST ~ IQ_verb + (1 | schoolnr)",
    "sb2_iq_mean": "langPOST ~ IQ_verb + sch_iqv + (1 | schoolnr)",
    "sb2_slope": "langPOST ~ IQ_verb + sch_iqv + (IQ_verb | schoolnr)",
    "sb2_crosslevel": "langPOST ~ IQ_verb*sch_iqv + (IQ_verb | schoolnr)",
    "sb2_iq_ses_full": "langPOST ~ IQ_verb*ses + sch_iqv*sch_ses + (IQ_verb | schoolnr)",
    "sb2_two_slopes": "langPOST ~ IQ_verb*ses + sch_iqv*sch_ses + (IQ_verb + ses | schoolnr)",
    "sb2_diag_slope": "langPOST ~ IQ_verb + sch_iqv + (IQ_verb || schoolnr)",
    "sb1_t8.1_homo": "langPOST ~ iqc + sesc + sex + iqm + (iqc | schoolNR)",
    "rb_t4.2_anova": "MathAch ~ 1 + (1 | School)",
    "rb_t4.3_means": "MathAch ~ meanses + (1 | School)",
    "rb_t4.4_random_coef": "MathAch ~ cses + (cses | School)",
    "rb_t4.5_slopes_outcomes": "MathAch ~ meanses*cses + catholic*cses + (cses | School)",
    "rb_t4.5_singer_cses": "MathAch ~ meanses*cses2 + catholic*cses2 + (cses2 | School)",
    "rb_ancova": "MathAch ~ SES + (1 | School)",
    "hsb82_slopes_outcomes": "mAch ~ meanses*cses + sector*cses + (cses | school)",
    "sleep_slope": "Reaction ~ Days + (Days | Subject)",
    "sleep_uncorr": "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)",
    "sleep_intercept": "Reaction ~ Days + (1 | Subject)",
    "dyestuff": "Yield ~ 1 + (1 | Batch)",
    "dyestuff2": "Yield ~ 1 + (1 | Batch)",
    "penicillin": "diameter ~ 1 + (1 | plate) + (1 | sample)",
    "pastes": "strength ~ 1 + (1 | batch/cask)",
    "cake": "angle ~ recipe*C(temperature) + (1 | recipe:replicate)",
    "insteval": "y ~ service + (1 | s) + (1 | d) + (1 | dept)",
    "orthodont_lmm": "distance ~ I(age - 11)*Sex + (I(age - 11) | Subject)",
    "oxboys_rs": "height ~ age + (age | Subject)",
    "oxboys_quad": "height ~ age + I(age**2) + (age + I(age**2) | Subject)",
    "oxboys_mx1": "height ~ age + I(age**2) + I(age**3) + I(age**4) + (age + I(age**2) | Subject)",
    "bodyweight_lmm": "weight ~ Time*Diet + (Time | Rat)",
    "radon_null": "y ~ 1 + (1 | county)",
    "radon_floor": "y ~ floor + (1 | county)",
    "radon_uranium": "y ~ floor + log_uranium + (1 | county)",
    "radon_slope": "y ~ floor + (floor | county)",
    "radon_slope_uranium": "y ~ floor*log_uranium + (floor | county)",
    "pilots": "y ~ 1 + (1 | group) + (1 | scenario)",
    "hox_pop_empty": "popular ~ 1 + (1 | class)",
    "hox_pop_m2": "popular ~ sex + extrav + texp + (extrav | class)",
    "hox_pop_cross": "popular ~ sex + extrav*texp + (extrav | class)",
    "hox_pupcross_empty": "achiev ~ 1 + (1 | pschool) + (1 | sschool)",
    "hox_pupcross_full": (
        "achiev ~ pupsex + pupses + pdenom + sdenom + (1 | pschool) + (1 | sschool)"
    ),
    "hox_pupcross_slope": (
        "achiev ~ pupsex + pupses + pdenom + sdenom + (pupses | pschool) + (1 | sschool)"
    ),
    "bugs_rats": "weight ~ t + (t | rat)",
    "bugs_rats_uncorr": "weight ~ t + (1 | rat) + (0 + t | rat)",
}
"""The models by lme4 in our notation, by ML and REML unless `ONLY` says otherwise."""

NLME = {
    "orthodont_age": "distance ~ age + (age | Subject)",
    "ovary_indep": "follicles ~ sine + cosine + (sine || Mare)",
}
"""The models by nlme; `random = ~age | Subject` is `(age | Subject)`, pdDiag is `||`."""

STRUCTURED = {
    "sb2_hetero_sex": (
        "varIdent by sex",
        "langPOST ~ IQ_verb + ses + sex + sch_iqv + (IQ_verb | schoolnr)",
    ),
    "sb1_t8.1_hetero": (
        "varIdent by sex",
        "langPOST ~ iqc + sesc + sex + iqm + (iqc | schoolNR)",
    ),
    "orthodont_hetero": ("varIdent by Sex", "distance ~ age*Sex + (age | Subject)"),
    "ovary_ar1": ("AR(1) residuals", NLME["ovary_indep"]),
    "bodyweight_varpower": ("varPower of the fit", "weight ~ Time*Diet + (Time | Rat)"),
    "bodyweight_varpower_exp": (
        "varPower of the fit, exponential correlation",
        "weight ~ Time*Diet + (Time | Rat)",
    ),
}
"""The models by nlme with a variance or correlation structure, which ours cannot say yet."""

DIRECT = {
    "eight_schools": "y | se(sigma) ~ 1 + (1 | school)",
    "blocker_logor": "y | se(sigma) ~ 1 + (1 | study)",
}
"""Meta-analyses of known sampling variances; the reference calls the grouping `study`."""

ONLY = {
    "sb1_t8.1_homo": ("ML",),
    "sb2_hetero_sex": ("ML",),
    "sb1_t8.1_hetero": ("ML",),
    "bodyweight_varpower": ("REML",),
    "bodyweight_varpower_exp": ("REML",),
}
SLOW = ("insteval",)


def cases():
    structured = {name: formula for name, (_, formula) in STRUCTURED.items()}
    for kind, models in (("lme4", LME4), ("nlme", NLME | structured), ("direct", DIRECT)):
        for model, formula in models.items():
            marks = [pytest.mark.slow] if model in SLOW else []
            if model in STRUCTURED:
                reason = f"no residual structure yet: {STRUCTURED[model][0]}"
                marks = [pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)]
            for method in ONLY.get(model, BOTH):
                id = f"{model}/{kind}-{method}"
                yield pytest.param(id, formula, method.lower(), id=id, marks=marks)


CASES = list(cases())


def test_every_gaussian_reference_is_named(golden):
    gaussian = {id for id, row in golden.items() if row["family"].startswith("gaussian")}
    assert {case.id for case in CASES} == gaussian


SPELLING = (
    ("(Intercept)", "Intercept"),
    ("**", "^"),
    ("C(", "factor("),
    ("[T.", ""),
    ("]", ""),
    ("sin(2 * pi * Time)", "sine"),
    ("cos(2 * pi * Time)", "cosine"),
)


def name_of(term):
    """Return a coefficient's name in a form that ours and R's share."""
    text = term
    for one, other in SPELLING:
        text = text.replace(one, other)
    return frozenset(text.replace(" ", "").split(":"))


def group_of(name):
    """Return a grouping's columns, lme4's number of a repeated one left out."""
    return frozenset(name.removesuffix(".1").split(":"))


def reference_sds(reference):
    return {
        (group_of(group), name_of(effect)): sd
        for group, spec in reference["varcorr"].items()
        for effect, sd in spec["sds"].items()
    }


def estimate(fit, name):
    return fit.result.posterior[name].to_numpy()[0, 0]


def our_sds(fit):
    return {
        (group_of(block.name), name_of(effect)): estimate(fit, f"sd_{block.name}")[k]
        for block in fit.result.design.random
        for k, effect in enumerate(block.effects)
    }


def our_modes(fit, block, level, effect):
    labels = [frozenset(str(label).split(":")) for label in block.grouping.labels]
    names = [name_of(name) for name in block.effects]
    at = labels.index(frozenset(level.split(":"))), names.index(name_of(effect))
    return estimate(fit, f"u_{block.name}")[at]


def standard_errors(reference, p):
    """Return the standard errors; nlme multiplies those by ML by the root of n / (n - p)."""
    n = reference["n_obs"]
    factor = np.sqrt(n / (n - p)) if reference["method"] == "nlme-ML" else 1.0
    return {name_of(term): se / factor for term, (_, se) in reference["fixed"].items()}


def deviance_at(fit, sds, restricted):
    """Return our deviance at the reference's SDs, for one effect a grouping.

    The references hold ten digits of a deviance: too few to see which of two fits of many
    rows is the better.
    """
    design = fit.result.design
    profile = Profile(require_marginal(design, fit.result.priors, "ML"), restricted)
    relative = [
        sds[group_of(block.name), name_of(*block.effects)] / sds["sigma"] for block in design.random
    ]
    return float(profile.criterion(np.array([relative]))[0])


def check_conditional_sds(fit, block, head, columns):
    """Hold comparative standard errors against ``ranef(condVar=TRUE)``, within 1e-4."""
    found = fit.standard_errors(block.name, kind="given beta").frame["comparative"]
    ours = found.to_numpy().reshape(block.grouping.size, -1)
    labels = [frozenset(str(label).split(":")) for label in block.grouping.labels]
    names = [name_of(name) for name in block.effects]
    at = np.ix_(
        [labels.index(frozenset(level.split(":"))) for level in head["levels"]],
        [names.index(name_of(effect)) for effect in columns],
    )
    theirs = np.reshape(head["condsd"], ours[at].shape)
    np.testing.assert_allclose(ours[at], theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("id", "formula", "method"), CASES)
def test_ml_and_reml(id, formula, method, golden, dataset, quiet_model):
    reference = golden[id]
    fit = quiet_model(formula, dataset(reference["dataset"])).fit(method)
    assert len(fit.result.design.y) == reference["n_obs"]
    above = fit.deviance - reference["deviance"]
    fixed = fit.fixef().frame
    theirs = {name_of(term): value for term, (value, _) in reference["fixed"].items()}
    se = standard_errors(reference, len(theirs))
    ours = {name_of(term): (row["estimate"], row["se"]) for term, row in fixed.iterrows()}
    assert ours.keys() == theirs.keys()
    off = max(abs(ours[k][0] - theirs[k]) / se[k] for k in theirs)
    errors = max(abs(ours[k][1] / se[k] - 1) for k in theirs)
    sds, expected = our_sds(fit), reference_sds(reference)
    if id.split("/")[0] in DIRECT:  # the reference calls the grouping `study`
        sds = {(group_of("study"), effect): sd for (_, effect), sd in sds.items()}
    assert sds.keys() == expected.keys()
    sigma = reference["sigma"] or 0.0
    if reference["sigma"]:
        sds["sigma"], expected["sigma"] = estimate(fit, "sigma"), sigma
    scale = sigma or se[name_of("Intercept")]
    apart = max(abs(sds[k] - expected[k]) / (expected[k] + 0.01 * scale) for k in expected)
    print(f"{id}: deviance {above:+.1e}, fixed {off:.1e} SE, SE {errors:.1e}, SD {apart:.1e}")
    assert above < 1e-3
    if reference["AIC"] is not None:
        assert abs(fit.aic - reference["AIC"] - above) < 1e-6
    assert off < 1e-3
    assert errors < 1e-3
    if apart >= 1e-4:
        gain = deviance_at(fit, expected, method == "reml") - fit.deviance
        print(f"{id}: at the reference's SDs our deviance is {gain:.1e} higher")
        assert gain > 0
        return
    for group, head in (reference.get("ranef_head") or {}).items():
        block = next(b for b in fit.result.design.random if group_of(b.name) == group_of(group))
        modes = np.atleast_2d(np.array(head["modes"]).T).T
        columns = [head["colnames"]] if isinstance(head["colnames"], str) else head["colnames"]
        for level, row in zip(head["levels"], modes, strict=True):
            for effect, mode in zip(columns, row, strict=True):
                sd = expected[group_of(group), name_of(effect)]
                own = our_modes(fit, block, level, effect)
                assert abs(own - mode) < 1e-4 * (sd + 0.01 * scale), (level, effect, own, mode)
        if head.get("condsd") is not None:
            check_conditional_sds(fit, block, head, columns)
