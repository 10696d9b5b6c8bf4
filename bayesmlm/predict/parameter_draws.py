"""Draws of a model's parameters: from its priors, from a fit, or as given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, RandomBlock
from bayesmlm.design.further import refuse_by_row
from bayesmlm.errors import StatisticError, message, suggestion
from bayesmlm.families.parameter import ORDERED, POSITIVE
from bayesmlm.graph.fixed import column_means
from bayesmlm.priors import Prior, Priors, cholesky_factor
from bayesmlm.result import FitResult

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """S draws of everything a response depends on but the random effects.

    Parameters
    ----------
    beta
        Fixed coefficients as displayed, shape (S, p).
    sds, correlations
        By grouping, shapes (S, q) and (S, pairs).
    others
        The further parameters, shape (S,); thresholds, as displayed, (S, K).
    freedom
        Degrees of freedom of Student-t effects by grouping, shape (S,).
    """

    beta: Array
    sds: Mapping[str, Array]
    correlations: Mapping[str, Array]
    others: Mapping[str, Array]
    freedom: Mapping[str, Array]

    @property
    def size(self) -> int:
        """Number of draws, S."""
        return len(self.beta)

    def take(self, at: Any) -> Parameters:
        """Return some of the draws."""
        parts = (self.sds, self.correlations, self.others, self.freedom)
        taken = ({name: values[at] for name, values in part.items()} for part in parts)
        return Parameters(self.beta[at], *taken)

    def covariance(self, block: RandomBlock) -> Array:
        """Return the covariance matrices of a grouping's effects, shape (S, q, q)."""
        sds = self.sds[block.name]
        q = sds.shape[1]
        T = np.zeros((len(sds), q, q))
        T[:, np.arange(q), np.arange(q)] = sds**2
        for k, (i, j) in enumerate(block.pairs):
            T[:, i, j] = T[:, j, i] = self.correlations[block.name][:, k] * sds[:, i] * sds[:, j]
        return T

    def broadcast(self) -> dict[str, Array]:
        """Return the further parameters as families take them for S rows of draws."""
        return {
            name: values[:, None] if values.ndim == 1 else values[:, None, :]
            for name, values in self.others.items()
        }


def prior_parameters(
    design: Design, priors: Priors, draws: int, rng: np.random.Generator
) -> Parameters:
    """Draw parameters from the priors.

    The partial correlations of an LKJ prior are independent 2 Beta(b, b) - 1 (Lewandowski,
    Kurowicka & Joe 2009, doi:10.1016/j.jmva.2009.04.008). Thresholds are independent draws
    in order.
    """
    refuse_by_row(design, "simulated responses")
    mixed = next((b.name for b in design.random if b.distribution == "points"), None)
    if mixed is not None:
        raise StatisticError(
            message(
                f"draws from the prior of mass points by {mixed}",
                "normal and Student-t effects",
                "leave out dist=, or write dist='student'",
            )
        )
    beta = np.empty((draws, len(design.coef)))
    for k, name in enumerate(design.coef):
        beta[:, k] = priors.coefficients[name].draw(draws, rng)
    slopes = [k for k, name in enumerate(design.coef) if name != names.INTERCEPT]
    shift = beta[:, slopes] @ column_means(design, priors)
    if names.INTERCEPT in design.coef and priors.intercept_at_means:
        beta[:, design.coef.index(names.INTERCEPT)] -= shift
    sds, correlations, freedom = {}, {}, {}
    for block in design.random:
        own = priors.sds[block.name]
        sds[block.name] = np.column_stack([own[e].draw(draws, rng) for e in block.effects])
        correlations[block.name] = prior_correlations(block, priors, draws, rng)
        if block.name in priors.freedom:
            freedom[block.name] = 2 + priors.freedom[block.name].draw(draws, rng)
    others = {}
    for parameter in design.parameters:
        drawn = priors.further[parameter.name].draw((draws, parameter.size), rng)
        if parameter.support == ORDERED:
            others[parameter.name] = np.sort(drawn, axis=1) + shift[:, None]
        else:
            others[parameter.name] = drawn[:, 0]
    return Parameters(beta, sds, correlations, others, freedom)


def prior_correlations(
    block: RandomBlock, priors: Priors, draws: int, rng: np.random.Generator
) -> Array:
    """Draw the correlations of a grouping's pairs from the prior, shape (draws, pairs)."""
    parts = []
    for members in block.blocks:
        q = len(members)
        if q > 1:
            b = priors.correlations[block.name].shapes(q)
            partial = 2 * rng.beta(b, b, (draws, len(b))) - 1
            rows = cholesky_factor(partial.T, q, np.sqrt)
            parts += [
                sum(rows[i][m] * rows[j][m] for m in range(i + 1))
                for j in range(q)
                for i in range(j)
            ]
    return np.stack(parts, axis=1) if parts else np.empty((draws, 0))


def fitted_parameters(result: FitResult) -> Parameters:
    """Return the posterior draws of a fit, chain after chain; of a maximum one draw."""
    refuse_by_row(result.design, "simulated responses")
    posterior = result.posterior
    S = posterior.sizes["chain"] * posterior.sizes["draw"]

    def flat(name: str) -> Array:
        values = posterior[name].transpose("chain", "draw", ...).to_numpy()
        return np.asarray(values.reshape(S, *values.shape[2:]), dtype=float)

    design = result.design
    nothing = np.empty((S, 0))
    student = [b.name for b in design.random if names.nu(b.name) in posterior]
    return Parameters(
        beta=flat(names.BETA) if design.coef else nothing,
        sds={b.name: flat(names.sd(b.name)) for b in design.random},
        correlations={
            b.name: flat(names.corr(b.name)) if b.pairs else nothing for b in design.random
        },
        others={p.name: flat(p.name) for p in design.parameters},
        freedom={name: flat(names.nu(name)) for name in student},
    )


