"""What each prior implies on the response scale, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm import names
from bayesmlm.design import Design, RandomBlock
from bayesmlm.priors.defaults import Priors, cell_means, spread
from bayesmlm.priors.lkj import LKJ
from bayesmlm.priors.prior import Prior

if TYPE_CHECKING:
    import pandas as pd


AT_ZERO = "where all predictors are 0"


def describe_priors(design: Design, priors: Priors) -> pd.DataFrame:
    """Return one row a parameter.

    Returns
    -------
    DataFrame
        Index ``parameter`` (the name to replace it by); columns ``prior``, ``source``
        (``"default"`` or ``"yours"``) and ``implies``.
    """
    import pandas as pd

    rows: list[tuple[str, Any, str]] = []
    for name, column in zip(design.coef, design.X.T, strict=True):
        prior = priors.coefficients[name]
        if name == names.INTERCEPT:
            where = "at mean predictors" if priors.intercept_at_means else AT_ZERO
            sentence = intercept_sentence(design, prior, where)
        elif name in cell_means(design):
            sentence = intercept_sentence(design, prior, "in this category")
        else:
            sentence = slope_sentence(design, column, prior)
        rows.append((name, prior, sentence))
    for block in design.random:
        for effect in block.effects:
            key = f"{names.sd(block.name)}[{effect}]"
            sd = priors.sds[block.name][effect]
            rows.append((key, sd, sd_sentence(block, effect, sd)))
        if block.pairs:
            lkj = priors.correlations[block.name]
            rows.append((names.corr(block.name), lkj, correlation_sentence(block, lkj)))
    if priors.sigma is not None:
        sentence = f"residual SD: {upper_half(priors.sigma)}"
        rows.append((names.SIGMA, priors.sigma, sentence))
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


def intercept_sentence(design: Design, prior: Prior, where: str) -> str:
    """Return what the intercept's prior implies for an average row."""
    low, high = (float(bound + design.offset.mean()) for bound in prior.interval())
    where += " and the mean offset" if design.offset.any() else ""
    if design.family.link.name == "identity":
        return f"mean {design.spec.response.column} {where}: {low:.4g} to {high:.4g} (95 %)"
    low, high = design.family.link.inverse(np.array([low, high]))
    what = "expected count" if design.family.link.name == "log" else "probability of success"
    return f"{what} {where}: {low:.3g} to {high:.3g} (95 %)"


def slope_sentence(design: Design, column: Any, prior: Prior) -> str:
    """Return what a slope's prior implies for a typical step of its predictor."""
    low, high = prior.interval()
    if set(np.unique(column)) <= {0.0, 1.0}:
        step, size = "0 to 1", 1.0
    else:
        size = spread(column)
        step = f"one SD ({size:.3g})"
    low, high = low * size, high * size
    if design.family.link.name == "identity":
        return f"{step} moves {design.spec.response.column} by {low:.4g} to {high:.4g} (95 %)"
    if design.family.link.name == "probit":
        return f"{step} moves the probit by {low:.3g} to {high:.3g} (95 %)"
    what = "expected count" if design.family.link.name == "log" else "odds"
    return f"{step} multiplies the {what} by {np.exp(low):.2g} to {np.exp(high):.2g} (95 %)"


def sd_sentence(block: RandomBlock, effect: str, prior: Prior) -> str:
    """Return what the prior of a random effect's SD implies."""
    what = "intercepts" if effect == names.INTERCEPT else "slopes"
    return f"SD of {what} by {block.name}: {upper_half(prior)}"


def upper_half(prior: Prior) -> str:
    """Return the median and the 95 % quantile in words."""
    return f"half below {prior.quantile(0.5):.3g}, 95 % below {prior.quantile(0.95):.3g}"


def correlation_sentence(block: RandomBlock, lkj: LKJ) -> str:
    """Return what the LKJ prior implies for one correlation."""
    largest = max(len(members) for members in block.blocks)
    r = lkj.interval(largest)
    return f"each correlation by {block.name}: {-r:.2f} to {r:.2f} (95 %)"
