"""Nonparametric maximum likelihood: effects that take one of K values, found by EM.

Nothing is assumed of the effects' distribution but that it has K points. Points and masses are
estimated with the fixed effects; a fixed effect is the mean over the points, an SD the SD over
them. K is compared by the log likelihood, AIC and BIC; from some K on a further point gains
nothing, and the estimate is the nonparametric one.

References
----------
Laird (1978), doi:10.1080/01621459.1978.10480103;
Lindsay (1983), doi:10.1214/aos/1176346059;
Aitkin (1999), doi:10.1111/j.0006-341X.1999.00117.x.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density.hyperparameters import formulas
from bayesmlm.design import Design
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.expectation import add_point, candidates, em, first, polish, scattered
from bayesmlm.engines.mixture import Mixing, Mixture, mixture
from bayesmlm.engines.npml_estimates import Maximum, point_tree
from bayesmlm.engines.progress import Progress
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

Array = NDArray[np.float64]

APART = 1e-3
"""Distance, on the scale of the linear predictor, and mass, from which points count as distinct."""

NOTHING = 1e-3
"""Slope of the log likelihood towards any further point at which it gains nothing."""

EDGE = 12.0
"""Linear predictor, links other than the identity, beyond which a point has gone to infinity."""


FAMILIES = ("gaussian", "bernoulli", "binomial", "poisson")
"""Families without further parameters, sigma apart."""


@dataclass(frozen=True)
class NPML(Engine):
    """Nonparametric maximum likelihood; priors are ignored.

    One grouping with an intercept, or intercept and slopes, that also have fixed coefficients.

    Parameters
    ----------
    points
        Number of mass points, K; 1 is the regression without random effects. They are labelled
        from 1 on, in ascending order of the first effect.
    starts
        Number of random starts, beside one that adds a point at a time where it promises most.
    """

    points: int = 3
    starts: int = 8

    name: ClassVar[str] = "npml"

    def __post_init__(self) -> None:
        for option, least in (("points", 1), ("starts", 0)):
            value: Any = getattr(self, option)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not whole or value < least:
                raise EngineError(
                    message(
                        f"NPML({option}={value!r})",
                        f"a whole number from {least}",
                        f"pass {option}={getattr(type(self), option)}, or leave it out",
                    )
                )
            object.__setattr__(self, option, int(value))  # a NumPy integer is welcome

    def __str__(self) -> str:
        return f"NPML of {self.points} mass points by EM, {self.starts + 1} starts, priors ignored"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Maximise the likelihood; see `Engine.fit`. The seed is of the starts.

        Raises
        ------
        EngineError
            For a model without exactly one grouping, or more points than groups.
        """
        check_design(design, self.points)
        with progress.running():
            with progress.stage("maximise", "the first time on a machine kernels are compiled"):
                density = mixture(design)
                best = maximise(density, self.points, self.starts, np.random.default_rng(seed))
            with progress.stage("effects"):
                tree = point_tree(density, best, self.points)
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=notes(density, best, self.points, tree),
        )


def check_design(design: Design, points: int) -> None:
    """Refuse a model that mass points do not suit."""
    if design.family.name not in FAMILIES:
        raise EngineError(
            message(
                f"NPML of the {design.family.name} family",
                ", ".join(FAMILIES),
                'fit with "nuts"',
            )
        )
    if design.latent.reason:
        raise EngineError(
            message(f"NPML: {design.latent.reason}", "observed predictors", 'fit with "nuts"')
        )
    varying = formulas(design)
    if varying is not None:
        raise EngineError(
            message(f"NPML where {varying}", "a formula of the location", 'fit with "nuts"')
        )
    if len(design.random) != 1:
        raise EngineError(
            message(
                f"NPML of a model with {len(design.random)} groupings",
                "one grouping",
                'leave one grouping in the model, or fit with "nuts"',
            )
        )
    block = design.random[0]
    if not block.is_normal:
        raise EngineError(
            message(
                f"NPML of effects by {block.name} whose distribution is {block.distribution}",
                "terms without dist=, as NPML(points=3) has the points",
                'leave out dist=, or fit with "nuts"',
            )
        )
    if len(block.blocks) > 1:
        raise EngineError(
            message(
                f"NPML of independent effects of {block.name}, which points do not give",
                "one term, such as (x | g)",
                "write (x | g) for (x || g)",
            )
        )
    missing = [effect for effect in block.effects if effect not in design.coef]
    if missing:
        raise EngineError(
            message(
                f"NPML of {', '.join(missing)} by {block.name}, without a fixed coefficient",
                "effects that the fixed part has too: its coefficient is the points' mean",
                "add it to the fixed part",
            )
        )
    if points > block.grouping.size:
        raise EngineError(
            message(
                f"NPML(points={points}) of {block.grouping.size} groups of {block.name}",
                "at most as many points as groups",
                f"pass points={min(3, block.grouping.size)}, say",
            )
        )


