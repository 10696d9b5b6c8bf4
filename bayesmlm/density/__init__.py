"""The model's log density as compiled kernels, with random effects integrated out."""

from bayesmlm.density.gaussian import GaussianMarginal, gaussian_marginal

__all__ = ["GaussianMarginal", "gaussian_marginal"]
