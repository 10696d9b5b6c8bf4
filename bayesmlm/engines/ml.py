"""Maximum likelihood and restricted maximum likelihood, as lme4 and HLM print them.

With Theta the effects' Cholesky factor relative to sigma, sigma and beta are profiled out:

    ML deviance    log|A| + n (1 + log(2 pi r² / n)) - log|W|
    REML criterion log|A| + log|X'V⁻¹X| + (n - p) (1 + log(2 pi r² / (n - p))) - log|W|

Both are smooth in Theta, whose diagonal may have any sign, so a variance of zero is inside.

References
----------
Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01, equations 34 and 41.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import GaussianMarginal
from bayesmlm.density.fixed_prior import flat
from bayesmlm.density.noise import MEANS
from bayesmlm.design import Design
from bayesmlm.engines import generalized_ml
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.marginal import require_marginal, require_quadrature
from bayesmlm.engines.mode import Mode, find_mode
from bayesmlm.engines.nested import require_latent
from bayesmlm.engines.nodes import check_nodes, integration
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.relative import (
    Block,
    find_blocks,
    identity,
    is_singular,
    kernel_factors,
    set_hyperparameters,
    user_factors,
)
from bayesmlm.engines.separation import separation_note
from bayesmlm.engines.surface import Surface
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Normal, Priors
from bayesmlm.result import FitResult

Array = NDArray[np.float64]

STARTS = (1.0, 0.2)
"""Relative SDs from which the optimiser starts; the best maximum is kept."""

FAR, ENDLESS = 10.0, 1e7
"""Relative SD from which larger ones are tried, and at which the search ends."""


@dataclass(frozen=True)
class Profile:
    """The profiled criterion of a Gaussian model as a function of Theta's free entries.

    Parameters
    ----------
    marginal
        The density; its priors are not used.
    restricted
        REML and not ML.
    """

    marginal: GaussianMarginal
    restricted: bool

    @property
    def known_scale(self) -> bool:
        """Whether the sampling SDs are known."""
        return self.marginal.layout.sigma is None

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of correlated effects, in the order of theta."""
        return find_blocks(self.marginal.layout, self.marginal.data.to_Z)

    @property
    def start(self) -> Array:
        """Theta of relative SDs one and no correlation."""
        return identity(self.blocks)

    def figures(self, theta: Array) -> Array:
        """Return the kernel's figures at sigma = 1, shape (S, 3)."""
        matrix = flat(self.marginal.data.X.shape[1]).matrix
        return self.marginal.structure.evaluate(self.scales(theta), np.ones(len(theta)), matrix)

    def scales(self, theta: Array) -> Array:
        """Return the kernel's scales, flat."""
        S = len(theta)
        found = kernel_factors(self.blocks, self.marginal.data.to_Z, theta)
        parts = [found[k].reshape(S, -1) for k in self.marginal.structure.order]
        return np.ascontiguousarray(np.concatenate([*parts, np.empty((S, 0))], axis=1))

    def factors(self, theta: Array) -> list[Array]:
        """Return a factor of each grouping's covariance over sigma², of shape (S, q, q).

        In the design's order, and in the user's coordinates; square, not triangular.
        """
        return user_factors(self.blocks, self.marginal.data.to_Z, theta)

    def criterion(self, theta: Array) -> Array:
        """Return minus twice the profiled log likelihood, shape (S,)."""
        log_A, log_H, rss = self.figures(theta).T
        data = self.marginal.data
        p = data.X.shape[1]
        n = data.n - (p if self.restricted else 0)
        total = log_A - data.log_weight
        if self.restricted and p:
            total = total + log_H + 2 * np.linalg.slogdet(data.to_X)[1]
        if self.known_scale:
            return np.asarray(total + rss + n * np.log(2 * np.pi))
        return np.asarray(total + n * (1 + np.log(2 * np.pi * rss / n)))

    def sigma(self, theta: Array) -> float:
        """Return the residual SD at its maximum."""
        if self.known_scale:
            return 1.0
        p = self.marginal.data.X.shape[1] if self.restricted else 0
        return float(np.sqrt(self.figures(theta[None])[0, 2] / (self.marginal.data.n - p)))

    def hyperparameters(self, theta: Array) -> Array:
        """Return psi, shape (1, d); correlations of zero SDs are zero."""
        layout = self.marginal.layout
        psi = np.zeros((1, layout.size))
        sigma = self.sigma(theta)
        set_hyperparameters(layout, [T[0] * sigma for T in self.factors(theta[None])], psi[0])
        if layout.sigma is not None:
            psi[0, layout.sigma] = np.log(sigma)
        return psi

    def is_singular(self, theta: Array) -> bool:
        """Whether a variance is zero or a correlation is one."""
        return is_singular(self.blocks, theta)


