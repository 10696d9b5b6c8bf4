"""The names that a prior may be given to, and what suits each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bayesmlm import names
from bayesmlm.design import Design, ParameterDesign, RandomBlock
from bayesmlm.errors import PriorError, message, suggestion
from bayesmlm.families.parameter import ORDERED, POSITIVE, REAL, UNIT
from bayesmlm.priors.defaults import has_lkj
from bayesmlm.priors.distributions import PRIORS
from bayesmlm.priors.lkj import LKJ
from bayesmlm.priors.prior import Prior

AMBIGUOUS = "ambiguous"
"""The kind of a name that is a coefficient's and another parameter's too."""

EXAMPLES = {"share": "bayesmlm.Beta(1, 3)", "cut": "bayesmlm.Normal(0, 3)"}
"""A prior of each kind of parameter that is neither a coefficient nor positive."""

KINDS = {POSITIVE: "sd", UNIT: "share", ORDERED: "cut", REAL: "coefficient"}
"""The kind of each support of a further parameter."""


def check_user(design: Design, user: Mapping[str, Any]) -> None:
    """Refuse a prior of nothing, or of another support than its parameter's.

    Raises
    ------
    PriorError
    """
    targets = prior_targets(design)
    for name, prior in user.items():
        if name not in targets:
            raise PriorError(
                message(
                    f"a prior for {name!r}{suggestion(str(name), targets)}, which is no "
                    "parameter of the model",
                    ", ".join(targets),
                    "correct the name; model.priors() lists them",
                )
            )
        check_kind(name, prior, targets[name])


def shares(part: Design | ParameterDesign) -> bool:
    """Whether a linear predictor has its formula from the location's, as categories have.

    Its priors may then be given to all categories at once, by the names of a location.
    """
    return isinstance(part, ParameterDesign) and part.parameter.support == REAL


def coefficient_keys(parameter: str, name: str, shared: bool = False) -> tuple[str, ...]:
    """Return what a coefficient's prior may be given to, its own name first."""
    owners = (parameter, names.MU) if shared else (parameter,)
    keys = [names.parameter_coef(owner, name) for owner in owners]
    if name != names.INTERCEPT:
        keys += [names.parameter_coef(owner, "slopes") for owner in owners]
    return tuple(keys)


def sd_keys(block: RandomBlock, shared: bool, effect: str) -> tuple[str, ...]:
    """Return what the prior of an effect's SD may be given to, its own name first."""
    owners = [block.name, block.grouping.name] if shared else [block.name]
    keys = [f"{names.sd(owner)}[{effect}]" for owner in owners]
    keys += [names.sd(owner) for owner in owners]
    return (*keys, every_sd(block), *(["sd"] if shared else []))


def corr_keys(block: RandomBlock, shared: bool) -> tuple[str, ...]:
    """Return what the prior of a block's correlations may be given to, its own name first."""
    owners = [block.name, block.grouping.name] if shared else [block.name]
    return (*(names.corr(owner) for owner in owners), "corr")


def every_sd(block: RandomBlock) -> str:
    """Return the name of the SDs of all effects on one parameter."""
    return "sd" if block.parameter == names.MU else names.sd(block.parameter)


def prior_targets(design: Design) -> dict[str, str]:
    """Return every name a prior may be given to, with the kind of parameter it is."""
    targets: dict[str, str] = {}
    parts = design.parts
    for part in parts:
        for name in part.coef:
            if name != names.INTERCEPT:
                keys = coefficient_keys(part.target, name, shares(part))
                targets |= dict.fromkeys(keys[len(keys) // 2 :], "coefficient")
        for block in part.random:
            for effect in block.effects:
                targets |= dict.fromkeys(sd_keys(block, shares(part), effect), "sd")
            if block.distribution == "student":
                targets[names.nu(block.name)] = "sd"
            if has_lkj(block):
                targets |= dict.fromkeys(corr_keys(block, shares(part)), "corr")
    targets |= {parameter.name: KINDS[parameter.support] for parameter in design.parameters}
    for mean in design.latent.means:
        mu, tau, sigma = names.latent_parameters(mean.x)
        targets |= {mu: "coefficient", tau: "sd", sigma: "sd"}
    own = Counter(names.parameter_coef(part.target, name) for part in parts for name in part.coef)
    coefficients = {
        name: AMBIGUOUS if name in targets or times > 1 else "coefficient"
        for name, times in own.items()
    }
    for part in filter(shares, design.further):
        coefficients |= {name: coefficients.get(name, "coefficient") for name in part.coef}
    return coefficients | {k: v for k, v in targets.items() if k not in coefficients}


def check_kind(name: str, prior: Any, kind: str) -> None:
    """Refuse a prior that does not suit its parameter."""
    positive = ", ".join(key for key, value in PRIORS.items() if value.positive)
    unit = ", ".join(key for key, value in PRIORS.items() if value.unit)
    real = ", ".join(key for key, value in PRIORS.items() if not (value.positive or value.unit))
    if kind == AMBIGUOUS:
        raise PriorError(
            message(
                f"a prior for {name!r}, a coefficient's name and a parameter's",
                "names of one parameter or of one kind",
                f"rename the column {name!r}",
            )
        )
    if kind == "corr":
        suits, allowed = isinstance(prior, LKJ), "LKJ(eta)"
    elif kind == "sd":
        suits, allowed = isinstance(prior, Prior) and prior.positive, positive
    elif kind == "share":
        suits, allowed = isinstance(prior, Prior) and prior.unit, unit
    elif kind == "cut":
        suits = isinstance(prior, Prior) and not (prior.positive or prior.unit)
        allowed = real
    else:
        suits, allowed = isinstance(prior, Prior) and not prior.unit, f"{real}, {positive}"
    if not suits:
        raise PriorError(
            message(
                f"{prior} ({type(prior).__name__}) as the prior of {name!r}",
                allowed,
                f"pass one of these, for example {EXAMPLES.get(kind, 'bayesmlm.HalfNormal(1)')}",
            )
        )
