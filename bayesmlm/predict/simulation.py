"""Replicated responses: parameters, effects and rows in, responses out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign, RandomBlock
from bayesmlm.design.response import Outcome
from bayesmlm.effects import random_effects
from bayesmlm.errors import StatisticError, message
from bayesmlm.predict.outcome import drawn
from bayesmlm.predict.parameters import Parameters, by_row, fitted_parameters
from bayesmlm.predict.simulation_rows import (
    NEW,
    SimulationRows,
    other_rows,
    same_rows,
    which_groups,
)
from bayesmlm.result import FitResult
from bayesmlm.spec.expression import is_name, variables

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Simulation:
    """Responses, and the parameters and effects behind them.

    Parameters
    ----------
    dataset
        The response, dims (draw, obs); ``beta``, ``sd_<group>``, ``corr_<group>``,
        ``u_<group>`` and the further parameters; of a formula of sigma ``beta_sigma``,
        ``sd_sigma_<group>`` and so on. A response of categories is the position of its category
        from 0, one of two categories 1 for a success.
    outcome
        How the response was read.
    column
        The response as written in the model.
    rows
        The data of the rows simulated, or None.
    """

    dataset: xr.Dataset
    outcome: Outcome
    column: str
    rows: pd.DataFrame | None = None

    def __repr__(self) -> str:
        draws, rows = self.responses.shape
        return f"<bayesmlm simulation of {self.column}: {draws:,} draws of {rows:,} rows>"

    @property
    def responses(self) -> xr.DataArray:
        """The responses, dims (draw, obs)."""
        return self.dataset[names.safe(self.column.strip("`"))]

    def frame(self, draw: int = 0) -> pd.DataFrame:
        """Return the data with one draw's response in place of the observed one.

        Parameters
        ----------
        draw
            Which.

        Raises
        ------
        StatisticError
            Where the response is an expression such as ``log(y)``, or there are no data, or no
            such draw.
        """
        draws = len(self.responses)
        whole = isinstance(draw, int | np.integer) and not isinstance(draw, bool)
        if not (whole and -draws <= draw < draws):
            raise StatisticError(no_draw(draw, draws))
        if self.rows is None or not is_name(self.column):
            why = "without its data" if self.rows is None else f"of {self.column!r}"
            raise StatisticError(
                message(
                    f"a data frame of a simulation {why}",
                    "a response that is a column, simulated by Model.simulate",
                    "take .responses",
                )
            )
        values = self.responses.to_numpy()[draw]
        return self.rows.assign(**{variables(self.column)[0]: displayed(self.outcome, values)})


def no_draw(draw: object, draws: int) -> str:
    """Return the message on a draw that a simulation does not have."""
    return message(
        f"the draw {draw!r} of a simulation", f"0 to {draws - 1}", "simulate(draws=…) makes more"
    )


def displayed(outcome: Outcome, values: Array) -> Any:
    """Return responses as the data have them: categories by their names."""
    if outcome.categories:
        import pandas as pd

        codes = values.astype(int)
        if all(isinstance(c, int) for c in outcome.categories):
            return np.asarray(outcome.categories)[codes]
        ordered = outcome.reference is None
        kind: Any = pd.CategoricalDtype(list(outcome.categories), ordered=ordered)
        return pd.Categorical.from_codes(codes, dtype=kind)
    if outcome.success is not None:
        return np.where(values == 1, outcome.success, outcome.failure)
    return values


def new_effects(
    block: RandomBlock, parameters: Parameters, count: int, rng: np.random.Generator
) -> Array:
    """Draw the effects of new groups from their distribution, shape (S, count, q)."""
    T, S = parameters.covariance(block), parameters.size
    found = np.empty((S, count, T.shape[1]))
    for members in block.blocks:
        own = list(members)
        values, vectors = np.linalg.eigh(T[:, own][:, :, own])
        root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        z = rng.standard_normal((S, count, len(own)))
        if block.name in parameters.freedom:
            nu = parameters.freedom[block.name][:, None]
            z *= np.sqrt((nu - 2) / rng.chisquare(nu, (S, count)))[:, :, None]
        found[:, :, own] = z @ root.transpose(0, 2, 1)
    return found


def linear_predictor(
    part: Design | ParameterDesign,
    parameters: Parameters,
    effects: Mapping[str, Array],
    rows: SimulationRows,
) -> Array:
    """Return the linear predictor of one parameter, shape (S, N)."""
    eta = parameters.betas[part.target] @ rows.X[part.target].T + rows.offset[part.target]
    for block in part.random:
        u, codes = effects[block.name], rows.codes[block.name]
        for k, z in enumerate(rows.Z[block.name].T):
            eta += z * u[:, codes, k]
    return eta


def draw_responses(
    design: Design,
    parameters: Parameters,
    effects: Mapping[str, Array],
    rows: SimulationRows,
    rng: np.random.Generator,
) -> Array:
    """Draw a response per draw and row, shape (S, N)."""
    etas = {p.target: linear_predictor(p, parameters, effects, rows) for p in design.parts}
    others = parameters.broadcast() | by_row(design.further, etas)
    return drawn(design.family, etas[names.MU], others, rows.additions, rng)


def own_effects(result: FitResult, group: str, at: Integers) -> Array:
    """Return chosen draws of the groups' own effects, shape (S, J, q)."""
    values = random_effects(result, group).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:])[at])


