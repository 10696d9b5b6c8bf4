"""Standard errors of the groups' effects: comparative and diagnostic.

Given beta, T and sigma², the effects of group j have the mean û_j and the covariance

    C_j = (T⁻¹ + Z_j' W Z_j / sigma²)⁻¹,   and û_j varies over samples by T - C_j.

The root of the first is the *comparative* standard error, for intervals about u_j and
comparisons of groups (lme4's ``condVar``); that of the second the *diagnostic* one, for
standardised effects in checks of the model. With several groupings C is the covariance given
the data of all effects together. The *posterior* standard error also has what is not known
of beta, T and sigma².

References
----------
Goldstein (2011), Multilevel Statistical Models, 4th ed., doi:10.1002/9780470973394;
Snijders & Bosker (2012), Multilevel Analysis, 2nd ed., section 4.8;
Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import RandomBlock
from bayesmlm.effects import effect_blocks
from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.joint import joint
from bayesmlm.summaries.rows import (
    CHUNK,
    check_observed,
    group_products,
    n_draws,
    row_weights,
    scale_variance,
)
from bayesmlm.summaries.variance_components import covariance_draws

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

DRAWS = 100
"""Draws that the covariance of several groupings is computed at."""


def conditional_covariance(T: Array, products: Array, sigma2: Array) -> Array:
    """Return (T⁻¹ + Z_j' W Z_j / sigma²)⁻¹ for draws and groups; T may be singular.

    Parameters
    ----------
    T
        Shape (S, q, q).
    products
        Z_j' W Z_j, shape (J, q, q).
    sigma2
        Shape (S,).

    Returns
    -------
    array, shape (J, S, q, q)
    """
    scaled = products[:, None] / sigma2[:, None, None]
    inner = np.eye(T.shape[1]) + scaled @ T
    return np.asarray(T @ np.linalg.inv(inner))


def comparative_blocks(result: FitResult, block: RandomBlock) -> Iterator[Array]:
    """Return draws of C_qq of one grouping in blocks of groups, shape (groups, q, S)."""
    sigma2 = scale_variance(result, "comparative standard errors given the fixed effects")
    T = covariance_draws(result, block)
    products = group_products(block, row_weights(result.design))
    step = max(1, CHUNK // T.size)
    for start in range(0, len(products), step):
        C = conditional_covariance(T, products[start : start + step], sigma2)
        yield np.einsum("jsqq->jqs", C)


def chosen_draws(S: int) -> NDArray[np.int64]:
    """Return the draws at which several groupings are taken together, evenly spaced."""
    return np.unique(np.linspace(0, S - 1, DRAWS).round().astype(np.int64))


def comparative_together(result: FitResult, block: RandomBlock, chosen: NDArray[np.int64]) -> Array:
    """Return C_qq of one of several groupings at chosen draws, shape (J, q, draws)."""
    sigma2 = scale_variance(result, "comparative standard errors given the fixed effects")
    together = joint(result.design, row_weights(result.design))
    covariances = {b.name: covariance_draws(result, b)[chosen] for b in result.design.random}
    found = [
        together.variances(block, {name: root(T[s]) for name, T in covariances.items()}, variance)
        for s, variance in enumerate(sigma2[chosen])
    ]
    return np.stack(found, axis=-1)


def root(T: Array) -> Array:
    """Return F with T = F F', also of a singular T; shape (…, q, q)."""
    values, vectors = np.linalg.eigh(T)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :])


def standard_errors(result: FitResult, group: str, kind: str = "all") -> pd.DataFrame:
    """Return the standard errors of every group's effects.

    Parameters
    ----------
    result
        The fit.
    group
        The grouping.
    kind
        ``"given beta"`` gives ``comparative`` and ``diagnostic``, root mean squares over the
        draws of T and sigma² (with several groupings over `DRAWS` of them, evenly spaced);
        ``"posterior"`` gives ``posterior``, the SD
        of the draws of u_j; ``"all"`` what of these is defined for the fit.

    Returns
    -------
    DataFrame
        One row a group and effect.

    Raises
    ------
    StatisticError
        For ``"given beta"`` of a response or of effects that are not normal, or of a model with
        latent group means, whose effects have no normal conditional distribution; for
        ``"posterior"`` of a maximum, which has no draws.
    """
    import pandas as pd

    block = result.design.block(group)
    design, drawn = result.design, n_draws(result) > 1
    normal = all(block.is_normal for block in design.random)
    gaussian = design.family.residual_variance and normal and not design.latent.means
    check_kind(kind, result, gaussian, drawn)
    columns: dict[str, Array] = {}
    if kind in ("all", "given beta") and gaussian:
        comparative, tau = mean_comparative(result, block)
        columns["comparative"] = np.sqrt(comparative).ravel()
        columns["diagnostic"] = np.sqrt(np.maximum(tau - comparative, 0.0)).ravel()
    if kind in ("all", "posterior") and drawn:
        blocks = (draws for _, draws in effect_blocks(result, block.name))
        columns["posterior"] = np.concatenate([d.std(axis=-1, ddof=1) for d in blocks]).ravel()
    index = pd.MultiIndex.from_product(
        [list(block.grouping.labels), list(block.effects)], names=[block.name, "effect"]
    )
    return pd.DataFrame(columns, index=index)


def mean_comparative(result: FitResult, block: RandomBlock) -> tuple[Array, Array]:
    """Return the posterior means of C_qq and T_qq over the same draws, shapes (J, q) and (q,)."""
    tau = np.einsum("sqq->sq", covariance_draws(result, block))
    if len(result.design.random) > 1:
        chosen = chosen_draws(len(tau))
        return comparative_together(result, block, chosen).mean(axis=-1), tau[chosen].mean(axis=0)
    parts = [C.mean(axis=-1) for C in comparative_blocks(result, block)]
    return np.concatenate(parts), tau.mean(axis=0)


def check_kind(kind: str, result: FitResult, gaussian: bool, drawn: bool) -> None:
    """Refuse an unknown kind, or one that the fit does not define."""
    if kind not in ("all", "given beta", "posterior"):
        raise StatisticError(
            message(f"kind={kind!r}", "'all', 'given beta', 'posterior'", "choose one of these")
        )
    if kind == "given beta":
        scale_variance(result, "standard errors given beta")
        check_observed(result.design, "standard errors given beta")
        other = next((b for b in result.design.random if not b.is_normal), None)
        if other is not None:
            raise StatisticError(
                message(
                    f"standard errors given beta of effects by {other.name} that are not normal "
                    f"({other.distribution})",
                    "normal effects",
                    'read those of the posterior: fit.standard_errors(kind="posterior")',
                )
            )
    if not drawn and (kind == "posterior" or not gaussian):
        raise StatisticError(
            message(
                f"posterior standard errors of a fit by {result.engine.name!r}, which has no draws",
                "fits by 'nuts' or 'laplace'",
                'read those given beta: fit.standard_errors(kind="given beta")'
                if gaussian
                else 'fit with "nuts"',
            )
        )
