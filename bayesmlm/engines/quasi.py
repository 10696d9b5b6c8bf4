"""Marginal and penalised quasi-likelihood, MQL and PQL, of first and second order.

Each iteration fits a Gaussian mixed model with known weights to a working response (see
`bayesmlm.engines.working`), made at the estimates of the iteration before:

=========  =======================  ====================================================
method     expanded about           s² of the second order
=========  =======================  ====================================================
MQL        X beta                   z_i' T z_i, the variance of the random part
PQL        X beta + Z u             its conditional variance given the response, and beta
=========  =======================  ====================================================

Of the second-order term its mean is taken, as an offset; its variance is left out.

References
----------
Breslow & Clayton (1993), doi:10.1080/01621459.1993.10594284;
Goldstein (1991), doi:10.1093/biomet/78.1.45;
Goldstein & Rasbash (1996), doi:10.2307/2983328;
Rodriguez & Goldman (1995), doi:10.2307/2983404; (2001), doi:10.1111/1467-985X.00206.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import GaussianMarginal, gaussian_marginal
from bayesmlm.density.predictor_variance import predictor_variance
from bayesmlm.design import Design
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.marginal import require_marginal
from bayesmlm.engines.ml import Profile, flat_priors
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.quasi_estimates import point_tree
from bayesmlm.engines.quasi_step import Expansion, Step, conditional_modes, find_theta
from bayesmlm.engines.working import (
    CURVATURES,
    FAMILIES,
    Working,
    starting_predictor,
    working,
)
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

Array = NDArray[np.float64]

TOLERANCE = 1e-6
"""Largest change of the linear predictor and of the effects' SDs, on the scale of eta, at which
an iteration has converged."""

ENDLESS = 1e3
"""SD of the random part of a row, on the link scale, at which the iterations have diverged."""


LARGE, COLLAPSED = 5.0, 0.1
"""The same SD from which a fall to a share of it is no step to a solution."""

RUNAWAY = (
    "the terms of second order grow with the variance of the random effects, which outran them: "
    "the SD of a row's effects rose to {:.2g}"
)


@dataclass(frozen=True)
class Quasi(Engine):
    """What MQL and PQL share: iterated Gaussian mixed models of a working response.

    Parameters
    ----------
    order
        Of the Taylor series: 1 or 2.
    restricted
        Whether variances are estimated by REML of the working model and not by ML.
    iterations
        At most so many.
    """

    order: int = 1
    restricted: bool = False
    iterations: int = 200

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if isinstance(self.order, bool) or self.order not in (1, 2):
            raise EngineError(message(f"{kind}(order={self.order!r})", "1 or 2", "leave it out"))
        restricted: Any = self.restricted
        if not isinstance(restricted, bool):
            got = f"{kind}(restricted={self.restricted!r})"
            raise EngineError(message(got, "True or False", "leave it out for ML"))
        value: Any = self.iterations
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            got = f"{kind}(iterations={value!r})"
            raise EngineError(message(got, "a whole number from 1", "leave it out"))
        object.__setattr__(self, "order", int(self.order))  # a NumPy integer is welcome
        object.__setattr__(self, "iterations", int(value))

    def __str__(self) -> str:
        order = "first" if self.order == 1 else "second"
        by = "REML" if self.restricted else "ML"
        return f"{self.name.upper()} of {order} order by {by}, priors ignored"

    @abstractmethod
    def expand(self, design: Design, step: Step, weight: Array) -> Expansion:
        """Return where to expand next, given the estimates and the weights that led to them."""

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Iterate to convergence; see `Engine.fit`. Nothing is random.

        Raises
        ------
        EngineError
            For another family, or where the iterations do not converge.
        """
        self.check_family(design)
        own = flat_priors(design, priors)
        with progress.running():
            with progress.stage("iterate", "the first time on a machine kernels are compiled"):
                step, last, count, change = self.iterate(design, own)
            with progress.stage("audit"):
                ahead = self.ahead(design, own, step, last)
            with progress.stage("effects"):
                tree = point_tree(design, step, last, count, change, ahead)
        notes = [
            "Priors are ignored; random effects are their conditional modes.",
            f"{self.name.upper()} has no likelihood: fits cannot be compared by it. With few rows "
            "a group its variances, and with them its fixed effects, are biased towards zero"
            + (", MQL's more than PQL's." if self.name == "mql" else "."),
        ]
        if bool(tree["sample_stats"]["singular"]):
            notes.append("Singular fit: a variance is zero or a correlation is one.")
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=tree,
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=tuple(notes),
        )

    def check_family(self, design: Design) -> None:
        """Refuse what is no quasi-likelihood model."""
        family = design.family
        name = self.name.upper()
        if family.has_scale and family.name == "gaussian" and family.link.name == "identity":
            raise EngineError(
                message(
                    f"{name} of a gaussian response, where it is maximum likelihood",
                    ", ".join(FAMILIES),
                    'fit with "ml", or with "reml" for PQL(restricted=True)',
                )
            )
        if family.name not in FAMILIES or family.link.name not in CURVATURES:
            raise EngineError(
                message(
                    f"{name} of the {family.name} family with the {family.link.name} link",
                    f"{', '.join(FAMILIES)}, links {', '.join(CURVATURES)}",
                    'fit with "nuts"',
                )
            )

    def iterate(self, design: Design, priors: Priors) -> tuple[Step, Working, int, float]:
        """Return the last estimates, their working response, iterations and last change."""
        eta = starting_predictor(design)
        at = Expansion(eta, np.zeros_like(eta))
        step: Step | None = None
        change, spread, widest = np.inf, 0.0, 0.0
        for count in range(1, self.iterations + 1):
            made = working(design, at.eta, at.square)
            if not made.is_usable:
                raise self.failure(count, "a fitted mean reached the edge of its range")
            step = self.one_step(design, priors, made, step)
            spread = float(np.sqrt(step.prior_variance(design)).max(initial=0.0))
            if not spread < ENDLESS:
                raise self.failure(count, "an SD of the random effects grows without end")
            widest = max(widest, spread)
            if widest > LARGE and spread < COLLAPSED * widest:
                raise self.failure(count, f"{RUNAWAY.format(widest)}, and fell to {spread:.2g}")
            following = self.expand(design, step, made.weight)
            change = following.distance(at)
            if not np.isfinite(change):
                raise self.failure(count, "the linear predictor is no longer finite")
            at = following
            if change < TOLERANCE:
                return step, made, count, change
        why = f"estimates still move by {change:.1g}, and the SD of a row's effects is {spread:.2g}"
        raise self.failure(self.iterations, why)

    def ahead(self, design: Design, priors: Priors, step: Step, last: Working) -> Step | None:
        """Return the estimates after one step of the second order, None where there is none."""
        if self.order != 1:
            return None
        at = replace(self, order=2).expand(design, step, last.weight)
        made = working(design, at.eta, at.square)
        return self.one_step(design, priors, made, step) if made.is_usable else None

    def failure(self, count: int, why: str) -> EngineError:
        """Return the error of iterations that do not converge."""
        rows = ", and more rows a group" if self.order == 2 else ""
        other = "order=1" if self.order == 2 else f"iterations={10 * self.iterations}"
        return EngineError(
            message(
                f"{self.name.upper()}(order={self.order}) did not converge in {count} iterations: "
                f"{why}",
                f"data that determine every coefficient and SD{rows}",
                f'fit with "quadrature" or "nuts", whose priors bound them; {other} may converge, '
                "further from them",
            )
        )

    def one_step(self, design: Design, priors: Priors, made: Working, last: Step | None) -> Step:
        """Return the estimates of the Gaussian model of a working response."""
        name = self.name.upper()
        profile = Profile(require_working(made.design(design), priors, name), self.restricted)
        theta = find_theta(profile, last)
        beta, effects = conditional_modes(profile, theta)
        factors = [F[0] for F in profile.factors(theta[None])]
        return Step(profile, theta, beta, effects, factors)


