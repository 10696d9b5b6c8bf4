"""Default priors, resolved once against the data.

They are wide on the scale of the data: they regularise and do not inform. The default of the
intercept is a prior of the mean outcome at the means of the predictors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.design import Design, LatentMean, ParameterDesign, RandomBlock
from bayesmlm.families import Parameter
from bayesmlm.priors.distributions import PRIORS, Gamma, HalfStudentT, Normal
from bayesmlm.priors.further import FixedPriors, link_scale, parameter_intercept
from bayesmlm.priors.lkj import LKJ
from bayesmlm.priors.model_priors import Priors
from bayesmlm.priors.prior import Prior

Array = NDArray[np.float64]

LINK_SCALE = {"logit": 2.5, "probit": 1.5, "cloglog": 1.75, "log": 2.5}
"""Scale of slopes (per SD of the predictor) and of SDs where the link has a scale of its own."""

INTERCEPT_SCALE = {"logit": 2.5, "probit": 1.5, "cloglog": 1.75, "log": 5.0}
"""Scale of the default prior of the intercept where the link has a scale of its own."""

SMALLEST_MEAN = 0.01
"""Of counts that are all zero, so that their link is finite."""


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
