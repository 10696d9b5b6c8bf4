"""The user's own priors in the defaults' place.

A prior that the user sets refers to the coefficient as displayed, at x = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign
from bayesmlm.priors.defaults import default_priors
from bayesmlm.priors.further import FixedPriors
from bayesmlm.priors.model_priors import Priors
from bayesmlm.priors.targets import check_user, coefficient_keys, corr_keys, sd_keys, shares


def resolve_priors(design: Design, user: Mapping[str, Any] | None) -> Priors:
    """Return the default priors with the user's own in their place.

    Parameters
    ----------
    design
        The model.
    user
        Priors by name, the more specific name first: a coefficient (``"ses"``), ``"slopes"``
        for all but the intercept; ``"sd_school[ses]"``, ``"sd_school"``, ``"sd"``;
        ``"corr_school"``, ``"corr"``; ``"nu_school"`` (of nu - 2); ``"sigma"`` and the family's
        other further parameters, or of a formula of one ``"sigma_ses"``, ``"sigma_slopes"``,
        ``"sd_sigma_school[ses]"``, ``"sd_sigma_school"``, ``"sd_sigma"``; of a predictor x with
        latent group means ``"mu_x"``, ``"tau_x"``, ``"sigma_x"``.

    Raises
    ------
    PriorError
        For a prior of nothing, or one whose support does not suit its parameter.
    """
    priors = default_priors(design)
    if not user:
        return priors
    check_user(design, user)
    picks = Picks(user)
    blocks = {b.name: (b, shares(part)) for part in design.parts for b in part.random}
    found = replace(
        priors,
        coefficients=picks.each(priors.coefficients, partial(coefficient_keys, names.MU)),
        intercept_at_means=names.INTERCEPT not in user and names.THRESHOLDS not in user,
        sds={
            group: picks.each(effects, partial(sd_keys, *blocks[group]))
            for group, effects in priors.sds.items()
        },
        correlations=picks.each(priors.correlations, lambda group: corr_keys(*blocks[group])),
        further=picks.each(priors.further, lambda name: (name,)),
        freedom=picks.each(priors.freedom, lambda group: (names.nu(group),)),
        latent=picks.each(priors.latent, lambda name: (name,)),
        predictors={
            part.target: picks.fixed(part, priors.predictors[part.target])
            for part in design.further
        },
    )
    return replace(found, chosen=frozenset(picks.chosen))


class Picks:
    """The user's priors, and which parameters have taken one.

    Parameters
    ----------
    user
        Priors by name.
    """

    def __init__(self, user: Mapping[str, Any]) -> None:
        self.user = user
        self.chosen: set[str] = set()

    def pick(self, default: Any, keys: tuple[str, ...]) -> Any:
        """Return the prior given to the first of these names, or the default."""
        for key in keys:
            if key in self.user:
                self.chosen.add(keys[0])
                return self.user[key]
        return default

    def each(
        self, defaults: Mapping[str, Any], keys: Callable[[str], tuple[str, ...]]
    ) -> dict[str, Any]:
        """Return a prior a parameter; `keys` gives the names it may be given to."""
        return {name: self.pick(default, keys(name)) for name, default in defaults.items()}

    def fixed(self, part: ParameterDesign, defaults: FixedPriors) -> FixedPriors:
        """Return the priors of the fixed part of a further parameter's formula."""
        keys = partial(coefficient_keys, part.target, shared=shares(part))
        at_zero = set(keys(names.INTERCEPT)) & set(self.user)
        return FixedPriors(self.each(defaults.coefficients, keys), not at_zero)
