"""What each prior implies on the response scale, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design, LatentMean, ParameterDesign, RandomBlock
from bayesmlm.families import Parameter
from bayesmlm.families.parameter import ORDERED, POSITIVE, REAL
from bayesmlm.priors.defaults import cell_means, has_lkj, spread
from bayesmlm.priors.further import FixedPriors
from bayesmlm.priors.lkj import LKJ
from bayesmlm.priors.model_priors import Priors
from bayesmlm.priors.prior import Prior

if TYPE_CHECKING:
    import pandas as pd


MASS_PRIOR = 2.0
"""Concentration of the Dirichlet prior of the masses of points: none is near zero."""

AT_ZERO = "where all predictors are 0"

Row = tuple[str, Any, str]
"""The name to replace a prior by, the prior, and what it implies."""


def describe_priors(design: Design, priors: Priors) -> pd.DataFrame:
    """Return one row a parameter.

    Returns
    -------
    DataFrame
        Index ``parameter`` (the name to replace it by); columns ``prior``, ``source``
        (``"default"`` or ``"yours"``) and ``implies``.
    """
    import pandas as pd

    rows = coefficient_rows(design, priors)
    for part in design.further:
        rows += predictor_rows(part, priors.predictors[part.target])
    for block in design.blocks:
        rows += block_rows(design, block, priors)
    for parameter in design.parameters:
        own = priors.further[parameter.name]
        rows.append((parameter.name, own, further_sentence(parameter, own, priors)))
    for mean in design.latent.means:
        rows += [(key, priors.latent[key], said) for key, said in latent_sentences(mean, priors)]
    records = [
        {
            "parameter": key,
            "prior": str(prior),
            "source": "yours" if key in priors.chosen else "default",
            "implies": sentence,
        }
        for key, prior, sentence in rows
    ]
    return pd.DataFrame(records).set_index("parameter")


def coefficient_rows(design: Design, priors: Priors) -> list[Row]:
    """Return name, prior and sentence of every fixed coefficient of the location."""
    rows: list[Row] = []
    cells = cell_means(design)
    for name, column in zip(design.coef, design.X.T, strict=True):
        prior = priors.coefficients[name]
        if name == names.INTERCEPT:
            where = "at mean predictors" if priors.intercept_at_means else AT_ZERO
            sentence = intercept_sentence(design, prior, where)
        elif name in cells:
            sentence = intercept_sentence(design, prior, "in this category")
        else:
            sentence = slope_sentence(design, column, prior)
        rows.append((name, prior, sentence))
    return rows


def block_rows(design: Design, block: RandomBlock, priors: Priors) -> list[Row]:
    """Return name, prior and sentence of every parameter of a grouping's effects."""
    rows: list[Row] = []
    for effect in block.effects:
        sd = priors.sds[block.name][effect]
        key = f"{names.sd(block.name)}[{effect}]"
        rows.append((key, sd, sd_sentence(design, block, effect, sd)))
    if has_lkj(block):
        lkj = priors.correlations[block.name]
        rows.append((names.corr(block.name), lkj, correlation_sentence(block, lkj)))
    if block.name in priors.freedom:
        above = priors.freedom[block.name]
        low, high = (2 + bound for bound in above.interval())
        sentence = f"of nu - 2: tails of t with {low:.3g} to {high:.3g} degrees of freedom"
        rows.append((names.nu(block.name), above, f"{sentence} (95 %)"))
    if block.points is not None:
        sentence = f"masses of {block.points} points, all of them about equally likely"
        rows.append((names.mass(block.name), f"Dirichlet({MASS_PRIOR:g})", sentence))
    return rows


def intercept_sentence(design: Design, prior: Prior, where: str) -> str:
    """Return what the intercept's prior implies for an average row."""
    low, high = (float(bound + design.offset.mean()) for bound in prior.interval())
    where += " and the mean offset" if design.offset.any() else ""
    family = design.family
    if family.link.name == "identity":
        return f"{location(design)} {where}: {low:.4g} to {high:.4g} (95 %)"
    if family.link.name in ("inverse", "sqrt"):
        return f"{family.link.name} of the mean {where}: {low:.3g} to {high:.3g} (95 %)"
    low, high = family.link.inverse(np.array([low, high]))
    return f"{expected(design)} {where}: {low:.3g} to {high:.3g} (95 %)"


def location(design: Design) -> str:
    """Return what a linear predictor on the identity link is, in words."""
    column = design.spec.response.column
    return f"mean log {column}" if design.family.name == "lognormal" else f"mean {column}"


def expected(design: Design) -> str:
    """Return what the inverse of another link gives, in words."""
    family = design.family
    if family.counts:
        return "probability of success" if family.proportion else "expected count"
    return f"expected {design.spec.response.column}"


