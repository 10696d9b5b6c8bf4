"""Student-t and Cauchy priors of fixed effects where Normal ones integrate out.

Normal priors of the same centre stand in, under which the fixed effects integrate out and are
drawn exactly; the draws are then weighted by true prior over stand-in, Pareto smoothed, and
resampled. The Pareto shape tells where the priors matter too much for that.

References
----------
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25, 72.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import GaussianMarginal
from bayesmlm.engines.effects import Drawn
from bayesmlm.engines.weights import WeightedSample, smooth
from bayesmlm.priors import Prior, Priors

Array = NDArray[np.float64]

SPARE = 4
"""Draws made under the stand-ins for each one kept."""


RULED = 0.5
"""SD of draws, in SDs of the stand-in, from which the data leave the tails to the prior."""


def replaced(
    marginal: GaussianMarginal, priors: Priors, beta: Array
) -> Iterator[tuple[Prior, Prior, Array]]:
    """Return true prior, stand-in and draws of what they are priors of, where they differ.

    Parameters
    ----------
    marginal
        Under the stand-ins.
    priors
        The true ones.
    beta
        In the user's coordinates, shape (S, p).
    """
    design = marginal.design
    for k, name in enumerate(design.coef):
        true, used = priors.coefficients[name], marginal.priors.coefficients[name]
        if true is not used:
            at_means = name == names.INTERCEPT and priors.intercept_at_means
            yield true, used, beta @ design.X.mean(axis=0) if at_means else beta[:, k]


def reweighted(marginal: GaussianMarginal, priors: Priors, drawn: Drawn) -> WeightedSample:
    """Weight draws made under the stand-ins.

    Parameters
    ----------
    marginal
        Under the stand-ins.
    priors
        The true ones.
    drawn
        Draws under the stand-ins.

    Returns
    -------
    WeightedSample
        Its points are the positions of the draws, shape (S, 1). The Pareto shape is infinite
        where the tails of a true prior lie beyond the draws.
    """
    total, ruled = np.zeros(len(drawn.psi)), False
    for true, used, values in replaced(marginal, priors, drawn.coefficients):
        total += true.log_density(values) - used.log_density(values)
        ruled = ruled or bool(values.std() > RULED * used.parameters()["sigma"])
    weights, khat = smooth(total)
    positions = np.arange(float(len(weights)))[:, None]
    return WeightedSample(positions, weights, np.inf if ruled else khat, 0)
