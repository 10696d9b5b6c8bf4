"""Intraclass correlation: how alike two rows of one group are.

With v_g the variance of grouping g (averaged over the rows, or at stated values of the
predictors), and v_1 that of level 1, two rows that share exactly the groups in a set S
correlate by (sum over S of v_g) / (sum of all v_g + v_1). Two rows that share an inner group
share the groups it is nested in. The share of a grouping alone is v_g over the same total.

Of a response that is not gaussian there are three definitions. *Latent*: on the scale of the
linear predictor, with the level-1 variance of `level1_latent`. *Exact*: on the scale of the
response; with mu = g⁻¹(eta + a + b), a ~ N(0, v_S) shared and b ~ N(0, v_U) not,

    Var(E[mu | a]) / (Var(mu) + E[v(mu)]),

v(mu) the variance of one response (of a binomial, one trial), by numerical integration, of a
log link in closed form. *Simulated*: the same with normal random numbers in place of the
nodes. All three lie in [0, 1]. The last two depend on the fixed part eta.

References
----------
Raudenbush & Bryk (2002), Hierarchical Linear Models, 2nd ed., equations 2.10 and 8.5;
Goldstein, Browne & Rasbash (2002), doi:10.1207/S15328031US0104_02;
Nakagawa, Johnson & Schielzeth (2017), doi:10.1098/rsif.2017.0213.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message
from bayesmlm.result import FitResult
from bayesmlm.summaries.draws import PROBABILITY, describe
from bayesmlm.summaries.grid import At, grid
from bayesmlm.summaries.latent import level1_latent, linear_predictor_mean
from bayesmlm.summaries.response_scale import Nodes, normal_nodes, random_nodes, response_icc
from bayesmlm.summaries.variance_components import RESIDUAL, covariance_draws, group_variances

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

KINDS = ("correlation", "share")
SCALES = ("latent", "exact", "simulated")


def intraclass_correlation(shared: list[Array], all_groups: list[Array], level1: Array) -> Array:
    """Return sum(shared) / (sum(all_groups) + level1), elementwise.

    Parameters
    ----------
    shared, all_groups
        Variances of the groupings that two rows share, and of all; each of shape (S,).
    level1
        Level-1 variance, shape (S,).
    """
    return sum(shared, np.zeros_like(level1)) / sum(all_groups, level1)


def icc(
    result: FitResult,
    probability: float = PROBABILITY,
    *,
    kind: str = "correlation",
    scale: str = "latent",
    at: At | None = None,
    eta: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the intraclass correlation of each grouping, with its posterior.

    Parameters
    ----------
    result
        The fit.
    probability
        Of the intervals.
    kind
        ``"correlation"`` of two rows of one group, or ``"share"``: each level's own part of
        the variance; of an outermost grouping the two are one.
    scale
        ``"latent"``, ``"exact"`` or ``"simulated"``; with an identity link all are one.
    at
        Values of the predictors whose slopes vary; every combination is one row. The level-1
        variance of the latent definition is that of all rows.
    eta
        Fixed part of the linear predictor at which the exact and the simulated definition
        are taken; None is its mean over the rows, draw by draw.
    seed
        Of the simulated definition.

    Returns
    -------
    DataFrame
        One row a grouping (and point): ``mean``, ``sd``, ``lower``, ``upper``, and
        ``shared``, the groupings that two rows of one group have in common.

    Raises
    ------
    StatisticError
        Without random effects, or where the definition asked for does not exist.
    """
    check_choice("kind", kind, KINDS)
    check_choice("scale", scale, SCALES)
    design = result.design
    if not design.random:
        raise StatisticError(
            message(
                "the intraclass correlation of a model without groups",
                "a model with random effects",
                "add a term such as (1 | group)",
            )
        )
    keys, points, variances = variances_at(result, at)
    if scale == "latent" or design.family.link.name == "identity":
        draws = latent_draws(result, variances, kind)
    else:
        check_response_scale(result, kind, at)
        nodes = normal_nodes() if scale == "exact" else random_nodes(seed)
        center = linear_predictor_mean(result) if eta is None else np.full(1, float(eta))
        draws = {
            name: [on_response(result, v, shared, center, nodes) for v in variances]
            for name, shared in sharing(result, kind).items()
        }
    return rows(draws, sharing(result, kind), keys, points, probability)


