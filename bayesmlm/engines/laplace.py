"""The Laplace engine: effects integrated out, hyperparameters by importance sampling.

For a Gaussian response the random and fixed effects integrate out exactly. What is left, a
few SDs and correlations, is explored from its mode by adaptive importance sampling, and
the effects are then drawn from their exact conditional distribution. No graph is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayesmlm.density import GaussianMarginal
from bayesmlm.density.higher_order import CANONICAL, PLAIN, SIXTH
from bayesmlm.density.latent_kernel import ROUGH
from bayesmlm.density.shift import shift
from bayesmlm.design import Design
from bayesmlm.engines.effects import AUTO, Drawn, Keep, check_keep, completed, drawn_effects
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.importance import explore
from bayesmlm.engines.layout import data_groups
from bayesmlm.engines.marginal import require_marginal, require_quadrature
from bayesmlm.engines.mode import Mode, find_mode
from bayesmlm.engines.nested import (
    Recorded,
    explore_nested,
    find_nested_mode,
    nested_note,
    nested_tree,
    require_latent,
)
from bayesmlm.engines.nuts import NUTS
from bayesmlm.engines.options import check_numbers
from bayesmlm.engines.prior_weights import SPARE, reweighted
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.quadrature import Quadrature
from bayesmlm.engines.separation import separation_note
from bayesmlm.engines.start import expected_information, starting_point
from bayesmlm.engines.weights import WeightedSample, effective
from bayesmlm.errors import EngineError, message
from bayesmlm.families.rows import code
from bayesmlm.priors import Priors, normal_stand_in
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

KHAT_LIMIT = 0.7
"""Pareto shape above which importance draws are unreliable."""

COSTLY = 2e8
"""Multiplications of one evaluation from which fewer are made."""

ATTEMPTS = 3
"""How often the sample is enlarged while the Pareto shape is above its limit."""


INTEGRATED = "Random and fixed effects integrated out exactly."

STAND_IN = (
    "Student-t and Cauchy priors of fixed effects: integrated under Normal ones, and the draws "
    "weighted by the ratio of the priors."
)

KEPT = "Random effects are kept: outside the gaussian family they are not drawn again."


def check_order(order: Any) -> int:
    """Return the order of the approximation.

    Raises
    ------
    EngineError
    """
    if isinstance(order, bool) or order not in (PLAIN, SIXTH):
        raise EngineError(
            message(f"Laplace(order={order!r})", f"{PLAIN} or {SIXTH}", "leave it out")
        )
    return int(order)


@dataclass(frozen=True)
class Laplace(Engine):
    """Integration of the effects and importance sampling of the hyperparameters.

    Effects integrate out exactly for a Gaussian response. For others they do by Laplace's
    approximation, and `shift` and `beta_shift` in ``sample_stats`` tell by how many posterior
    SDs that puts hyperparameters and coefficients off.

    Where the Pareto shape of the weights stays above 0.7, NUTS samples instead, and the fit
    says so.

    Parameters
    ----------
    draws
        Equally weighted draws kept.
    evaluations
        Densities evaluated at first; None takes 8,192, or 640 where one is costly. Doubled,
        up to three times, while the Pareto shape of the weights is above 0.7.
    order
        2, or with 6 the correction of Raudenbush, Yang & Yosef (2000,
        doi:10.1080/10618600.2000.10474870), whose error falls with the square of a group's
        number of rows: for one grouping of up to three effects and the families bernoulli,
        binomial and poisson with canonical links. Fixed effects are explored with the
        hyperparameters then.
    keep_random_effects
        Whether the posterior holds the random effects; ``"auto"``: while they take at most
        500 MB. Where not, those of the largest grouping are drawn again, the same
        numbers, whenever they are asked for.
    """

    draws: int = 4000
    evaluations: int | None = None
    keep_random_effects: Keep = AUTO
    order: int = PLAIN

    name: ClassVar[str] = "laplace"

    def __post_init__(self) -> None:
        check_numbers(self, "Laplace")
        check_keep("Laplace", self.keep_random_effects)
        object.__setattr__(self, "order", check_order(self.order))

    def __str__(self) -> str:
        order = "" if self.order == PLAIN else f" to order {self.order}"
        return f"Laplace: {self.draws:,} draws, effects integrated out{order}"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Explore the posterior; see `Engine.fit`."""
        if self.order != PLAIN:
            return self.fit_corrected(design, priors, seed, progress)
        if design.family.name != "gaussian":
            return self.fit_nested(design, priors, seed, progress)
        with progress.running():
            with progress.stage("cross-products"):
                marginal = require_marginal(design, normal_stand_in(priors), "Laplace")
            with progress.stage("mode", "the first time on a machine kernels are compiled"):
                mode = find_mode(
                    marginal.log_density,
                    starting_point(marginal),
                    expected_information(marginal),
                )
            with progress.stage("hyperparameters"):
                sample = self.explore(marginal, mode, seed)
        if not sample.khat <= KHAT_LIMIT:
            return self.fall_back(design, priors, seed, progress, sample.khat)
        with progress.running(), progress.stage("effects"):
            drawn, weighted, ess = self.draw(marginal, priors, sample, seed)
            reached = weighted is None or weighted.khat <= KHAT_LIMIT
            groups, told = completed(drawn, self.keep_random_effects) if reached else ({}, ())
        if weighted is not None and not reached:
            return self.fall_back(design, priors, seed, progress, weighted.khat)
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=self.tree(marginal, sample, weighted, ess, mode, groups),
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=(INTEGRATED, *([STAND_IN] if weighted is not None else []), *told),
        )

    def fit_corrected(
        self, design: Design, priors: Priors, seed: int, progress: Progress
    ) -> FitResult:
        """Explore the posterior by the approximation of a higher order.

        Raises
        ------
        EngineError
            Where there is none.
        """
        if len(design.random) != 1 or code(design.family) not in CANONICAL:
            family = f"{design.family.name} family ({design.family.link.name} link)"
            several = "" if len(design.random) == 1 else "s"
            got = f"the {family} and {len(design.random)} grouping{several}"
            raise EngineError(
                message(
                    f"Laplace(order={self.order}) of a model with {got}",
                    "one grouping; bernoulli or binomial with logit link, poisson with log link",
                    'leave order out, or fit with "quadrature"',
                )
            )
        with progress.running(), progress.stage("prepare"):
            marginal = require_quadrature(design, priors, f"Laplace(order={self.order})")
        engine = Quadrature(nodes=1, draws=self.draws, evaluations=self.evaluations)
        corrected = replace(marginal, order=self.order)
        found = engine.fit_marginal(corrected, seed, progress)
        if found.engine is not engine:
            return found
        note = f"Random effects integrated out by Laplace's approximation of order {self.order}."
        kept = (KEPT,) if self.keep_random_effects is False else ()
        return replace(found, engine=self, notes=(note, *found.notes[1:], *kept))

    def fit_nested(
        self, design: Design, priors: Priors, seed: int, progress: Progress
    ) -> FitResult:
        """Explore the posterior of a generalized model by a nested Laplace approximation."""
        with progress.running():
            with progress.stage("prepare"):
                marginal = require_latent(design, priors, "Laplace")
            with progress.stage("mode", "the first time on a machine kernels are compiled"):
                marginal, mode, move = find_nested_mode(marginal, 1)
            with progress.stage("hyperparameters"):
                density = Recorded(marginal, ROUGH)
                sample = explore_nested(density, mode, self.evaluations, seed)
        if not sample.khat <= KHAT_LIMIT:
            return self.fall_back(design, priors, seed, progress, sample.khat)
        with progress.running():
            with progress.stage("audit"):
                off = shift(marginal, mode.point, mode.covariance())
            with progress.stage("effects"):
                tree = nested_tree(density, sample, mode, self.draws, seed, off)
        kept = (KEPT,) if self.keep_random_effects is False else ()
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=(nested_note(marginal, move), *separation_note(design, bounded=True), *kept),
        )

    def fall_back(
        self, design: Design, priors: Priors, seed: int, progress: Progress, khat: float
    ) -> FitResult:
        """Sample by NUTS, and say why."""
        nuts = NUTS(keep_random_effects=self.keep_random_effects)
        found = nuts.fit(design, priors, seed, progress)
        why = f"Pareto k-hat of the importance weights was {khat:.2f}: NUTS sampled instead."
        if khat == np.inf and normal_stand_in(priors) is not priors:
            why = "A Student-t or Cauchy prior rules a fixed effect's tails: NUTS sampled instead."
        return replace(found, notes=(why, *found.notes))

    def draw(
        self, marginal: GaussianMarginal, priors: Priors, sample: WeightedSample, seed: int
    ) -> tuple[Drawn, WeightedSample | None, float]:
        """Draw the effects, weighted where Normal priors stand in for the model's.

        Returns
        -------
        drawn, weighted, ess
            The draws, the weights, and the effective number of draws.
        """
        rng = np.random.default_rng([seed, 1])
        if marginal.priors is priors:
            chosen = sample.choose(self.draws, rng)
            return drawn_effects(marginal, sample.points[chosen], seed), None, effective(chosen)
        spare = sample.choose(SPARE * self.draws, rng)
        drawn = drawn_effects(marginal, sample.points[spare], seed)
        weighted = reweighted(marginal, priors, drawn)
        chosen = weighted.choose(self.draws, rng)
        return drawn.take(chosen), weighted, effective(spare[chosen])

    def explore(self, marginal: GaussianMarginal, mode: Mode, seed: int) -> WeightedSample:
        """Sample the hyperparameters, more of them while the Pareto shape is too large."""
        if not np.isfinite(mode.hessian).all():
            return WeightedSample(mode.point[None], np.ones(1), np.inf, mode.evaluations)
        costly = marginal.structure.work > COSTLY
        evaluations = self.evaluations or (640 if costly else 8192)
        for _ in range(ATTEMPTS):
            sample = explore(
                marginal.log_density,
                mode.point,
                mode.covariance(),
                draws=evaluations,
                rounds=5 if costly else 4,
                seed=seed,
            )
            if sample.khat <= KHAT_LIMIT or costly:
                break
            evaluations *= 2
        return sample

    def tree(
        self,
        marginal: GaussianMarginal,
        sample: WeightedSample,
        weighted: WeightedSample | None,
        ess: float,
        mode: Mode,
        drawn: dict[str, xr.Dataset],
    ) -> xr.DataTree:
        """Return the tree; every posterior variable carries the effective number of draws."""
        import xarray as xr

        for array in drawn["posterior"].values():
            array.attrs["ess"] = ess
        statistics = {
            "k_hat": sample.khat if weighted is None else max(sample.khat, weighted.khat),
            "ess": sample.ess,
            "evaluations": sample.evaluations + mode.evaluations,
            "mode_gradient": mode.gradient,
        }
        groups = drawn | {"sample_stats": xr.Dataset(statistics)} | data_groups(marginal)
        return xr.DataTree.from_dict(groups)
