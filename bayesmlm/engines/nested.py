"""Posteriors of generalized models whose fixed effects are integrated out too.

Hyperparameters by importance sampling of a `LatentMarginal`, then the latent field from its
Normal approximation and the leading effects given it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density.hyperparameters import log_prior
from bayesmlm.density.latent import LatentMarginal, latent_marginal
from bayesmlm.density.latent_kernel import CONVERGED
from bayesmlm.density.node_choice import choose_nodes
from bayesmlm.density.quadrature import QuadratureMarginal
from bayesmlm.density.shift import MANY, Shift
from bayesmlm.design import Design
from bayesmlm.engines.importance import explore
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.mode import Mode, find_mode_by_newton
from bayesmlm.engines.nodes import AUTO
from bayesmlm.engines.reweight import Reweighted, is_exact, reweight
from bayesmlm.engines.start import hyperparameter_start
from bayesmlm.engines.stretch import stretch
from bayesmlm.engines.weights import WeightedSample, effective
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Priors, outcome_scale

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

EVALUATIONS, COSTLY_EVALUATIONS = 2048, 1024
WEIGHTED, COSTLY_WEIGHTED = 2048, 1024
COSTLY = 1.2e7
"""Multiplications of one evaluation from which fewer are made; see `explore_nested`, `reweight`."""

KHAT_LIMIT, ENOUGH, ATTEMPTS = 0.7, 400.0, 3
"""Pareto shape above which, and effective size below which a sample is drawn again, twice as
large, and how often one is drawn."""

BEND = 0.03
"""Of the differences that make gradients and Hessians."""

BASIS, REACH = 3, 3.0
"""Fields, in terms of a regression on psi, from which there is one, and SDs up to which it
holds."""

SPREAD, STILL = 2.0, 0.03
"""SDs from the mode of a log SD, at which the log density relative to the mode must not move
by more with the number of nodes: a few hundredths of a posterior SD."""


def require_latent(design: Design, priors: Priors, engine: str) -> LatentMarginal:
    """Return the density of a model's hyperparameters, with one node.

    Raises
    ------
    EngineError
        Where there is none.
    """
    marginal = latent_marginal(design, priors, 1)
    if isinstance(marginal, str):
        raise EngineError(
            message(
                f"{engine} cannot fit this model: {marginal}",
                "a random effect, and Normal priors of the fixed effects",
                'fit with "nuts"',
            )
        )
    return marginal


def find_nested_mode(
    marginal: LatentMarginal, nodes: int | str
) -> tuple[LatentMarginal, Mode, float]:
    """Return the density by its number of nodes, its mode, and what more nodes move."""
    dimensions = marginal.modes.shape[1]
    first = MANY[min(dimensions, len(MANY)) - 1] if nodes == AUTO else int(nodes)
    start = hyperparameter_start(marginal, outcome_scale(marginal.design))
    marginal = marginal.with_nodes(first).started(start)
    mode = find_mode_by_newton(Recorded(marginal), start, BEND)
    marginal = marginal.started(mode.point)
    if nodes != AUTO:
        return marginal, mode, 0.0
    away, sd = np.zeros(len(mode.point)), np.sqrt(np.diag(mode.covariance()))
    at = sd_places(marginal)
    away[at] = SPREAD * sd[at]
    points = mode.point + np.stack([0 * away, away, -away])

    def relative(count: int, x: Array) -> Array:
        values = marginal.with_nodes(count).log_likelihood(x)
        # too few nodes have no density far out: more are tried
        return np.nan_to_num(values - values[0], nan=-1e10)

    count, move = choose_nodes(relative, points, STILL)
    # importance sampling makes up for a mode found with other nodes
    return marginal.with_nodes(count).started(mode.point), mode, move


@dataclass(frozen=True)
class Recorded:
    """The log density of a marginal that keeps what it found at each psi.

    Searches for fields begin where those found before say: at the nearest one's, or where they
    are many, at that moved by a quadratic regression on psi.

    Parameters
    ----------
    marginal
        The density.
    enough
        Of `LatentMarginal.solve`.
    fields, values
        Fields and log p(y | psi) by the bytes of psi.
    """

    marginal: LatentMarginal
    enough: float = CONVERGED
    fields: dict[bytes, Array] = field(default_factory=dict)
    values: dict[bytes, float] = field(default_factory=dict)

    def __call__(self, psi: Array) -> Array:
        """Return `LatentMarginal.log_density`, shape (S,)."""
        first = BASIS * len(quadratic(psi[:1])[0]) - len(self.fields)
        if self.enough > CONVERGED and 0 < first < len(psi):
            return np.concatenate([self.evaluate(psi[:first]), self.evaluate(psi[first:])])
        return self.evaluate(psi)

    def evaluate(self, psi: Array) -> Array:
        """Return log densities, all searches begun from fields that are there already."""
        with np.errstate(all="ignore"):
            values, fields, _ = self.marginal.solve(psi, self.starts(psi), self.enough)
            lost = np.isnan(values)
            if lost.any() and self.fields:
                values[lost], fields[lost], _ = self.marginal.solve(psi[lost], None, self.enough)
            total = values + log_prior(self.marginal.layout, self.marginal.priors, psi)
        for own, x, value in zip(psi, fields, values, strict=True):
            if np.isfinite(value):
                self.fields[own.tobytes()], self.values[own.tobytes()] = x, float(value)
        return np.where(np.isfinite(total), total, -np.inf)

    def starts(self, psi: Array) -> Array | None:
        """Return fields near those at psi, shape (S, m)."""
        from scipy.spatial import KDTree

        if not self.fields:
            return None
        known = np.stack([np.frombuffer(own) for own in self.fields])
        fields = np.stack(list(self.fields.values()))
        centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-8
        z, away = (known - centre) / spread, (psi - centre) / spread
        nearest = KDTree(z).query(away)[1]
        terms = quadratic(z)
        if self.enough <= CONVERGED or len(terms) < BASIS * terms.shape[1]:
            return np.asarray(fields[nearest])
        weights, *_ = np.linalg.lstsq(terms, fields, rcond=None)
        moved = quadratic(inside(away)) - quadratic(inside(z[nearest]))
        return np.asarray(fields[nearest] + moved @ weights)

    def at(self, psi: Array) -> Array:
        """Return the fields found at psi, shape (S, m)."""
        return np.stack([self.fields[own.tobytes()] for own in psi])

    def values_at(self, psi: Array) -> Array:
        """Return log p(y | psi) found at psi, shape (S,)."""
        return np.array([self.values[own.tobytes()] for own in psi])


def quadratic(z: Array) -> Array:
    """Return one, z, and the products of its entries, shape (S, 1 + d + d (d + 1) / 2)."""
    a, b = np.triu_indices(z.shape[1])
    return np.column_stack([np.ones(len(z)), z, z[:, a] * z[:, b]])


def inside(z: Array) -> Array:
    """Return points (S, d), those beyond `REACH` drawn in to it."""
    length = np.sqrt((z**2).sum(axis=1, keepdims=True))
    return np.asarray(z * np.minimum(1.0, REACH / np.maximum(length, 1e-8)))


def explore_nested(
    density: Recorded, mode: Mode, evaluations: int | None, seed: int
) -> WeightedSample:
    """Sample the hyperparameters, more of them while the Pareto shape is too large."""
    if not np.isfinite(mode.hessian).all():
        return WeightedSample(mode.point[None], np.ones(1), np.inf, mode.evaluations)
    marginal = density.marginal
    costly = marginal.work(1) > COSTLY
    count = evaluations or (COSTLY_EVALUATIONS if costly else EVALUATIONS)
    covariance = mode.covariance()
    own = stretch(sd_places(marginal), mode.point, covariance)

    def stretched(z: Array) -> Array:
        return density(own.to_psi(z)) + own.log_jacobian(z)

    for _ in range(ATTEMPTS):
        sample = explore(stretched, mode.point, covariance, draws=count, rounds=4, seed=seed)
        enough = evaluations is not None or sample.ess >= ENOUGH
        if sample.khat <= KHAT_LIMIT and enough:
            break
        count *= 2
    return replace(sample, points=own.to_psi(sample.points))


def sd_places(marginal: LatentMarginal) -> NDArray[np.int64]:
    """Return which hyperparameters are log SDs of effects."""
    return np.concatenate([slots.sds for slots in marginal.layout.groups])


def nested_tree(
    density: Recorded,
    sample: WeightedSample,
    mode: Mode,
    draws: int,
    seed: int,
    shift: Shift | None,
) -> Any:
    """Return the tree; every posterior variable carries the effective number of draws."""
    import xarray as xr

    marginal = density.marginal
    resampled, beta, effects, own = drawn(density, sample, mode, draws, seed)
    posterior = posterior_dataset(marginal, sample.points[resampled], beta, effects)
    weighted = 1 / (1 / sample.ess + own.loss)
    ess = effective(resampled)
    for array in posterior.values():
        array.attrs["ess"] = ess
    statistics: dict[str, Any] = {
        "k_hat": max(sample.khat, own.khat),
        "ess": weighted,
        "evaluations": sample.evaluations + mode.evaluations,
        "mode_gradient": mode.gradient,
        "nodes": marginal.nodes,
    }
    groups: dict[str, xr.Dataset] = {
        "posterior": posterior,
        "sample_stats": xr.Dataset(statistics).assign(shifts(marginal, shift, beta)),
    }
    return xr.DataTree.from_dict(groups | data_groups(marginal))


def drawn(
    density: Recorded, sample: WeightedSample, mode: Mode, draws: int, seed: int
) -> tuple[NDArray[np.int64], Array, dict[str, Array], Reweighted]:
    """Return positions in the sample, fixed effects and effects, and what their weights say.

    Only so many are made as are weighted, unless the weights leave them as they are.
    """
    marginal, rng = density.marginal, np.random.default_rng([seed, 1])
    count = COSTLY_WEIGHTED if marginal.work(1) > COSTLY else WEIGHTED
    first = draws if is_exact(marginal) else min(count, draws)
    at = sample.choose(first, rng)
    psi = sample.points[at]
    beta, effects = marginal.recover(psi, seed, density.at)
    own = reweight(density, mode, psi, beta, draws, seed)
    if own.chosen is not None:
        effects = {name: values[own.chosen] for name, values in effects.items()}
        return at[own.chosen], beta[own.chosen], effects, own
    if first < draws:
        rest = sample.choose(draws - first, rng)
        other = int(np.random.SeedSequence([seed, 6]).generate_state(1)[0])
        more, others = marginal.recover(sample.points[rest], other, density.at)
        at, beta = np.concatenate([at, rest]), np.concatenate([beta, more])
        effects = {name: np.concatenate([effects[name], others[name]]) for name in effects}
    return at, beta, effects, own


def shifts(
    marginal: LatentMarginal | QuadratureMarginal, shift: Shift | None, beta: Array
) -> dict[str, xr.DataArray]:
    """Return the statistics that tell of a shift in posterior SDs, given draws of beta (S, p)."""
    import xarray as xr

    if shift is None:
        return {}
    moved = marginal.to_user(shift.coordinates[None])[0] / beta.std(axis=0)
    labels, coef = list(marginal.layout.labels), list(marginal.design.coef)
    return {
        "shift": xr.DataArray(shift.psi, {"hyperparameter": labels}, ("hyperparameter",)),
        "beta_shift": xr.DataArray(moved, {names.COEF: coef}, (names.COEF,)),
    }


def nested_note(marginal: LatentMarginal, move: float) -> str:
    """Return the note on how the effects were integrated out."""
    design = marginal.design
    lead, *rest = (design.random[k].name for k in marginal.data.order)
    if marginal.nodes == 1:
        groups = " and ".join([lead, *rest])
        return f"Fixed effects and effects of {groups} integrated out by Laplace's approximation."
    others = "fixed effects" + (f" and effects of {' and '.join(rest)}" if rest else "")
    still = f"; twice as many still move the log likelihood by {move:.2g}" if move >= STILL else ""
    return (
        f"Effects of {lead} integrated out by adaptive quadrature, {marginal.nodes} nodes in each "
        f"dimension{still}; {others} by Laplace's approximation."
    )
