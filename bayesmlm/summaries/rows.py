"""What several statistics need of the rows: weights, fixed part, linear predictor by draw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.crossproducts import by_group
from bayesmlm.design import Design, ParameterDesign, RandomBlock
from bayesmlm.design.further import refuse_by_row
from bayesmlm.effects import effect_blocks
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import flatten

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

OFFSET = "offset"
"""Name of the offset among the columns of the fixed part."""

SMALLEST = 1e-10
"""Eigenvalue, of columns of length one, from which a direction is identified."""

CHUNK = 2**22
"""Numbers held at once (32 MB)."""


def n_draws(result: FitResult) -> int:
    """Return the number of draws, S; 1 of a maximum."""
    sizes = result.posterior.sizes
    return int(sizes["chain"] * sizes["draw"])


def row_weights(design: Design) -> Array:
    """Return 1 / (variance of a row / sigma²), with weights of the likelihood; shape (N,)."""
    rows = design.outcome.rows
    ones = np.ones(len(design.y))
    precision = 1 / rows["se"] ** 2 if "se" in rows else rows.get("precision", ones)
    return np.asarray(precision * rows.get("weights", ones))


def response_values(design: Design) -> Array:
    """Return the response on the scale of the linear predictor where it has a scale, else y."""
    return design.family.on_link_scale(design.y) if design.family.has_scale else design.y


def scale_variance(result: FitResult, statistic: str) -> Array:
    """Return draws of sigma², of ones where the sampling SDs are known; shape (S,).

    Of a lognormal response it is the variance of log y.

    Raises
    ------
    StatisticError
        For a response that is not gaussian, or its logarithm; `statistic` is what was asked
        for.
    """
    design = result.design
    if not design.family.residual_variance:
        raise StatisticError(
            message(
                f"{statistic} with the {design.family.name} family, whose rows have no normal "
                "residual of one variance",
                "gaussian responses, and lognormal ones on the scale of their logarithm",
                "read fit.standard_errors() and fit.pooling_factors(), which every family has",
            )
        )
    refuse_by_row(design, statistic)
    if not design.estimates_scale:
        return np.ones(n_draws(result))
    return flatten(result.posterior[names.SIGMA])[0][:, 0] ** 2


def check_observed(design: Design, what: str) -> None:
    """Refuse what is computed from columns of the fixed part, where these are latent.

    Raises
    ------
    StatisticError
    """
    if design.latent.reason:
        raise StatisticError(
            message(
                f"{what}: {design.latent.reason}",
                "models of observed predictors",
                "read fit.summary(), fit.variance_components() and fit.within_between(), or "
                "write between(x, g) for latent(x, g)",
            )
        )


def group_products(block: RandomBlock, weights: Array) -> Array:
    """Return Z_j' W Z_j of every group, shape (J, q, q)."""
    grouping = block.grouping
    return by_group(block.Z * weights[:, None], block.Z, grouping.codes, grouping.size)


def free_of_units(products: Array) -> tuple[Array, Array]:
    """Return matrices Z_j' W Z_j with a diagonal of ones, and the roots of the old one."""
    diagonal = np.einsum("jqq->jq", products)
    root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    return products / (root[:, :, None] * root[:, None, :]), root


def ranks_of_products(products: Array) -> Integers:
    """Return the rank of each of the matrices Z_j' W Z_j, shape (J,)."""
    return np.asarray((np.linalg.eigvalsh(free_of_units(products)[0]) > SMALLEST).sum(axis=1))


def full_rank(products: Array) -> NDArray[np.bool_]:
    """Return which of the matrices Z_j' W Z_j have full rank, shape (J,)."""
    return ranks_of_products(products) == products.shape[1]


def generalised_inverse(products: Array) -> Array:
    """Return a generalised inverse of each matrix, the inverse where it has one."""
    scaled, root = free_of_units(products)
    inverse = np.linalg.pinv(scaled, rcond=SMALLEST, hermitian=True)
    return np.asarray(inverse / (root[:, :, None] * root[:, None, :]))


