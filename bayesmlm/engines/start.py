"""Where optimisers and samplers start: SDs of a share of the response's, no correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmlm import names
from bayesmlm.density import (
    ConditionalPosterior,
    GaussianMarginal,
    LatentMarginal,
    QuadratureMarginal,
)
from bayesmlm.density.linear_parts import Part, typical
from bayesmlm.design import Design, ParameterDesign
from bayesmlm.families.parameter import ORDERED
from bayesmlm.graph.parametrisation import weighted_least_squares, working_response
from bayesmlm.priors import outcome_scale

Array = NDArray[np.float64]

EFFECT_SHARE = 0.4
RESIDUAL_SHARE = 0.7

HALVINGS = 12
"""Times that the jitter is halved until the density is positive."""

JITTER = 0.5
"""Half width of the uniform jitter of chains' starts, in units of the coordinates' scales."""


def starting_point(marginal: GaussianMarginal) -> Array:
    """Return hyperparameters to start from, shape (d,)."""
    return hyperparameter_start(marginal, float(marginal.design.y.std()))


def hyperparameter_start(
    density: GaussianMarginal | ConditionalPosterior | QuadratureMarginal | LatentMarginal,
    scale: float,
) -> Array:
    """Return hyperparameters to start from, given the scale of the linear predictor."""
    layout = density.layout
    start = np.zeros(layout.size)
    for slots in layout.groups:
        length = np.sqrt((slots.block.Z**2).mean(axis=0))
        own_scale = scale if slots.block.parameter == names.MU else 1.0
        start[slots.sds] = np.log(EFFECT_SHARE * own_scale / length)
    if layout.sigma is not None:
        start[layout.sigma] = np.log(RESIDUAL_SHARE * scale)
    for own in layout.further:
        if own.parameter.support == ORDERED:
            start[own.at] = own.parameter.line(threshold_start(density.design))
    return start


def expected_information(marginal: GaussianMarginal) -> Array:
    """Return rough negative second derivatives of the log density, shape (d,).

    Of a log SD twice the number of units it describes, were these observed; of a partial
    correlation their number.
    """
    layout = marginal.layout
    found = np.zeros(layout.size)
    for slots in layout.groups:
        J = slots.block.grouping.size
        found[slots.sds] = 2 * J
        for at in slots.partials:
            found[at] = J
    if layout.sigma is not None:
        found[layout.sigma] = 2 * len(marginal.design.y)
    return found


def generalized_start(marginal: QuadratureMarginal) -> Array:
    """Return theta of a regression without effects and of moderate SDs, shape (size,)."""
    design = marginal.design
    beta = weighted_least_squares(design.X, *working_response(design))
    psi = hyperparameter_start(marginal, outcome_scale(design))
    return np.concatenate([marginal.data.to_X @ beta, psi])


def threshold_start(design: Design) -> Array:
    """Return the thresholds that give every category its share of the rows."""
    below = np.cumsum(np.bincount(design.y.astype(int)))[:-1] / len(design.y)
    return design.family.link.link(below)


def jittered_hyperparameters(marginal: GaussianMarginal, seed: int) -> Array:
    """Return where a chain starts on the marginal posterior, shape (d,)."""
    origin = starting_point(marginal)
    return origin + np.random.default_rng(seed).uniform(-JITTER, JITTER, len(origin))


def jittered_start(posterior: ConditionalPosterior, seed: int) -> Array:
    """Return where a chain starts with the effects explicit, shape (size,).

    Coefficients start about a weighted regression without random effects, group effects
    about their means; nearer to it where the linear predictor would otherwise be impossible
    (not positive with the links identity, inverse and sqrt).
    """
    for halvings in range(HALVINGS):
        theta = jittered(posterior, seed, JITTER / 2**halvings)
        if np.isfinite(posterior(theta)[0]):
            break
    return theta


def jittered(posterior: ConditionalPosterior, seed: int, jitter: float) -> Array:
    """Return a start with a uniform jitter of a half width, shape (size,)."""
    rng = np.random.default_rng(seed)
    design, fixed = posterior.design, posterior.fixed
    scale = outcome_scale(design)
    theta = rng.uniform(-jitter, jitter, posterior.size)
    everything, psi, values = posterior.split(theta[None])  # views: theta is set through them
    coordinates = everything[:, : len(design.coef)]
    beta = weighted_least_squares(design.X, *working_response(design))
    length = np.sqrt(((design.X @ fixed.display) ** 2).mean(axis=0))
    coordinates *= scale / np.maximum(length, 1e-300)
    coordinates += np.linalg.solve(fixed.display, beta)
    for part in posterior.parts[1:]:
        own = everything[0, part.first : part.first + len(part.design.coef)]
        own += parameter_start(part, design)
    psi += hyperparameter_start(posterior, scale)
    for group, effect in posterior.means:
        block = design.any_block(group)
        k = block.effects.index(effect)
        own_scale = scale if block.parameter == names.MU else 1.0
        values[group][:, :, k] *= own_scale / np.sqrt((block.Z[:, k] ** 2).mean())
        values[group][:, :, k] += posterior.mean_matrix(group, effect) @ everything[0]
    return theta


def parameter_start(part: Part, design: Design) -> Array:
    """Return coordinates of a further parameter's formula that give it a moderate value."""
    own = part.design
    assert isinstance(own, ParameterDesign)
    wanted = own.link.link(np.array([RESIDUAL_SHARE * typical(own, design)])) - own.offset
    return np.asarray(np.linalg.lstsq(own.X @ part.fixed.display, wanted, rcond=None)[0])
