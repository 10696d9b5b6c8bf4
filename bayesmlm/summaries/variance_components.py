"""Variance components: what part of the variance lies on which level.

With effects u_j ~ N(0, T) and effect columns z, a grouping contributes to a row the variance
z' T z; averaged over the rows it is trace(T M), M the mean of z z' (Snijders & Bosker 2012,
section 7.2; Johnson 2014, doi:10.1111/2041-210X.12225). For an intercept alone it is tau².
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import RandomBlock
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe, flatten

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

RESIDUAL = "residual"


def covariance(sds: Array, correlations: Array, pairs: tuple[tuple[int, int], ...]) -> Array:
    """Return covariance matrices from SDs and correlations.

    Parameters
    ----------
    sds
        Shape (S, q).
    correlations
        Shape (S, K), one column a pair.
    pairs
        The K pairs of effects; every other pair is independent.

    Returns
    -------
    array, shape (S, q, q)
    """
    T = np.zeros((*sds.shape, sds.shape[1]))
    q = np.arange(sds.shape[1])
    T[:, q, q] = sds**2
    for k, (i, j) in enumerate(pairs):
        T[:, i, j] = T[:, j, i] = correlations[:, k] * sds[:, i] * sds[:, j]
    return T


def average_variance(T: Array, Z: Array) -> Array:
    """Return the mean over rows of z' T z.

    Parameters
    ----------
    T
        Covariance matrices, shape (S, q, q).
    Z
        Effect columns, shape (N, q).

    Returns
    -------
    array, shape (S,)
    """
    return np.einsum("sab,ab->s", T, Z.T @ Z / len(Z))


def covariance_draws(result: FitResult, block: RandomBlock) -> Array:
    """Return the draws of a grouping's covariance matrix, shape (S, q, q)."""
    posterior = result.posterior
    sds, _ = flatten(posterior[names.sd(block.name)])
    if not block.pairs:
        return covariance(sds, np.empty((len(sds), 0)), ())
    correlations, _ = flatten(posterior[names.corr(block.name)])
    return covariance(sds, correlations, block.pairs)


def group_variances(result: FitResult) -> dict[str, Array]:
    """Return, per grouping, draws of its variance averaged over the rows, shape (S,)."""
    return {
        block.name: average_variance(covariance_draws(result, block), block.Z)
        for block in result.design.random
    }


def level1_variance(result: FitResult) -> Array:
    """Return draws of the level-1 variance on the scale of the linear predictor, shape (S,).

    Gaussian and lognormal: sigma², with known precisions averaged over the rows. Bernoulli,
    binomial and cumulative: the variance of the latent response, pi²/3 (logit), 1 (probit) or
    pi²/6 (cloglog).

    Raises
    ------
    StatisticError
        Where there is no such variance: known sampling SDs, counts.
    """
    design = result.design
    rows = design.outcome.rows
    if design.estimates_scale and design.family.residual_variance:
        sigma = flatten(result.posterior[names.SIGMA])[0][:, 0]
        return sigma**2 * float(np.mean(1 / rows["precision"])) if "precision" in rows else sigma**2
    latent = design.family.latent_variance()
    if latent is None:
        reason = (
            "the sampling SD differs by row and is known"
            if "se" in rows
            else "sigma has a formula, so that it differs by row"
            if any(part.target == names.SIGMA for part in design.further)
            else f"the {design.family.name} family has no level-1 variance on its link scale"
        )
        raise StatisticError(
            message(
                f"shares of the variance, but {reason}",
                "gaussian and lognormal responses with a residual, and bernoulli, binomial and "
                "cumulative responses",
                "read the SDs in variance_components()",
            )
        )
    size = result.posterior.sizes
    return np.full(size["chain"] * size["draw"], latent)


def variance_components(result: FitResult, probability: float = PROBABILITY) -> pd.DataFrame:
    """Return one row a random effect, and one of the residual.

    Returns
    -------
    DataFrame
        Index (group, effect). ``variance`` and ``sd`` are posterior means, ``lower`` and
        ``upper`` bound the SD; ``corr …`` columns are posterior mean correlations with the
        effects before; ``share`` is the posterior mean share of the total that a whole
        grouping has, on its first row (averaged over the rows of the data where slopes
        vary), missing where it is not defined.
    """
    import pandas as pd

    groups = group_variances(result)
    try:
        level1: Array | None = level1_variance(result)
    except StatisticError:
        level1 = None
    shares: dict[str, float] = {}
    if level1 is not None:
        total = level1 + sum(groups.values(), np.zeros_like(level1))
        shares = {name: float((values / total).mean()) for name, values in groups.items()}
        shares[RESIDUAL] = float((level1 / total).mean())
    records = [
        row
        for block in result.design.random
        for row in block_rows(result, block, probability, shares.get(block.name))
    ]
    if level1 is not None:
        records.append(residual_row(result, level1, probability, shares[RESIDUAL]))
    if not records:
        raise StatisticError(
            message(
                "variance components of a model without random effects or a residual SD",
                "models with one or the other",
                "read the SDs of the formulas: fit.summary()"
                if result.design.blocks
                else "read the fixed effects: fit.fixef()",
            )
        )
    frame = pd.DataFrame(records).set_index(["group", "effect"])
    ordered = ["variance", "sd", "lower", "upper"]
    correlations = [name for name in frame.columns if name.startswith("corr ")]
    return frame[[*ordered, *correlations, "share"]]


def block_rows(
    result: FitResult, block: RandomBlock, probability: float, share: float | None
) -> list[dict[str, object]]:
    """Return the rows of one grouping."""
    sds, _ = flatten(result.posterior[names.sd(block.name)])
    bounds = describe(sds, probability)
    means = {}
    if block.pairs:
        draws, _ = flatten(result.posterior[names.corr(block.name)])
        means = dict(zip(block.pairs, draws.mean(axis=0), strict=True))
    rows = []
    for k, effect in enumerate(block.effects):
        row: dict[str, object] = {
            "group": block.name,
            "effect": effect,
            "variance": float((sds[:, k] ** 2).mean()),
            "sd": float(bounds["mean"][k]),
            "lower": float(bounds["lower"][k]),
            "upper": float(bounds["upper"][k]),
            "share": share if k == 0 and share is not None else np.nan,
        }
        row |= {f"corr {block.effects[i]}": float(r) for (i, j), r in means.items() if j == k}
        rows.append(row)
    return rows


def residual_row(
    result: FitResult, level1: Array, probability: float, share: float
) -> dict[str, object]:
    """Return the row of the level-1 variance; without bounds where it is a constant."""
    bounds = describe(np.sqrt(level1)[:, None], probability)
    fixed = not result.design.estimates_scale
    label = "" if not fixed else f"latent ({result.design.family.link.name})"
    return {
        "group": RESIDUAL,
        "effect": label,
        "variance": float(level1.mean()),
        "sd": float(bounds["mean"][0]),
        "lower": np.nan if fixed else float(bounds["lower"][0]),
        "upper": np.nan if fixed else float(bounds["upper"][0]),
        "share": share,
    }