def parameter_names(design: Design) -> tuple[str, ...]:
    """Return the names by which `given_parameters` takes each parameter."""
    found = list(design.coef)
    for block in design.random:
        found += [f"{names.sd(block.name)}[{effect}]" for effect in block.effects]
        found += [f"{names.corr(block.name)}[{pair}]" for pair in block.pair_labels]
        if block.distribution == "student":
            found.append(names.nu(block.name))
    for parameter in design.parameters:
        labels = [f"{parameter.name}[{label}]" for label in parameter.labels]
        found += labels if parameter.support == ORDERED else [parameter.name]
    return tuple(found)


def given_parameters(
    design: Design, values: Mapping[str, Any], draws: int, rng: np.random.Generator
) -> Parameters:
    """Return parameters as given: numbers, or distributions that they are drawn from.

    Parameters
    ----------
    design
        The model.
    values
        A number or a `Prior` for every name of `parameter_names`; ``sd_g`` and ``corr_g`` will
        do for a single effect or pair.
    draws
        How many.
    rng
        Of the draws.

    Raises
    ------
    StatisticError
        For unknown names, missing ones, and values outside their range.
    """
    refuse_by_row(design, "simulated responses")
    known = parameter_names(design)
    own = complete(values, known)
    drawn = {
        name: own[name].draw(draws, rng)
        if isinstance(own[name], Prior)
        else np.full(draws, number(name, own[name]))
        for name in known
    }

    def columns(wanted: list[str]) -> Array:
        return np.stack([drawn[name] for name in wanted], 1) if wanted else np.empty((draws, 0))

    sds, correlations, freedom = {}, {}, {}
    for block in design.random:
        labels = [f"{names.sd(block.name)}[{effect}]" for effect in block.effects]
        pairs = [f"{names.corr(block.name)}[{pair}]" for pair in block.pair_labels]
        sds[block.name] = columns(labels)
        correlations[block.name] = columns(pairs)
        if block.distribution == "student":
            freedom[block.name] = drawn[names.nu(block.name)]
    others = {
        p.name: columns([f"{p.name}[{label}]" for label in p.labels])
        if p.support == ORDERED
        else drawn[p.name]
        for p in design.parameters
    }
    found = Parameters(columns(list(design.coef)), sds, correlations, others, freedom)
    check_ranges(design, found)
    return found


def complete(values: Any, known: tuple[str, ...]) -> dict[str, Any]:
    """Return the values by their full names, none missing and none unknown."""
    if not isinstance(values, Mapping):
        raise StatisticError(
            message(
                f"parameters of type {type(values).__name__}",
                "a dictionary of numbers by parameter name",
                f"names: {', '.join(known)}",
            )
        )
    short: dict[str, list[str]] = {}
    for name in known:
        short.setdefault(name.partition("[")[0], []).append(name)
    own = {}
    for name, value in values.items():
        full = name
        if name not in known and len(short.get(name, ())) == 1:
            (full,) = short[name]
        if full not in known or full in own:
            raise StatisticError(
                message(
                    f"a parameter {name!r}{suggestion(str(name), known)}",
                    ", ".join(known),
                    "name each of these once",
                )
            )
        own[full] = value
    missing = [name for name in known if name not in own]
    if missing:
        raise StatisticError(
            message(
                f"no value of {', '.join(missing)}",
                f"a value of each of {', '.join(known)}",
                "add them; a correlation or SD of 0 is a value",
            )
        )
    return own


def number(name: str, value: Any) -> float:
    """Return a finite number, or refuse."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        value = np.nan
    if not np.isfinite(value):
        raise StatisticError(
            message(
                f"{name} is no finite number",
                "a number, or a distribution such as bayesmlm.Normal(0.3, 0.1)",
                f"give {name} a number",
            )
        )
    return float(value)


def check_ranges(design: Design, found: Parameters) -> None:
    """Refuse negative SDs, correlations that no matrix has, and further values out of range."""
    wrong = [f"an SD by {name} below 0" for name, sds in found.sds.items() if (sds < 0).any()]
    for block in design.random:
        if block.pairs:
            unit = Parameters(
                found.beta,
                {block.name: np.ones_like(found.sds[block.name])},
                found.correlations,
                {},
                {},
            )
            if np.linalg.eigvalsh(unit.covariance(block)).min() < -1e-9:
                wrong.append(f"correlations by {block.name} that no matrix has")
    wrong += [f"nu by {name} not above 2" for name, nu in found.freedom.items() if (nu <= 2).any()]
    for parameter in design.parameters:
        values = found.others[parameter.name]
        if parameter.support == ORDERED:
            bad = bool((np.diff(values, axis=-1) <= 0).any())
        else:
            bad = bool((values <= 0).any() or (parameter.support != POSITIVE and values.max() >= 1))
        if bad:
            wrong.append(f"{parameter.name} that is not {parameter.support}")
    if wrong:
        raise StatisticError(
            message(
                "; ".join(wrong),
                "SDs from 0, correlations of a matrix, positive scales, increasing thresholds",
                "correct these values",
            )
        )
