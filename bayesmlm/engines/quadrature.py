"""The Quadrature engine: effects integrated out numerically, the rest by importance sampling.

Adaptive Gauss-Hermite quadrature integrates the random effects out of a generalized model;
fixed effects and hyperparameters are explored from their mode by adaptive importance
sampling, and the effects then drawn given both. No graph is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import QuadratureMarginal
from bayesmlm.density.latent_kernel import ROUGH
from bayesmlm.density.node_choice import FIRST, choose_nodes
from bayesmlm.density.shift import Shift, quadrature_shift, shift
from bayesmlm.design import Design
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.importance import explore
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.marginal import require_quadrature
from bayesmlm.engines.mode import Mode, find_mode_by_gradient
from bayesmlm.engines.nested import (
    Recorded,
    explore_nested,
    find_nested_mode,
    nested_note,
    nested_tree,
    require_latent,
    shifts,
)
from bayesmlm.engines.nodes import AUTO, check_nodes, integration
from bayesmlm.engines.nuts import NUTS
from bayesmlm.engines.options import check_numbers
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.separation import separation_note
from bayesmlm.engines.start import generalized_start
from bayesmlm.engines.weights import WeightedSample, effective
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

KHAT_LIMIT = 0.7
"""Pareto shape above which importance draws are unreliable."""

MOST_COEFFICIENTS = 20
"""Fixed effects up to which importance sampling explores them too."""

EVALUATIONS, ENOUGH = 2048, 1000.0
"""Densities evaluated at first, and the effective sample size that is large enough."""

ATTEMPTS = 3
"""How often a sample is drawn, each twice as large, while it is not good enough."""

SPREAD = 2.0
"""SDs above the mode of a log SD at which the nodes, too, must be enough."""


@dataclass(frozen=True)
class Quadrature(Engine):
    """Adaptive Gauss-Hermite quadrature over the effects of the largest grouping.

    With several groupings, or more than 20 coefficients, fixed effects and all other effects
    are integrated out by Laplace's approximation.

    Where the Pareto shape of the importance weights stays above 0.7, NUTS samples instead,
    and the fit says so.

    Parameters
    ----------
    nodes
        In each dimension; 1 is Laplace's approximation, whose error is told as the `Laplace`
        engine tells it, ``"auto"`` doubles 7 until the log likelihood stands still.
    draws
        Equally weighted draws kept.
    evaluations
        Densities evaluated at first; None takes 2,048. Doubled, up to twice, while the Pareto
        shape of the weights is above 0.7, or for None, their effective size is below 1,000.
    """

    nodes: int | str = AUTO
    draws: int = 4000
    evaluations: int | None = None

    name: ClassVar[str] = "quadrature"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", check_nodes("Quadrature", self.nodes))
        check_numbers(self, "Quadrature")

    def __str__(self) -> str:
        return f"Quadrature: {self.draws:,} draws, effects integrated out by {self.nodes} nodes"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Explore the posterior; see `Engine.fit`."""
        if self.takes_field(design):
            return self.fit_nested(design, priors, seed, progress)
        with progress.running(), progress.stage("prepare"):
            marginal = require_quadrature(design, priors, "Quadrature")
        return self.fit_marginal(marginal, seed, progress)

    def fit_marginal(
        self, marginal: QuadratureMarginal, seed: int, progress: Progress
    ) -> FitResult:
        """Explore the posterior of fixed effects and hyperparameters together."""
        design, priors = marginal.design, marginal.priors
        with progress.running():
            with progress.stage("mode", "the first time on a machine kernels are compiled"):
                marginal, mode, move = self.find_mode(marginal)
            with progress.stage("parameters"):
                sample = self.explore(marginal, mode, seed)
        if not sample.khat <= KHAT_LIMIT:
            return self.fall_back(design, priors, seed, progress, sample.khat)
        off = None
        with progress.running():
            if marginal.nodes == 1:
                with progress.stage("audit"):
                    off = quadrature_shift(marginal, mode.point, mode.covariance())
            with progress.stage("effects"):
                chosen = sample.choose(self.draws, np.random.default_rng([seed, 1]))
                tree = self.tree(marginal, sample, mode, chosen, seed, off)
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=(integration(marginal.nodes, move), *separation_note(design, bounded=True)),
        )

    def takes_field(self, design: Design) -> bool:
        """Whether fixed effects are integrated out too, by Laplace's approximation."""
        return len(design.random) > 1 or (
            len(design.random) == 1 and len(design.coef) > MOST_COEFFICIENTS
        )

    def fit_nested(
        self, design: Design, priors: Priors, seed: int, progress: Progress
    ) -> FitResult:
        """Explore the posterior with quadrature over the grouping of most effects only."""
        with progress.running():
            with progress.stage("prepare"):
                latent = require_latent(design, priors, "Quadrature")
            with progress.stage("mode", "the first time on a machine kernels are compiled"):
                latent, mode, move = find_nested_mode(latent, self.nodes)
            with progress.stage("hyperparameters"):
                density = Recorded(latent, ROUGH)
                sample = explore_nested(density, mode, self.evaluations, seed)
        if not sample.khat <= KHAT_LIMIT:
            return self.fall_back(design, priors, seed, progress, sample.khat)
        off = None
        with progress.running():
            if latent.nodes == 1:
                with progress.stage("audit"):
                    off = shift(latent, mode.point, mode.covariance())
            with progress.stage("effects"):
                tree = nested_tree(density, sample, mode, self.draws, seed, off)
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=(nested_note(latent, move), *separation_note(design, bounded=True)),
        )

    def find_mode(self, marginal: QuadratureMarginal) -> tuple[QuadratureMarginal, Mode, float]:
        """Return the density by its number of nodes, its mode, and what more nodes move."""
        first = FIRST if self.nodes == AUTO else int(self.nodes)
        start = generalized_start(marginal)
        marginal = marginal.with_nodes(first).started(start)
        mode = find_mode_by_gradient(marginal.gradient, start)
        if self.nodes != AUTO:
            return marginal.started(mode.point), mode, 0.0
        points = np.stack([mode.point, self.wide(marginal, mode)])
        nodes, move = choose_nodes(lambda k, x: marginal.with_nodes(k).log_likelihood(x), points)
        if nodes != first:
            marginal = marginal.with_nodes(nodes).started(mode.point)
            mode = find_mode_by_gradient(marginal.gradient, mode.point)
        return marginal.started(mode.point), mode, move

    def wide(self, marginal: QuadratureMarginal, mode: Mode) -> Array:
        """Return the mode with its SDs at the upper end of what is plausible."""
        point, sd = mode.point.copy(), np.sqrt(np.diag(mode.covariance()))
        at = marginal.data.X.shape[1] + np.concatenate([g.sds for g in marginal.layout.groups])
        point[at] += SPREAD * sd[at]
        return point

    def fall_back(
        self, design: Design, priors: Priors, seed: int, progress: Progress, khat: float
    ) -> FitResult:
        """Sample by NUTS, and say why."""
        found = NUTS().fit(design, priors, seed, progress)
        why = f"Pareto k-hat of the importance weights was {khat:.2f}: NUTS sampled instead."
        return replace(found, notes=(why, *found.notes))

    def explore(self, marginal: QuadratureMarginal, mode: Mode, seed: int) -> WeightedSample:
        """Sample fixed effects and hyperparameters, more while the Pareto shape is too large."""
        if not np.isfinite(mode.hessian).all():
            return WeightedSample(mode.point[None], np.ones(1), np.inf, mode.evaluations)
        evaluations = self.evaluations or EVALUATIONS
        for _ in range(ATTEMPTS):
            sample = explore(
                marginal.log_density,
                mode.point,
                mode.covariance(),
                draws=evaluations,
                rounds=4,
                seed=seed,
            )
            enough = self.evaluations is not None or sample.ess >= ENOUGH
            if sample.khat <= KHAT_LIMIT and enough:
                break
            evaluations *= 2
        return sample

    def tree(
        self,
        marginal: QuadratureMarginal,
        sample: WeightedSample,
        mode: Mode,
        chosen: Integers,
        seed: int,
        off: Shift | None = None,
    ) -> Any:
        """Return the tree; every posterior variable carries the effective number of draws."""
        import xarray as xr

        theta = sample.points[chosen]
        coordinates, psi = marginal.split(theta)
        effects = marginal.draw_effects(theta, seed)
        beta = marginal.to_user(coordinates)
        posterior = posterior_dataset(marginal, psi, beta, effects)
        ess = effective(chosen)
        for array in posterior.values():
            array.attrs["ess"] = ess
        statistics = {
            "k_hat": sample.khat,
            "ess": sample.ess,
            "evaluations": sample.evaluations + mode.evaluations,
            "mode_gradient": mode.gradient,
            "nodes": marginal.nodes,
        }
        groups: dict[str, xr.Dataset] = {
            "posterior": posterior,
            "sample_stats": xr.Dataset(statistics).assign(shifts(marginal, off, beta)),
        }
        return xr.DataTree.from_dict(groups | data_groups(marginal))