@dataclass(frozen=True)
class PQL(Quasi):
    """Penalised quasi-likelihood; priors are ignored. See `Quasi`."""

    name: ClassVar[str] = "pql"

    def expand(self, design: Design, step: Step, weight: Array) -> Expansion:
        """Expand about the conditional modes."""
        eta = step.fixed_part(design) + step.random_part(design)
        if self.order == 1:
            return Expansion(eta, np.zeros_like(eta))
        structure = step.profile.marginal.structure
        return Expansion(eta, predictor_variance(design.random, structure, step.factors, weight))


@dataclass(frozen=True)
class MQL(Quasi):
    """Marginal quasi-likelihood; priors are ignored. See `Quasi`."""

    name: ClassVar[str] = "mql"

    def expand(self, design: Design, step: Step, weight: Array) -> Expansion:
        """Expand about the fixed part."""
        eta = step.fixed_part(design)
        square = step.prior_variance(design) if self.order == 2 else np.zeros_like(eta)
        return Expansion(eta, square)


def require_working(design: Design, priors: Priors, engine: str) -> GaussianMarginal:
    """Return the Gaussian model of a working response; without random effects too."""
    if not design.random:
        found = gaussian_marginal(design, priors)
        assert isinstance(found, GaussianMarginal)
        return found
    return require_marginal(design, priors, engine)