@dataclass(frozen=True)
class ML(Engine):
    """Maximum likelihood; priors are ignored.

    Parameters
    ----------
    nodes
        Of the adaptive Gauss-Hermite quadrature by which the effects of a response that is
        not Gaussian are integrated out, in each dimension: 1 is Laplace's approximation,
        ``"auto"`` doubles them until the log likelihood stands still. A Gaussian response
        needs none.
    """

    nodes: int | str = 1

    name: ClassVar[str] = "ml"
    restricted: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", check_nodes(self.name.upper(), self.nodes))

    def __str__(self) -> str:
        by = "" if self.nodes == 1 else f" by {self.nodes} nodes"
        return f"{self.name.upper()}{by}, priors ignored"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Maximise the likelihood; see `Engine.fit`. Nothing is random."""
        exact = design.family.name == "gaussian"
        if not exact and not self.restricted:
            return self.fit_generalized(design, priors, seed, progress)
        if self.nodes != 1:
            raise EngineError(
                message(
                    f"{self.name.upper()}(nodes={self.nodes!r}) of a model whose effects "
                    f"{'integrate out exactly' if exact else 'have no REML'}",
                    "nodes=1",
                    "leave nodes out",
                )
            )
        with progress.running():
            with progress.stage("cross-products"):
                marginal = require_marginal(design, flat_priors(design, priors), self.name.upper())
                profile = Profile(marginal, self.restricted)
            with progress.stage("maximise", "the first time on a machine kernels are compiled"):
                best = maximise(profile)
            with progress.stage("effects"):
                tree = point_tree(profile, best)
        singular = bool(tree["sample_stats"]["singular"])
        notes = ["Priors are ignored; random effects are their conditional modes."]
        if singular:
            notes.append("Singular fit: a variance is zero or a correlation is one.")
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=tuple(notes),
        )

    def fit_generalized(
        self, design: Design, priors: Priors, seed: int, progress: Progress
    ) -> FitResult:
        """Maximise a likelihood whose effects are integrated numerically."""
        import xarray as xr

        with progress.running():
            with progress.stage("prepare"):
                own = flat_priors(design, priors)
                marginal = (
                    require_latent(design, own, "ML")
                    if len(design.random) > 1
                    else require_quadrature(design, own, "ML")
                )
            with progress.stage("maximise", "the first time on a machine kernels are compiled"):
                surface, best, move = generalized_ml.maximise_with_nodes(
                    Surface(marginal), self.nodes
                )
            with progress.stage("effects"):
                tree = generalized_ml.point_tree(surface, best, surface.marginal.nodes)
        notes = ["Priors are ignored; random effects are their conditional modes."]
        notes.append(integration(surface.marginal.nodes, move))
        endless = separation_note(design, bounded=False)
        notes.extend((*endless, *generalized_ml.endless_note(surface, best)))
        statistics = tree["sample_stats"].to_dataset()
        tree["sample_stats"] = xr.DataTree(statistics.assign(endless=bool(endless)))
        if bool(tree["sample_stats"]["singular"]):
            notes.append("Singular fit: a variance is zero or a correlation is one.")
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=tuple(notes),
        )


@dataclass(frozen=True)
class REML(ML):
    """Restricted maximum likelihood; priors are ignored."""

    name: ClassVar[str] = "reml"
    restricted: ClassVar[bool] = True


def flat_priors(design: Design, priors: Priors) -> Priors:
    """Return priors whose fixed effects are Normal, as the density wants; they are not used."""
    return replace(priors, coefficients={name: Normal(0.0, 1.0) for name in design.coef})


def maximise(profile: Profile) -> Mode:
    """Return the best maximum from several starts; without Theta, the only point."""
    if not profile.blocks:
        value = float(profile.criterion(np.empty((1, 0)))[0])
        return Mode(np.empty(0), -value / 2, 0.0, np.empty((0, 0)), 1)

    def objective(theta: Array) -> Array:
        return -0.5 * profile.criterion(theta)

    found = [find_mode(objective, profile.start * start) for start in STARTS]
    best = max(found, key=lambda mode: mode.value)
    # The criterion is nearly flat in effects much larger than the residual: look further out.
    while FAR < np.abs(best.point).max() < ENDLESS:
        further = find_mode(objective, best.point * FAR)
        if not further.value > best.value + 1e-6:
            break
        best = further
    return best


def point_tree(profile: Profile, best: Mode) -> Any:
    """Return the estimates as a posterior of one draw, with their covariance and fit."""
    import xarray as xr

    marginal = profile.marginal
    design = marginal.design
    p = marginal.data.X.shape[1]
    none = flat(p)
    psi = profile.hyperparameters(best.point)
    sigma = np.array([profile.sigma(best.point)])
    G = profile.scales(best.point[None]) * sigma[0]
    factors = tuple(F * sigma[0] for F in profile.factors(best.point[None]))
    beta, effects = marginal.recovery_at(G, sigma, factors, MEANS).everything(none.matrix)
    _, _, _, covariance = marginal.structure.moments(G[0], float(sigma[0]), none.matrix)
    to_user = np.linalg.inv(marginal.data.to_X) if p else np.empty((0, 0))
    deviance = -2 * best.value
    n_parameters = p + len(best.point) + (not profile.known_scale)
    statistics = {
        "log_likelihood": best.value,
        "deviance": deviance,
        "aic": deviance + 2 * n_parameters,
        "bic": deviance + n_parameters * np.log(len(design.y)),
        "parameters": n_parameters,
        "gradient": best.gradient,
        "singular": profile.is_singular(best.point),
        "ratio": float(np.abs(best.point).max(initial=0.0)),
        "evaluations": best.evaluations,
    }
    other = f"{names.COEF}_other"
    errors = xr.Dataset(
        {"beta_covariance": ((names.COEF, other), to_user @ covariance @ to_user.T)},
        coords={names.COEF: list(design.coef), other: list(design.coef)},
    )
    groups = {
        "posterior": posterior_dataset(marginal, psi, beta, effects),
        "sample_stats": xr.Dataset(statistics),
        "standard_errors": errors,
    }
    return xr.DataTree.from_dict(groups | data_groups(marginal))
