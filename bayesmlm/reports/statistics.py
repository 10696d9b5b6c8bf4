"""Tables of the statistics of `bayesmlm.summaries`, with their definitions as notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayesmlm import summaries
from bayesmlm.reports.summary import estimates, percent
from bayesmlm.reports.table import Table
from bayesmlm.result import FitResult
from bayesmlm.summaries.grid import At
from bayesmlm.summaries.information import information_criteria
from bayesmlm.summaries.likelihood_ratio import likelihood_ratio, variances
from bayesmlm.summaries.maximum import ERRORS
from bayesmlm.summaries.r2 import DEFINITIONS
from bayesmlm.summaries.rows import n_draws
from bayesmlm.summaries.standard_errors import DRAWS


def has_slopes(result: FitResult) -> bool:
    """Return whether anything but intercepts varies."""
    return any(len(block.effects) > 1 for block in result.design.random)


def icc_table(result: FitResult, probability: float, **options: Any) -> Table:
    """Return intraclass correlations; see `bayesmlm.summaries.icc`."""
    frame = summaries.icc(result, probability, **options)
    share = options["kind"] == "share"
    notes = [
        "each level's own share of the variance"
        if share
        else "correlation of two rows that share these groups: their variance over the total"
    ]
    family, scale = result.design.family, options["scale"]
    if family.link.name != "identity":
        notes.append(definition_of_icc(family.link.name, scale, options["eta"]))
    if has_slopes(result) and options["at"] is None:
        notes.append("with slopes that vary: averaged over the rows of the data")
    title = "Shares of the variance" if share else "Intraclass correlation"
    frame = frame.drop(columns="shared") if share else frame
    return estimates(title, frame, probability, tuple(notes))


def definition_of_icc(link: str, scale: str, eta: float | None) -> str:
    """Return in words which definition a correlation has."""
    if scale == "latent":
        level1 = {
            "logit": "pi²/3",
            "probit": "1",
            "log": "ln(1 + 1 / mean count), the lognormal approximation",
        }
        return f"latent definition: level-1 variance {level1[link]} on the {link} scale"
    where = "its mean over the rows" if eta is None else f"{eta:g}"
    how = "integrated" if scale == "exact" else "simulated"
    return f"{scale} definition: scale of the response, {how}, fixed part at {where}"


def variance_function_table(result: FitResult, at: At, probability: float) -> Table:
    """Return variances at stated values; see `bayesmlm.summaries.variance_function`."""
    frame = summaries.variance_function(result, at, probability)
    return estimates(
        "Variance function",
        frame,
        probability,
        ("z' T z of the groups' effects there, on the scale of the linear predictor",),
    )


def anova_table(result: FitResult, probability: float, order: Sequence[str] | None) -> Table:
    """Return shares by ANOVA; see `bayesmlm.summaries.anova`."""
    frame = summaries.anova(result, probability, order)
    one = "one-way" in frame
    note = (
        "one-way: the ANOVA estimator of the intraclass correlation"
        if one
        else "columns of groupings: sequential shares of the sum of squares, in this order"
    )
    return estimates("Mixed model and analysis of variance", frame, probability, (note,))


def reliability_table(result: FitResult, group: str, probability: float, by_group: bool) -> Table:
    """Return reliabilities; see `bayesmlm.summaries.reliability`."""
    frame = summaries.reliability(result, group, probability, by_group)
    notes = ["tau / (tau + sampling variance of the group's own least-squares estimate)"]
    if not by_group:
        notes.append("average over groups; excluded: groups whose rows do not identify the effects")
    return estimates(f"Reliability by {group}", frame, probability, tuple(notes))


def shrinkage_table(result: FitResult, group: str, probability: float) -> Table:
    """Return three poolings side by side; see `bayesmlm.summaries.shrinkage`."""
    frame = summaries.shrinkage(result, group, probability)
    notes = [
        "no pooling: least squares in the group, with its standard error; mean: partial pooling, "
        "by the model; complete pooling: least squares without groups",
        "missing: the group's rows do not identify its coefficients",
    ]
    if len(result.design.random) > 1:
        notes.append("effects of other groupings are left out of no and complete pooling")
    return estimates(f"Shrinkage by {group}", frame, probability, tuple(notes))


def standard_error_table(result: FitResult, group: str, kind: str) -> Table:
    """Return standard errors; see `bayesmlm.summaries.standard_errors`."""
    frame = summaries.standard_errors(result, group, kind)
    notes = []
    if "comparative" in frame:
        notes.append("comparative: of u given beta (lme4's condVar); diagnostic: of its estimate")
        if len(result.design.random) > 1 and n_draws(result) > DRAWS:
            notes.append(f"these two at {DRAWS} of the {n_draws(result):,} draws of the variances")
    elif kind == "all":
        why = result.design.latent.reason or "the response or the effects are not normal"
        notes.append(f"given beta: not defined, as {why}")
    if "posterior" in frame:
        notes.append("posterior: SD of the draws of u, beta not given")
    return Table(f"Standard errors of the effects by {group}", frame, tuple(notes))


def ranks_table(result: FitResult, group: str, effect: str | None, probability: float) -> Table:
    """Return ranks; see `bayesmlm.summaries.ranks`."""
    frame = summaries.ranks(result, group, effect, probability)
    name = effect or result.design.any_block(group).effects[0]
    return estimates(
        f"Ranks by {group}: {name}",
        frame,
        probability,
        ("rank 1 is the highest; of the ranks in every draw",),
    )


def information_table(result: FitResult) -> Table:
    """Return information criteria; see `bayesmlm.summaries.information`."""
    frame = information_criteria(result).rename_axis("").rename(columns={"value": "criterion"})
    notes = [
        "marginal: predicts new groups; conditional: new rows of the same groups, given the "
        "estimated variances (counts too few parameters where one is estimated as zero)"
    ]
    if result.engine.name == "reml":
        notes.append("REML: compare only fits of the same fixed effects")
    return Table("Information criteria", frame, tuple(notes))


def likelihood_ratio_table(larger: FitResult, smaller: FitResult) -> Table:
    """Return the test of nested fits; see `bayesmlm.summaries.likelihood_ratio`."""
    frame = likelihood_ratio(larger, smaller)
    if not frame["p_boundary"].isna().any():
        note = "p_boundary: a variance of zero is on the boundary, half of chi-squared df - 1"
    elif variances(larger.design) > variances(smaller.design):
        note = "several variances of zero are on the boundary: p is too large"
    else:
        note = "no variance is tested: p by chi-squared"
    return Table("Likelihood-ratio test", frame, (note,))


def pooling_table(result: FitResult) -> Table:
    """Return pooling factors; see `bayesmlm.summaries.pooling_factor`."""
    frame = summaries.pooling_factors(result)
    notes = ["1 - V(E[error]) / E[V(error)]: 1 pooled completely, 0 not at all"]
    if not result.design.family.has_scale:
        notes.append("level 1 of a response that is not gaussian has none")
    return Table("Pooling factors (Gelman & Pardoe)", frame, tuple(notes))


def r2_table(result: FitResult, kind: str, probability: float, **options: Any) -> Table:
    """Return explained variance; see `bayesmlm.summaries.r2`."""
    frame = summaries.r2(result, kind, probability, **options)
    title, definition, _ = DEFINITIONS[kind]
    notes = [definition]
    if kind == "snijders-bosker":
        whole = "the null model's" if "null" in options else "the model's own"
        notes.append(f"against {whole} variances")
    if kind == "bayes" and ERRORS in result.tree.children:
        notes.append("at the modes of the effects")
    if kind in ("nakagawa", "rights-sterba") and result.design.family.link.name != "identity":
        notes.append(definition_of_icc(result.design.family.link.name, "latent", None))
    return estimates(title, frame, probability, tuple(notes))


def within_between_table(
    result: FitResult, x: str | None, mean: str | None, probability: float
) -> Table:
    """Return contextual effects; see `bayesmlm.summaries.within_between`."""
    frame = summaries.within_between(result, x, mean, probability)
    notes = ["contextual: between less within"]
    if result.design.latent.means:
        notes.append("of latent(x, g): by latent group means (Lüdtke et al. 2008)")
    if "se" in frame:
        notes.append("normal approximation at the maximum")
    title = f"Within and between groups ({percent(probability)} intervals)"
    return Table(title, frame, tuple(notes))