def slope_sentence(design: Design, column: Any, prior: Prior) -> str:
    """Return what a slope's prior implies for a typical step of its predictor."""
    step, size = typical_step(column)
    low, high = (bound * size for bound in prior.interval())
    family = design.family
    if family.link.name == "identity":
        what = location(design).removeprefix("mean ")
        return f"{step} moves {what} by {low:.4g} to {high:.4g} (95 %)"
    if family.link.name in ("probit", "cloglog", "inverse", "sqrt"):
        moved = family.link.name if family.proportion or family.ordered else "linear predictor"
        return f"{step} moves the {moved} by {low:.3g} to {high:.3g} (95 %)"
    what = expected(design) if family.link.name == "log" else "odds"
    if family.ordered:
        what = "odds of a higher category"
    return f"{step} multiplies the {what} by {np.exp(low):.2g} to {np.exp(high):.2g} (95 %)"


def typical_step(column: Any) -> tuple[str, float]:
    """Return a step of a predictor in words, and its length."""
    if set(np.unique(column)) <= {0.0, 1.0}:
        return "0 to 1", 1.0
    size = spread(column)
    return f"one SD ({size:.3g})", size


def predictor_rows(part: ParameterDesign, own: FixedPriors) -> list[Row]:
    """Return name, prior and sentence of each coefficient of a further parameter's formula."""
    cells = cell_means(part)
    rows: list[Row] = []
    for name, column in zip(part.coef, part.X.T, strict=True):
        prior = own.coefficients[name]
        if name == names.INTERCEPT or name in cells:
            where = "in this category" if name in cells else AT_ZERO
            if name == names.INTERCEPT and own.intercept_at_means:
                where = "at mean predictors"
            where += " and the mean offset" if part.offset.any() else ""
            bounds = np.array(prior.interval()) + part.offset.mean()
            low, high = part.link.inverse(bounds)
            what = part.target
            if part.parameter.support == REAL:
                what = part.parameter.meaning.removeprefix("log ")
                low, high = np.exp(low), np.exp(high)
            sentence = f"{what} {where}: {low:.3g} to {high:.3g} (95 %)"
        else:
            sentence = parameter_slope_sentence(part, column, prior)
        rows.append((names.parameter_coef(part.target, name), prior, sentence))
    return rows


def parameter_slope_sentence(part: ParameterDesign, column: Any, prior: Prior) -> str:
    """Return what a slope of a further parameter's formula implies for a typical step."""
    step, size = typical_step(column)
    low, high = (bound * size for bound in prior.interval())
    if part.parameter.support == REAL:
        odds = part.parameter.meaning.removeprefix("log ")
        return f"{step} multiplies the {odds} by {np.exp(low):.2g} to {np.exp(high):.2g} (95 %)"
    if part.link.name in ("log", "logit"):
        what = part.target if part.link.name == "log" else f"odds of {part.target}"
        return f"{step} multiplies {what} by {np.exp(low):.2g} to {np.exp(high):.2g} (95 %)"
    return f"{step} moves {part.sentence} by {low:.3g} to {high:.3g} (95 %)"


def sd_sentence(design: Design, block: RandomBlock, effect: str, prior: Prior) -> str:
    """Return what the prior of a random effect's SD implies."""
    what = "intercepts" if effect == names.INTERCEPT else "slopes"
    part = next((part for part in design.further if part.target == block.parameter), None)
    of = "" if part is None else f" of {part.sentence}"
    return f"SD of {what}{of} by {block.grouping.name}: {upper_half(prior)}"


def further_sentence(parameter: Parameter, prior: Prior, priors: Priors) -> str:
    """Return what the prior of a further parameter implies."""
    if parameter.support == POSITIVE:
        return f"{parameter.meaning}: {upper_half(prior)}"
    low, high = prior.interval()
    where = ""
    if parameter.support == ORDERED:
        where = ", increasing, " + ("at mean predictors" if priors.intercept_at_means else AT_ZERO)
    return f"{parameter.meaning}{where}: {low:.3g} to {high:.3g} (95 %)"


def latent_sentences(mean: LatentMean, priors: Priors) -> list[tuple[str, str]]:
    """Return the parameters of a predictor's submodel, and what their priors imply."""
    mu, tau, sigma = names.latent_parameters(mean.x)
    low, high = priors.latent[mu].interval()
    between, within = (upper_half(priors.latent[key]) for key in (tau, sigma))
    return [
        (mu, f"mean of the latent means of {mean.x}: {low:.4g} to {high:.4g} (95 %)"),
        (tau, f"SD of the latent means of {mean.x} by {mean.group}: {between}"),
        (sigma, f"SD of {mean.x} within {mean.group}: {within}"),
    ]


def upper_half(prior: Prior) -> str:
    """Return the median and the 95 % quantile in words."""
    return f"half below {prior.quantile(0.5):.3g}, 95 % below {prior.quantile(0.95):.3g}"


def correlation_sentence(block: RandomBlock, lkj: LKJ) -> str:
    """Return what the LKJ prior implies for one correlation."""
    largest = max(len(members) for members in block.blocks)
    r = lkj.interval(largest)
    return f"each correlation by {block.name}: {-r:.2f} to {r:.2f} (95 %)"