def refuse_points(result: FitResult) -> None:
    """Refuse a fit whose effects are mass points."""
    for block in result.design.blocks:
        if names.points(block.name) in result.posterior:
            raise StatisticError(
                message(
                    f"a simulation of effects that are mass points by {block.name}",
                    "normal and Student-t effects",
                    'fit with another engine, or without dist="points"',
                )
            )


def choose_draws(have: int, want: int, rng: np.random.Generator) -> Integers:
    """Return which draws are used: in random order, again from the start where they run out."""
    rounds = -(-want // have)
    return np.concatenate([rng.permutation(have) for _ in range(rounds)])[:want]


def dataset(
    design: Design,
    parameters: Parameters,
    effects: Mapping[str, Array],
    rows: SimulationRows,
    responses: Array,
) -> xr.Dataset:
    """Return responses, parameters and effects by name."""
    import xarray as xr

    variables: dict[str, tuple[tuple[str, ...], Array]] = {}
    coords: dict[str, Any] = {"draw": np.arange(parameters.size)}
    column = names.safe(design.spec.response.column.strip("`"))
    variables[column] = ((names.OBS,), responses)
    for part in (part for part in design.parts if part.coef):
        beta, coef = (names.of_parameter(n, part.target) for n in (names.BETA, names.COEF))
        variables[beta] = ((coef,), parameters.betas[part.target])
        coords[coef] = list(part.coef)
    for block in design.blocks:
        group, effect = block.dim, names.effect_dim(block.name)
        coords |= {group: list(rows.labels[block.name]), effect: list(block.effects)}
        variables[names.sd(block.name)] = ((effect,), parameters.sds[block.name])
        variables[names.effects(block.name)] = ((group, effect), effects[block.name])
        if block.pairs:
            pair = names.pair_dim(block.name)
            coords[pair] = list(block.pair_labels)
            variables[names.corr(block.name)] = ((pair,), parameters.correlations[block.name])
        if block.name in parameters.freedom:
            variables[names.nu(block.name)] = ((), parameters.freedom[block.name])
    for name, values in parameters.others.items():
        variables[name] = ((names.THRESHOLD,) * (values.ndim - 1), values)
        if values.ndim > 1:
            coords[names.THRESHOLD] = list(design.outcome.threshold_labels)
    return xr.Dataset(
        {name: (("draw", *dims), values) for name, (dims, values) in variables.items()}, coords
    )


def simulate(
    design: Design,
    parameters: Parameters,
    rng: np.random.Generator,
    groups: Any = None,
    data: Any = None,
) -> xr.Dataset:
    """Simulate responses at given parameters, all effects drawn; see `bayesmlm.Model.simulate`."""
    chosen = which_groups(design, groups, fitted=False)
    rows = same_rows(design) if data is None else other_rows(design, data, chosen)
    effects = {
        block.name: new_effects(block, parameters, len(rows.labels[block.name]), rng)
        for block in design.blocks
    }
    responses = draw_responses(design, parameters, effects, rows, rng)
    return dataset(design, parameters, effects, rows, responses)


def simulate_fit(
    result: FitResult,
    draws: int,
    rng: np.random.Generator,
    groups: Any = None,
    data: Any = None,
) -> xr.Dataset:
    """Simulate responses from a fit; see `bayesmlm.Model.simulate`."""
    design = result.design
    refuse_points(result)
    chosen = which_groups(design, groups, fitted=True)
    rows = same_rows(design) if data is None else other_rows(design, data, chosen)
    everything = fitted_parameters(result)
    at = choose_draws(everything.size, draws, rng)
    parameters = everything.take(at)
    effects = {
        block.name: new_effects(block, parameters, len(rows.labels[block.name]), rng)
        if chosen[block.name] == NEW
        else own_effects(result, block.name, at)
        for block in design.blocks
    }
    responses = draw_responses(design, parameters, effects, rows, rng)
    return dataset(design, parameters, effects, rows, responses)
