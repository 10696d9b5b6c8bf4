"""At the default priors and settings the classics converge, and land where lme4 does."""

import numpy as np
import pytest

import bayesmlm as mlm

pytestmark = pytest.mark.slow

MODELS = {
    "rb_t4.2_anova": ("MathAchieve", "MathAch ~ 1 + (1 | School)"),
    "rb_t4.3_means": ("MathAchieve", "MathAch ~ meanses + (1 | School)"),
    "rb_t4.4_random_coef": ("MathAchieve", "MathAch ~ cses + (cses | School)"),
    "rb_t4.5_slopes_outcomes": (
        "MathAchieve",
        "MathAch ~ meanses*cses + catholic*cses + (cses | School)",
    ),
    "sleep_slope": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "radon_slope": ("radon_mn", "y ~ floor + (floor | county)"),
    "sb2_slope": ("mlbook_red", "langPOST ~ IQ_verb + sch_iqv + (IQ_verb | schoolnr)"),
}


def name_of(term):
    return "Intercept" if term == "(Intercept)" else term


def frozen_name(name, coef):
    """Return our name of an interaction, whichever way round it is written."""
    parts = frozenset(name_of(name).split(":"))
    return next(c for c in coef if frozenset(c.split(":")) == parts)


@pytest.mark.parametrize("name", MODELS)
def test_gaussian_classics(name, golden, dataset):
    data, formula = MODELS[name]
    fit = mlm.Model(formula, dataset(data)).fit("nuts", seed=3)
    convergence = fit.check()
    print(f"{name}: {convergence}")
    assert convergence.ok
    assert convergence.r_hat <= 1.01
    assert convergence.ess >= 400
    assert convergence.divergences == 0
    fixed = fit.fixef().frame
    reml = golden[f"{name}/lme4-REML"]
    for term, (estimate, _) in reml["fixed"].items():
        row = fixed.loc[frozen_name(term, fixed.index)]
        assert abs(row["mean"] - estimate) < 0.25 * row["sd"], term
    posterior = fit.tree["posterior"].to_dataset()
    for method in ("lme4-ML", "lme4-REML"):
        reference = golden[f"{name}/{method}"]
        for group, spec in reference["varcorr"].items():
            for effect, value in spec["sds"].items():
                draws = posterior[f"sd_{group}"].sel({f"{group}_effect": name_of(effect)})
                assert inside(draws, value), (method, effect, value)
            for value in spec["corrs"].values():
                assert inside(posterior[f"corr_{group}"][..., 0], value), (method, "corr", value)
        assert inside(posterior["sigma"], reference["sigma"]), (method, "sigma")


def inside(draws, value):
    low, high = np.quantile(draws.to_numpy(), [0.05, 0.95])
    return low <= value <= high


def test_contraception_with_age_as_it_comes(golden, dataset):
    """A peer's defaults gave an R-hat of 1.6 here."""
    formula = "use ~ urban + age + I(age**2) + livch + (1 | district)"
    model = mlm.Model(formula, dataset("Contraception"), family="bernoulli")
    assert "success is 'Y', failure is 'N'." in str(model)
    fit = model.fit("nuts", seed=3)
    assert fit.check().ok, str(fit.check())
    assert "success is 'Y'" in str(fit.summary())
    reference = golden["contraception_ri/glmer-AGQ25"]
    ours = {"I(age^2)": "I(age ** 2)", "urbanY": "urban[T.Y]"} | {
        f"livch{k}": f"livch[T.{k}]" for k in ("1", "2", "3+")
    }
    fixed = fit.fixef().frame
    for term, (estimate, _) in reference["fixed"].items():
        row = fixed.loc[ours.get(term, name_of(term))]
        assert abs(row["mean"] - estimate) < 0.25 * row["sd"], term
    sd = fit.tree["posterior"]["sd_district"][..., 0]
    assert inside(sd, reference["varcorr"]["district"]["sds"]["(Intercept)"])