def latent_draws(
    result: FitResult, variances: list[dict[str, Array]], kind: str
) -> dict[str, list[Array]]:
    """Return draws by grouping and point, on the scale of the linear predictor."""
    level1 = level1_latent(result)
    draws = {
        name: [
            intraclass_correlation([v[g] for g in shared], list(v.values()), level1)
            for v in variances
        ]
        for name, shared in sharing(result, kind).items()
    }
    if kind == "share":
        draws[RESIDUAL] = [level1 / sum(v.values(), level1) for v in variances]
    return draws


def variances_at(
    result: FitResult, at: At | None
) -> tuple[tuple[str, ...], Array, list[dict[str, Array]]]:
    """Return predictors, points, and at each the draws of every grouping's variance."""
    if at is None:
        return (), np.empty((1, 0)), [group_variances(result)]
    keys, points, Z = grid(result.design, at)
    T = {block.name: covariance_draws(result, block) for block in result.design.random}
    found = [
        {name: np.einsum("a,sab,b->s", Z[name][m], T[name], Z[name][m]) for name in T}
        for m in range(len(points))
    ]
    return keys, points, found


def sharing(result: FitResult, kind: str) -> dict[str, list[str]]:
    """Return, per grouping, the groupings whose variance is counted."""
    levels = {level.grouping.name: level.nested_in for level in result.design.levels.levels}
    blocks = [block.name for block in result.design.random]
    return {name: [name, *(levels[name] if kind == "correlation" else ())] for name in blocks}


def on_response(
    result: FitResult, variances: dict[str, Array], shared: list[str], center: Array, nodes: Nodes
) -> Array:
    """Return draws of the correlation on the scale of the response, shape (S,)."""
    total = sum(variances.values(), np.zeros(1))
    common = sum((variances[name] for name in shared), np.zeros(1))
    return response_icc(
        result.design.family, np.broadcast_to(center, total.shape), common, total - common, nodes
    )


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not one of those allowed."""
    if value not in allowed:
        raise StatisticError(
            message(f"{name}={value!r}", ", ".join(map(repr, allowed)), "choose one of these")
        )


def check_response_scale(result: FitResult, kind: str, at: At | None) -> None:
    """Refuse what the scale of the response does not define."""
    if kind == "share":
        raise StatisticError(
            message(
                "shares of the variance on the scale of the response, where levels do not add up",
                'kind="correlation", or scale="latent"',
                "choose one of the two",
            )
        )
    if at is None and any(block.effects != ("Intercept",) for block in result.design.random):
        raise StatisticError(
            message(
                "a correlation on the scale of the response with slopes that vary",
                "stated values of their predictors",
                'pass at={"x": [0]}, or scale="latent", which averages over the rows',
            )
        )


def rows(
    draws: dict[str, list[Array]],
    shared: dict[str, list[str]],
    keys: tuple[str, ...],
    points: Array,
    probability: float,
) -> pd.DataFrame:
    """Return one row a grouping and point."""
    import pandas as pd

    records = []
    for name, parts in draws.items():
        for point, values in zip(points, parts, strict=True):
            bounds = describe(values[:, None], probability)
            record: dict[str, object] = {"group": name}
            record |= dict(zip(keys, map(float, point), strict=True))
            record |= {key: float(value[0]) for key, value in bounds.items()}
            records.append(record | {"shared": ", ".join(shared.get(name, ()))})
    return pd.DataFrame(records).set_index(["group", *keys])
