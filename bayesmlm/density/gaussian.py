"""The Gaussian likelihood with random and fixed effects integrated out exactly.

With y = X beta + sum_k Z_k u_k + e, u_k ~ N(0, I x T_k), e ~ N(0, sigma² W⁻¹) and
beta ~ N(m, P⁻¹), and with u = L z for standard normal z,

    -2 log p(y | psi) = n log(2 pi sigma²) - log|W| + log|A| + log|H| - log|P| + quad,

A the penalised cross-products of the random part, H the precision of beta given y, and quad
the penalised residual sum of squares at its minimum.

References
----------
Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01, section 3;
Lindley & Smith (1972), Journal of the Royal Statistical Society B 34, 1–41.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.crossproducts import Columns, columns
from bayesmlm.density.fixed_prior import FixedPrior, flat, is_normal, normal
from bayesmlm.density.gradient import finish
from bayesmlm.density.hyperparameters import Hyperparameters, formulas, hyperparameters
from bayesmlm.density.noise import MEANS, Noise
from bayesmlm.density.psi_prior import PsiPrior, psi_prior
from bayesmlm.density.recovery import Recovery
from bayesmlm.density.structure import Structure, structure
from bayesmlm.design import Design
from bayesmlm.priors import Priors

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GaussianMarginal:
    """The marginal density of the hyperparameters of a Gaussian model.

    Parameters
    ----------
    design, priors
        The model.
    data, structure, layout, prior
        Its columns, kernel, hyperparameters, and prior of the fixed effects.
    """

    design: Design
    priors: Priors
    data: Columns
    structure: Structure
    layout: Hyperparameters
    prior: FixedPrior

    def scales(self, psi: Array) -> tuple[Array, Array]:
        """Return the kernel's scales C L of each grouping, flat, and sigma; one row each."""
        factors = [slots.factor(psi) for slots in self.layout.groups]
        return self.flat_scales(factors, len(psi)), self.layout.residual_sd(psi)

    def flat_scales(self, factors: list[Array], size: int) -> Array:
        """Return C L of each grouping, flat in the kernel's order; one row a draw.

        Parameters
        ----------
        factors
            L by grouping of the design, each of shape (S, q, q).
        size
            S.
        """
        parts = [(self.data.to_Z[k] @ factors[k]).reshape(size, -1) for k in self.structure.order]
        return np.ascontiguousarray(np.concatenate([*parts, np.empty((size, 0))], axis=1))

    def evaluate(self, psi: Array, prior: FixedPrior | None = None) -> Array:
        """Return the kernel's three figures per hyperparameter vector, shape (S, 3)."""
        matrix = (self.prior if prior is None else prior).matrix
        return self.structure.evaluate(*self.scales(psi), matrix)

    def log_likelihood(self, psi: Array) -> Array:
        """Return log p(y | psi), random and fixed effects integrated out; shape (S,)."""
        figures = self.evaluate(psi)
        return self.base(psi) - 0.5 * (figures.sum(axis=1) - self.prior.log_det)

    def base(self, psi: Array) -> Array:
        """Return the part of the log likelihood that only sigma and the weights enter."""
        log_sigma2 = 2 * np.log(self.layout.residual_sd(psi))
        n = self.data.n
        return -0.5 * (n * (np.log(2 * np.pi) + log_sigma2) - self.data.log_weight)

    def log_density(self, psi: Array) -> Array:
        """Return log p(psi, y); minus infinity where it cannot be computed; shape (S,)."""
        psi = np.atleast_2d(psi)
        with np.errstate(all="ignore"):
            total = self.log_likelihood(psi) + self.psi_prior.log_density(psi)
        return np.where(np.isfinite(total), total, -np.inf)

    @cached_property
    def psi_prior(self) -> PsiPrior:
        """The prior of the hyperparameters."""
        return psi_prior(self.layout, self.priors)

    def maximum_likelihood(self, psi: Array) -> Array:
        """Return the log likelihood at the best fixed effects, shape (S,)."""
        figures = self.evaluate(psi, flat(self.data.X.shape[1]))
        return self.base(psi) - 0.5 * (figures[:, 0] + figures[:, 2])

    def restricted_likelihood(self, psi: Array) -> Array:
        """Return the restricted log likelihood, log|X'V⁻¹X| of the user's X; shape (S,)."""
        p = self.data.X.shape[1]
        figures = self.evaluate(psi, flat(p))
        to_user = 2 * float(np.linalg.slogdet(self.data.to_X)[1]) if p else 0.0
        return self.base(psi) - 0.5 * (figures.sum(axis=1) + to_user - p * np.log(2 * np.pi))

    @property
    def slots(self) -> tuple[Any, ...]:
        """Position of sigma in psi, sizes and widths, and, flat in the kernel's order, the
        positions of SDs and partial correlations and the matrices C.
        """
        sd_at, partial_at, to_Z = [], [], []
        for k in self.structure.order:
            slots = self.layout.groups[k]
            sd_at.append(slots.sds)
            partial_at.append(slots.pair_positions.ravel())
            to_Z.append(self.data.to_Z[k].ravel())
        whole = np.empty(0, dtype=np.int64)
        return (
            -1 if self.layout.sigma is None else self.layout.sigma,
            np.array(self.structure.sizes, dtype=np.int64),
            np.array(self.structure.widths, dtype=np.int64),
            np.concatenate([*sd_at, whole]).astype(np.int64),
            np.concatenate([*partial_at, whole]),
            np.concatenate([*to_Z, np.empty(0)]),
        )

    def likelihood_gradient(self, psi: Array) -> Array:
        """Return the gradient of `log_likelihood` at one vector, shape (d,)."""
        G, sigma = self.scales(psi[None])
        matrix = self.prior.matrix
        found = self.structure.moments(G[0], sigma[0], matrix)
        gradient = np.zeros(self.layout.size)
        sigma_at, sizes, widths, sd_at, partial_at, _ = self.slots
        finish(
            psi, sigma_at, sizes, widths, sd_at, partial_at, matrix, self.data.n, found, gradient
        )
        return gradient

    def recovery(self, psi: Array, noise: Noise) -> Recovery:
        """Return the conditional distribution of all effects given S hyperparameter vectors."""
        factors = tuple(slots.factor(psi) for slots in self.layout.groups)
        return self.recovery_at(*self.scales(psi), factors, noise)

    def recovery_at(
        self, G: Array, sigma: Array, factors: tuple[Array, ...], noise: Noise
    ) -> Recovery:
        """Return what `recovery` does, given its scales; see `Recovery`."""
        groups = tuple(slots.block.name for slots in self.layout.groups)
        return Recovery(self.structure, self.data, groups, G, sigma, factors, noise)

    def recover(self, psi: Array, noise: Noise = MEANS) -> tuple[Array, dict[str, Array]]:
        """Draw fixed and random effects given hyperparameters; without noise, their means.

        Returns
        -------
        beta, effects
            Fixed effects in the user's coordinates, shape (S, p), and by grouping the
            effects, shape (S, J, q).
        """
        return self.recovery(psi, noise).everything(self.prior.matrix)


def gaussian_marginal(design: Design, priors: Priors) -> GaussianMarginal | str:
    """Return the marginal density of a design, or the reason why there is none.

    Parameters
    ----------
    design, priors
        The model.
    """
    if design.family.name != "gaussian":
        return f"the {design.family.name} family does not integrate in closed form"
    varying = formulas(design)
    if varying is not None:
        return varying
    other = next((block for block in design.random if not block.is_normal), None)
    if other is not None:
        return f"the effects by {other.name} are not normal ({other.distribution})"
    if design.latent.reason:
        return design.latent.reason
    if not is_normal(priors):
        return "a fixed effect has a prior that is not Normal"
    data = columns(design)
    kernel = structure(design.random, data)
    if kernel is None:
        return "the crossed groupings are too large and too interwoven for a factor"
    return GaussianMarginal(
        design, priors, data, kernel, hyperparameters(design), normal(design, priors, data)
    )
