"""Default priors, resolved once against the data, and the user's own put in their place.

Defaults are wide on the scale of the data: they regularise and do not inform. The default
of the intercept is a prior of the mean outcome at the means of the predictors; a prior that
the user sets refers to the coefficient as displayed, at x = 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, LatentMean, ParameterDesign, RandomBlock
from bayesmlm.errors import PriorError, message, suggestion
from bayesmlm.families import Parameter
from bayesmlm.families.parameter import ORDERED, POSITIVE, REAL, UNIT
from bayesmlm.priors.further import FixedPriors, link_scale, parameter_intercept
from bayesmlm.priors.lkj import LKJ
from bayesmlm.priors.prior import PRIORS, Gamma, HalfStudentT, Normal, Prior

Array = NDArray[np.float64]

LINK_SCALE = {"logit": 2.5, "probit": 1.5, "cloglog": 1.75, "log": 2.5}
"""Scale of slopes (per SD of the predictor) and of SDs where the link has a scale of its own."""

INTERCEPT_SCALE = {"logit": 2.5, "probit": 1.5, "cloglog": 1.75, "log": 5.0}
"""Scale of the default prior of the intercept where the link has a scale of its own."""

SMALLEST_MEAN = 0.01
"""Of counts that are all zero, so that their link is finite."""

AMBIGUOUS = "ambiguous"
"""The kind of a name that is a coefficient's and another parameter's too."""


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


def spread(column: Array) -> float:
    """Return the sample SD of a column, shape (N,)."""
    return float(column.std(ddof=1))


def outcome_scale(design: Design | ParameterDesign) -> float:
    """Return the scale of the linear predictor: sd(y), or the link's constant / 2.5.

    What an offset accounts for is not the model's to explain: y is y less its offset. With
    links that keep a unit of y (identity, inverse, sqrt), it is the SD of g(y). Of a further
    parameter it is 1.
    """
    if isinstance(design, ParameterDesign):
        return 1.0
    family = design.family
    if family.has_scale:
        return spread(family.on_link_scale(design.y) - design.offset)
    if family.link.name in LINK_SCALE:
        return LINK_SCALE[family.link.name] / 2.5
    return spread(family.link.link(design.y)) or 1.0


def default_priors(design: Design) -> Priors:
    """Return the default priors of a design.

    Notes
    -----
    With s the SD of y (a constant of the link for families without a residual): intercept
    at the means Normal(mean y, 2.5 s); slopes Normal(0, 2.5 s / sd x); SDs and sigma
    HalfStudentT(3, 2.5 s), for the slope of z divided by sd z; correlations LKJ(2); degrees
    of freedom of Student-t effects 2 + Gamma(2, 0.1) (Juárez & Steel 2010,
    doi:10.1198/jbes.2009.07145, who have no bound of 2, below which there is no SD). The
    means of categories in a model without an intercept have the prior of an intercept.
    Further parameters: as their families say; for nu Gamma(2, 0.1), for shape HalfCauchy(1)
    (gamma) or InverseGamma(0.4, 0.3) (negative binomial), for phi HalfCauchy(1), for zi and hu
    Beta(1, 1), for thresholds StudentT(3, 0, 2.5). Where one has a formula: the intercept at
    the means Normal, of the same 95 % interval; slopes Normal(0, c / sd x) and SDs
    HalfStudentT(3, c), c = 1 with the log link, 2.5 with logit, 1.5 with probit, 1.75 with
    cloglog, 2.5 times the median of the constant's prior with the identity.
    """
    s = outcome_scale(design)
    cells = cell_means(design)
    coefficients: dict[str, Prior] = {}
    for name, column in zip(design.coef, design.X.T, strict=True):
        if name == names.INTERCEPT or name in cells:
            coefficients[name] = default_intercept(design)
        else:
            coefficients[name] = Normal(0.0, 2.5 * s / spread(column))
    sds = {block.name: default_sds(block, s) for block in design.random}
    for part in design.further:
        scale = link_scale(part, default_further(part.parameter, s))
        sds |= {block.name: default_sds(block, scale / 2.5) for block in part.random}
    return Priors(
        coefficients=coefficients,
        intercept_at_means=True,
        sds=sds,
        correlations={block.name: LKJ(2.0) for block in design.blocks if has_lkj(block)},
        further={p.name: default_further(p, s) for p in design.parameters},
        chosen=frozenset(),
        freedom={b.name: Gamma(2.0, 0.1) for b in design.blocks if b.distribution == "student"},
        predictors={part.target: default_predictor(part, s) for part in design.further},
        latent={name: prior for mean in design.latent.means for name, prior in of_x(mean).items()},
    )


def of_x(mean: LatentMean) -> dict[str, Prior]:
    """Return the default priors of the submodel of a predictor: those of a gaussian response."""
    mu, tau, sigma = names.latent_parameters(mean.x)
    s = spread(mean.values)
    wide = HalfStudentT(3.0, 2.5 * s)
    return {mu: Normal(float(mean.values.mean()), 2.5 * s), tau: wide, sigma: wide}


def default_predictor(part: ParameterDesign, s: float) -> FixedPriors:
    """Return the default priors of the fixed part of a further parameter's formula."""
    constant, cells = default_further(part.parameter, s), cell_means(part)
    scale = link_scale(part, constant)
    coefficients: dict[str, Prior] = {}
    for name, column in zip(part.coef, part.X.T, strict=True):
        if name == names.INTERCEPT or name in cells:
            coefficients[name] = parameter_intercept(part, constant)
        else:
            coefficients[name] = Normal(0.0, scale / spread(column))
    return FixedPriors(coefficients, True)


