"""Normal priors in the place of others, under which fixed effects integrate out."""

from __future__ import annotations

from dataclasses import replace

from bayesmlm.priors.distributions import Cauchy, Normal, StudentT
from bayesmlm.priors.model_priors import Priors
from bayesmlm.priors.prior import Prior

WIDER = 5.0
"""SD of a stand-in in scales of the prior: wide, as prior and data may disagree."""


def normal_stand_in(priors: Priors) -> Priors:
    """Return priors that are Normal where a fixed effect's is Student t or Cauchy.

    The same object where there is none; other priors stay.
    """
    own = {name: stand_in(prior) for name, prior in priors.coefficients.items()}
    if all(own[name] is prior for name, prior in priors.coefficients.items()):
        return priors
    return replace(priors, coefficients=own)


def stand_in(prior: Prior) -> Prior:
    """Return the Normal prior that stands in for another one."""
    if isinstance(prior, StudentT):
        return Normal(prior.mu, WIDER * prior.sigma)
    if isinstance(prior, Cauchy):
        return Normal(prior.alpha, WIDER * prior.beta)
    return prior
