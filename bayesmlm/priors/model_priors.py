"""The priors of a model, one a block of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bayesmlm import names
from bayesmlm.priors.further import FixedPriors
from bayesmlm.priors.lkj import LKJ
from bayesmlm.priors.prior import Prior


@dataclass(frozen=True)
class Priors:
    """Every prior of a model.

    Parameters
    ----------
    coefficients
        One a fixed coefficient, by name.
    intercept_at_means
        Whether the prior of the intercept, or of the thresholds, holds at the means of the
        predictors (the default) and not at x = 0 (a prior set by the user).
    sds
        One an effect, by grouping and effect.
    correlations
        One a grouping with correlated effects.
    further
        One a further parameter of the family (sigma, shape), by name.
    chosen
        Names of the parameters whose prior the user set.
    freedom
        Of the degrees of freedom above 2, nu - 2, of Student-t effects, by grouping.
    latent
        Of ``mu_x``, ``tau_x`` and ``sigma_x`` of predictors x with latent group means, by name.
    predictors
        Of the fixed parts of the formulas of further parameters, by parameter. Their effects
        are among the groupings above, as ``sigma_<group>``.
    """

    coefficients: Mapping[str, Prior]
    intercept_at_means: bool
    sds: Mapping[str, Mapping[str, Prior]]
    correlations: Mapping[str, LKJ]
    further: Mapping[str, Prior]
    chosen: frozenset[str]
    freedom: Mapping[str, Prior] = field(default_factory=dict)
    latent: Mapping[str, Prior] = field(default_factory=dict)
    predictors: Mapping[str, FixedPriors] = field(default_factory=dict)

    def of(self, parameter: str) -> Priors:
        """Return these priors with the fixed part of a parameter in the location's place."""
        if parameter == names.MU:
            return self
        own = self.predictors[parameter]
        return replace(
            self, coefficients=own.coefficients, intercept_at_means=own.intercept_at_means
        )

    @property
    def sigma(self) -> Prior | None:
        """Of the residual SD, or None where there is none."""
        return self.further.get(names.SIGMA)
