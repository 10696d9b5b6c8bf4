"""Maximum likelihood and restricted maximum likelihood, as lme4 and HLM print them.

With Theta the effects' Cholesky factor relative to sigma, sigma and beta are profiled out:

    ML deviance    log|A| + n (1 + log(2 pi r² / n)) - log|W|
    REML criterion log|A| + log|X'V⁻¹X| + (n - p) (1 + log(2 pi r² / (n - p))) - log|W|

Both are smooth and even in the diagonal of Theta, so a variance of zero is inside.

References
----------
Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01, equations 34 and 41.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import GaussianMarginal
from bayesmlm.density.fixed_prior import flat
from bayesmlm.density.threads import threads
from bayesmlm.design import Design
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.layout import data_groups, posterior_dataset
from bayesmlm.engines.marginal import require_marginal
from bayesmlm.engines.mode import Mode, find_mode
from bayesmlm.engines.progress import Progress
from bayesmlm.priors import Normal, Priors
from bayesmlm.result import FitResult

Array = NDArray[np.float64]

STARTS = (1.0, 0.2)
"""Relative SDs from which the optimiser starts; the best maximum is kept."""

SINGULAR = 1e-4
"""Smallest singular value of Theta, in units of its columns, below which a fit is singular."""


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

    @property
    def entries(self) -> list[tuple[int, int, int]]:
        """Grouping, row and column of each free entry of Theta."""
        return [
            (g, members[i], members[j])
            for g, slots in enumerate(self.marginal.layout.groups)
            for members in slots.block.blocks
            for i in range(len(members))
            for j in range(i + 1)
        ]

    def factors(self, theta: Array) -> list[Array]:
        """Return Theta of each grouping in the design's order, each of shape (S, q, q)."""
        found = []
        for g, slots in enumerate(self.marginal.layout.groups):
            length = np.sqrt((slots.block.Z**2).mean(axis=0))
            T = np.zeros((len(theta), len(length), len(length)))
            for at, (group, i, j) in enumerate(self.entries):
                if group == g:
                    T[:, i, j] = theta[:, at] / length[i]
            found.append(T)
        return found

    def figures(self, theta: Array) -> Array:
        """Return the kernel's figures at sigma = 1, shape (S, 3)."""
        structure = self.marginal.structure
        matrix = flat(self.marginal.data.X.shape[1]).matrix
        with threads(structure.work * len(theta)):
            return np.asarray(
                structure.kernel.evaluate(
                    *structure.arguments, self.scales(theta), np.ones(len(theta)), matrix
                )
            )

    def scales(self, theta: Array) -> Array:
        """Return the kernel's scales, flat."""
        factors = self.factors(theta)
        parts = [
            (self.marginal.data.to_Z[k] @ factors[k]).reshape(len(theta), -1)
            for k in self.marginal.structure.order
        ]
        return np.ascontiguousarray(np.concatenate([*parts, np.empty((len(theta), 0))], axis=1))

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
        for slots, T in zip(layout.groups, self.factors(theta[None]), strict=True):
            L = T[0] * sigma
            sds = np.sqrt((L**2).sum(axis=1))
            psi[0, slots.sds] = np.log(np.maximum(sds, 1e-150))
            for members, at in zip(slots.block.blocks, slots.partials, strict=True):
                psi[0, at] = np.arctanh(partial_correlations(L[np.ix_(members, members)]))
        if layout.sigma is not None:
            psi[0, layout.sigma] = np.log(sigma)
        return psi

    def is_singular(self, theta: Array) -> bool:
        """Whether a variance is zero or a correlation is one."""
        for slots, T in zip(self.marginal.layout.groups, self.factors(theta[None]), strict=True):
            length = np.sqrt((slots.block.Z**2).mean(axis=0))
            for members in slots.block.blocks:
                own = (T[0] * length[:, None])[np.ix_(members, members)]
                if np.linalg.svd(own, compute_uv=False).min() < SINGULAR:
                    return True
        return False


def partial_correlations(L: Array) -> Array:
    """Return the partial correlations of a covariance factor, in the order of `cholesky_factor`."""
    q = len(L)
    found = []
    for j in range(q):
        length = np.sqrt((L[j] ** 2).sum())
        left = 1.0
        for i in range(j):
            value = L[j, i] / length * np.sign(L[i, i] or 1.0) if length > 0 else 0.0
            p = float(np.clip(value / left, -1 + 1e-15, 1 - 1e-15)) if left > 1e-8 else 0.0
            found.append(p)
            left *= np.sqrt(1 - p * p)
    return np.array(found)


@dataclass(frozen=True)
class ML(Engine):
    """Maximum likelihood; priors are ignored."""

    name: ClassVar[str] = "ml"
    restricted: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"{self.name.upper()}, priors ignored"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Maximise the likelihood; see `Engine.fit`. Nothing is random."""
        with progress.running():
            with progress.stage("cross-products"):
                own = {name: Normal(0.0, 1.0) for name in design.coef}
                marginal = require_marginal(design, replace_coefficients(priors, own), str(self))
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


@dataclass(frozen=True)
class REML(ML):
    """Restricted maximum likelihood; priors are ignored."""

    name: ClassVar[str] = "reml"
    restricted: ClassVar[bool] = True


def replace_coefficients(priors: Priors, own: dict[str, Normal]) -> Priors:
    """Return priors whose fixed effects are Normal, as the density wants; they are not used."""
    from dataclasses import replace

    return replace(priors, coefficients=own)


def maximise(profile: Profile) -> Mode:
    """Return the best maximum from several starts; without Theta, the only point."""
    entries = profile.entries
    if not entries:
        value = float(profile.criterion(np.empty((1, 0)))[0])
        return Mode(np.empty(0), -value / 2, 0.0, np.empty((0, 0)), 1)
    diagonal = np.array([float(i == j) for _, i, j in entries])
    found = [
        find_mode(lambda theta: -0.5 * profile.criterion(theta), diagonal * start)
        for start in STARTS
    ]
    return max(found, key=lambda mode: mode.value)


def point_tree(profile: Profile, best: Mode) -> Any:
    """Return the estimates as a posterior of one draw, with their covariance and fit."""
    import xarray as xr

    marginal = profile.marginal
    design = marginal.design
    p = marginal.data.X.shape[1]
    none = flat(p)
    psi = profile.hyperparameters(best.point)
    beta, effects = marginal.recover(psi, None, none)
    sigma = np.array([profile.sigma(best.point)])
    G = profile.scales(best.point[None]) * sigma[0]
    _, _, _, covariance = marginal.structure.kernel.moments(
        *marginal.structure.arguments, G[0], sigma[0], none.matrix
    )
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
