"""Population-averaged coefficients: what the fixed effects are once random effects are averaged.

With m_i the mean of g⁻¹(eta_i) over the random effects, the coefficients b solve

    g(m) = offset + X b

by least squares over the rows, draw by draw. Where only intercepts vary, probit:
b = beta / sqrt(1 + s²); log: the intercept grows by s² / 2. Of ordered categories P(y <= k) takes
the place of g⁻¹, and thresholds are found beside the coefficients. With zero inflation, a
hurdle or a lognormal response the location stands for the mean.

References
----------
Hedeker, du Toit, Demirtas & Gibbons (2018), doi:10.1111/biom.12707;
Zeger, Liang & Albert (1988), doi:10.2307/2531734.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.in_order import in_order
from bayesmlm.predict.interval import COLUMNS, Interval
from bayesmlm.predict.marginal import check_exists, integrate
from bayesmlm.predict.outcome import LINEAR, Mean
from bayesmlm.predict.predictions import Predictions, predict
from bayesmlm.predict.predictor import pieces
from bayesmlm.predict.spread import spreads
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Location(Mean):
    """The location, of ordered categories the probabilities P(y <= k)."""

    def mean(self, etas: Mapping[str, Array]) -> Array:
        """Return g⁻¹(eta), or g⁻¹(threshold_k - eta)."""
        eta = etas[names.MU]
        with np.errstate(over="ignore"):
            if not self.family.ordered:
                return self.family.link.inverse(eta)
            cuts = self.others[names.THRESHOLDS].T
            return self.family.link.inverse(cuts[None] - eta[:, None])


def population_coefficients(result: FitResult) -> Array:
    """Return draws of the population-averaged thresholds and coefficients, shape (K + p, S).

    Raises
    ------
    StatisticError
        Of a model without random effects or coefficients, or where a mean does not exist.
    """
    design = result.design
    if design.family.unordered:
        raise StatisticError(
            message(
                "population-averaged coefficients of categories without an order, whose averaged "
                "probabilities no coefficients have",
                "responses with one location",
                'average predictions: avg_predictions(groups="marginal")',
            )
        )
    if not design.random or not design.coef:
        raise StatisticError(
            message(
                "population-averaged coefficients of a model without random effects"
                if design.coef
                else "population-averaged coefficients of a model without coefficients",
                "models with random and fixed effects",
                "read fit.fixef()" if design.coef else "average predictions: avg_predictions()",
            )
        )
    zero = predict(result, groups="average", kind=LINEAR)
    location = Location(design.family, zero.parameters.others)
    K = len(design.outcome.threshold_labels) if design.family.ordered else 0
    p = len(design.coef)
    products = np.zeros((K + p, K + p))
    totals = np.zeros((K + p, zero.parameters.size))
    _ = zero.predictor  # made before the threads ask for it
    work = partial(linearised, zero, location)
    for rows, linear in in_order(work, pieces(zero.target, design.random, zero.width * max(K, 1))):
        X, offset = design.X[rows], design.offset[rows, None]
        if not K:
            products += X.T @ X
            totals += X.T @ (linear - offset)
            continue
        for k in range(K):
            columns = np.column_stack([np.zeros((len(rows), K)), -X])
            columns[:, k] = 1
            products += columns.T @ columns
            totals += columns.T @ (linear[:, k] + offset)
    return np.asarray(np.linalg.solve(products, totals))


def linearised(zero: Predictions, location: Location, rows: Integers) -> tuple[Integers, Array]:
    """Return rows, and the link of their location averaged over all random effects."""
    blocks = zero.result.design.random
    Z = {block.name: block.Z[rows] for block in blocks}
    parts = spreads(blocks, Z, zero.parameters)
    check_exists(location, parts)
    mean = integrate(location, {names.MU: zero.of(rows, zero.target)}, parts)
    return rows, location.family.link.link(mean)


def population_averaged(result: FitResult, probability: float = 0.95) -> pd.DataFrame:
    """Return mean, SD and interval of the population-averaged coefficients.

    Returns
    -------
    DataFrame
        A row a threshold and coefficient; ``conditional`` is the posterior mean, or the
        estimate, given random effects.
    """
    import pandas as pd

    draws = population_coefficients(result)
    design, given = result.design, predict(result, groups="average").parameters
    conditional = given.beta.mean(axis=0)
    labels = list(design.coef)
    if design.family.ordered:
        conditional = np.append(given.others[names.THRESHOLDS].mean(axis=0), conditional)
        labels = [*design.outcome.threshold_labels, *labels]
    columns = dict(zip(COLUMNS, Interval(probability).of(draws).T, strict=True))
    index = pd.Index(labels, name="coefficient")
    return pd.DataFrame({**columns, "conditional": conditional}, index=index)
