"""The model's log density as compiled kernels: random effects explicit or integrated out."""

from bayesmlm.density.conditional import ConditionalPosterior, conditional_posterior
from bayesmlm.density.gaussian import GaussianMarginal, gaussian_marginal
from bayesmlm.density.latent import LatentMarginal, latent_marginal
from bayesmlm.density.quadrature import QuadratureMarginal, quadrature_marginal

__all__ = [
    "ConditionalPosterior",
    "GaussianMarginal",
    "LatentMarginal",
    "QuadratureMarginal",
    "conditional_posterior",
    "gaussian_marginal",
    "latent_marginal",
    "quadrature_marginal",
]