def maximise(density: Mixture, K: int, starts: int, rng: np.random.Generator) -> Maximum:
    """Return the best of all starts."""
    one = first(density)
    grown = one
    for k in range(2, K + 1):
        grown = em(density, add_point(density, grown, rng))
        if k < K:
            grown = polish(density, grown)[0]
    others = [em(density, scattered(density, one, K, rng)) for _ in range(starts if K > 1 else 0)]
    finished = [polish(density, at) for at in (grown, *others)]
    evaluations = sum(found[2] for found in finished)
    values = [density.value(found[0]) for found in finished]
    at, gradient, _ = finished[int(np.nanargmax(values))]
    before = len(at.points)
    at = distinct(density, at)
    if len(at.points) < before:
        at, gradient, more = polish(density, at)
        at, evaluations = distinct(density, at), evaluations + more
    gain = float(density.gain(at, candidates(density, at, rng)).max())
    return Maximum(at, density.value(at), gradient, evaluations, gain)


def distinct(density: Mixture, at: Mixing) -> Mixing:
    """Return the parameters with coinciding points made one, in ascending order."""
    order = np.argsort(np.linalg.solve(density.to_Z, at.points.T)[0], kind="stable")
    points: list[Array] = []
    mass: list[float] = []
    for k in order:
        near = [m for m, own in enumerate(points) if np.abs(own - at.points[k]).max() < APART]
        if near:
            m, both = near[0], mass[near[0]] + at.mass[k]
            points[m] = (mass[m] * points[m] + at.mass[k] * at.points[k]) / both
            mass[m] = both
        elif at.mass[k] * density.size > APART:
            points.append(at.points[k])
            mass.append(float(at.mass[k]))
    total = np.array(mass) / sum(mass)
    return replace(at, points=np.array(points), log_mass=np.log(total))


def notes(density: Mixture, best: Maximum, K: int, tree: Any) -> tuple[str, ...]:
    """Return what the user is told."""
    found = ["Priors are ignored; random effects are their means over the points' probabilities."]
    number = len(best.at.points)
    group = density.design.random[0].name
    if number < K:
        found.append(
            f"Only {number} of {K} points differ: one more point than {number} gains nothing."
        )
    elif best.gain < NOTHING:
        found.append(f"One more point than {K} gains nothing: this is the nonparametric maximum.")
    else:
        found.append("A further point may raise the likelihood: compare several numbers of points.")
    if is_at_edge(density, best.at):
        found.append(
            f"A point of {group} lies where rows have probability 0 or 1, or a mean of 0: the "
            "likelihood rises without end towards it, and the SD means little."
        )
    if not np.isfinite(tree["standard_errors"]["beta_covariance"]).all():
        found.append("Standard errors are not defined: the likelihood is flat at its maximum.")
    return tuple(found)


def is_at_edge(density: Mixture, at: Mixing) -> bool:
    """Whether a point has gone to infinity."""
    if density.design.family.link.name == "identity":
        return False
    eta = density.predictors(at.gamma, at.points)
    typical = np.median(eta, axis=1)
    high = density.design.family.link.name != "log" and bool((typical > EDGE).any())
    return high or bool((typical < -EDGE).any())