def fixed_columns(result: FitResult) -> tuple[Array, Array, tuple[str, ...]]:
    """Return the columns of the fixed part, their coefficients and names.

    An offset is a last column with coefficient one; shapes (N, p), (S, p).

    Raises
    ------
    StatisticError
        Where some are latent.
    """
    design = result.design
    check_observed(design, "a statistic of the fixed part's rows")
    S, N = n_draws(result), len(design.y)
    beta = flatten(result.posterior[names.BETA])[0] if design.coef else np.empty((S, 0))
    if not design.offset.any():
        return design.X, beta, design.coef
    X = np.column_stack([design.X, design.offset.reshape(N, 1)])
    return X, np.column_stack([beta, np.ones(S)]), (*design.coef, OFFSET)


def predictor_blocks(result: FitResult) -> Iterator[tuple[Integers, Array]]:
    """Return the linear predictor of the location of all rows, some rows at a time.

    Yields
    ------
    rows, eta
        Positions of the rows, and draws of shape (rows, S).
    """
    for rows, etas in parameter_blocks(result, (result.design,)):
        yield rows, etas[names.MU]


def parameter_blocks(
    result: FitResult, parts: tuple[Design | ParameterDesign, ...]
) -> Iterator[tuple[Integers, dict[str, Array]]]:
    """Return the linear predictors of some parameters of all rows, some rows at a time.

    Parameters
    ----------
    result
        The fit.
    parts
        The parameters, of ``result.design.parts``.

    Yields
    ------
    rows, etas
        Positions of the rows, and draws of shape (rows, S) by parameter.
    """
    check_observed(result.design, "the linear predictor of the rows")
    betas, S = {part.target: coefficient_draws(result, part) for part in parts}, n_draws(result)

    def fixed(rows: Integers) -> dict[str, Array]:
        return {
            part.target: part.X[rows] @ betas[part.target].T + part.offset[rows, None]
            for part in parts
        }

    blocks = [block for part in parts for block in part.random]
    if not blocks:
        for rows in pieces(np.arange(len(result.design.y)), S * len(parts)):
            yield rows, fixed(rows)
        return
    lead, *others = sorted(blocks, key=lambda block: -block.grouping.size)
    held = {
        block.name: np.concatenate([draws for _, draws in effect_blocks(result, block.name)])
        for block in others
    }
    order = np.argsort(lead.grouping.codes, kind="stable")
    ends = np.concatenate([[0], np.cumsum(lead.grouping.counts)])
    widest = max(len(parts), *(len(block.effects) for block in blocks))
    for groups, draws in effect_blocks(result, lead.name):
        first, last = int(groups[0]), int(groups[-1])
        for rows in pieces(order[ends[first] : ends[last + 1]], S * widest):
            etas = fixed(rows)
            etas[lead.parameter] += deviations(lead, rows, draws, first)
            for block in others:
                etas[block.parameter] += deviations(block, rows, held[block.name], 0)
            yield rows, etas


def coefficient_draws(result: FitResult, part: Design | ParameterDesign) -> Array:
    """Return draws of the fixed coefficients of one linear predictor, shape (S, p)."""
    if not part.coef:
        return np.empty((n_draws(result), 0))
    return flatten(result.posterior[names.of_parameter(names.BETA, part.target)])[0]


def pieces(rows: Integers, width: int) -> Iterator[Integers]:
    """Return rows in runs that take at most `CHUNK` numbers of `width` each."""
    step = max(1, CHUNK // width)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def deviations(block: RandomBlock, rows: Integers, draws: Array, first: int) -> Array:
    """Return z' u of some rows, shape (rows, S); `draws` are of the groups from `first` on."""
    own = draws[block.grouping.codes[rows] - first]
    return np.einsum("nq,nqs->ns", block.Z[rows], own)