def default_further(parameter: Parameter, s: float) -> Prior:
    """Return the default prior of a further parameter, s the scale of the linear predictor."""
    kind, numbers = parameter.prior
    if parameter.scaled:
        numbers = (*numbers[:-1], numbers[-1] * s)
    return PRIORS[kind](*numbers)


def has_lkj(block: RandomBlock) -> bool:
    """Whether correlations are parameters; those of mass points follow from the points."""
    return bool(block.pairs) and block.distribution != "points"


def cell_means(design: Design | ParameterDesign) -> frozenset[str]:
    """Return the coefficients that are means of categories, in a model without an intercept.

    They are those of a term whose columns are 0 or 1 and sum to one in every row.
    """
    if names.INTERCEPT in design.coef or design.ordered:
        return frozenset()
    term_of = np.array(design.fixed.term_of, dtype=int)
    found: set[str] = set()
    for term in np.unique(term_of):
        columns = design.X[:, term_of == term]
        if set(np.unique(columns)) <= {0.0, 1.0} and (columns.sum(axis=1) == 1).all():
            found |= {design.coef[k] for k in np.flatnonzero(term_of == term)}
    return frozenset(found)


def default_intercept(design: Design) -> Prior:
    """Return the default prior of the intercept at the means of the predictors.

    It is a prior of the linear predictor there, the mean of the offset included.
    """
    family, centre = design.family, float(design.offset.mean())
    if family.has_scale:
        own = float(family.on_link_scale(design.y).mean())
    elif family.any_unit or family.link.name not in LINK_SCALE:
        own = float(family.link.link(np.maximum(design.y.mean(), SMALLEST_MEAN)))
    else:
        return Normal(0.0 - centre, INTERCEPT_SCALE[family.link.name])
    return Normal(own - centre, 2.5 * outcome_scale(design))


def default_sds(block: RandomBlock, s: float) -> dict[str, Prior]:
    """Return the default priors of the SDs of one grouping's effects."""
    spreads = [
        1.0 if name == names.INTERCEPT else spread(column)
        for name, column in zip(block.effects, block.Z.T, strict=True)
    ]
    return {
        name: HalfStudentT(3.0, 2.5 * s / sd)
        for name, sd in zip(block.effects, spreads, strict=True)
    }


def resolve_priors(design: Design, user: Mapping[str, Any] | None) -> Priors:
    """Return the default priors with the user's own in their place.

    Parameters
    ----------
    user
        Priors by name, the more specific name first: a coefficient (``"ses"``), ``"slopes"``
        for all but the intercept; ``"sd_school[ses]"``, ``"sd_school"``, ``"sd"``;
        ``"corr_school"``, ``"corr"``; ``"nu_school"`` (of nu - 2); ``"sigma"`` and the family's
        other further parameters; of a predictor x with latent group means ``"mu_x"``,
        ``"tau_x"``, ``"sigma_x"``.
        other further parameters, or of a formula of one ``"sigma_ses"``, ``"sigma_slopes"``,
        ``"sd_sigma_school[ses]"``, ``"sd_sigma_school"``, ``"sd_sigma"``.

    Raises
    ------
    PriorError
        For a prior of nothing, or one whose support does not suit its parameter.
    """
    priors = default_priors(design)
    if not user:
        return priors
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
    chosen: set[str] = set()

    def pick(default: Any, *keys: str) -> Any:
        for key in keys:
            if key in user:
                chosen.add(keys[0])
                return user[key]
        return default

    coefficients = {
        name: pick(default, *coefficient_keys(names.MU, name))
        for name, default in priors.coefficients.items()
    }
    predictors = {
        part.target: FixedPriors(
            {
                name: pick(default, *coefficient_keys(part.target, name, shares(part)))
                for name, default in priors.predictors[part.target].coefficients.items()
            },
            not set(coefficient_keys(part.target, names.INTERCEPT, shares(part))) & set(user),
        )
        for part in design.further
    }
    blocks = {b.name: (b, shares(part)) for part in design.parts for b in part.random}
    sds = {
        group: {
            effect: pick(default, *sd_keys(*blocks[group], effect))
            for effect, default in effects.items()
        }
        for group, effects in priors.sds.items()
    }
    correlations = {
        group: pick(default, *corr_keys(*blocks[group]))
        for group, default in priors.correlations.items()
    }
    further = {name: pick(default, name) for name, default in priors.further.items()}
    freedom = {group: pick(own, names.nu(group)) for group, own in priors.freedom.items()}
    latent = {name: pick(own, name) for name, own in priors.latent.items()}
    return replace(
        priors,
        coefficients=coefficients,
        intercept_at_means=names.INTERCEPT not in user and names.THRESHOLDS not in user,
        sds=sds,
        correlations=correlations,
        further=further,
        chosen=frozenset(chosen),
        freedom=freedom,
        latent=latent,
        predictors=predictors,
    )


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


EXAMPLES = {"share": "bayesmlm.Beta(1, 3)", "cut": "bayesmlm.Normal(0, 3)"}
"""A prior of each kind of parameter that is neither a coefficient nor positive."""

KINDS = {POSITIVE: "sd", UNIT: "share", ORDERED: "cut", REAL: "coefficient"}
"""The kind of each support of a further parameter."""


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
