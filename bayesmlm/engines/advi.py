"""Automatic differentiation variational inference: the nearest normal in unconstrained space.

References
----------
Kucukelbir, Tran, Ranganath, Gelman & Blei (2017), Journal of Machine Learning Research 18, 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayesmlm.design import Design
from bayesmlm.engines.audit import Audit, audit, log_normal
from bayesmlm.engines.effects import AUTO, Keep
from bayesmlm.engines.elbo import Climb, climb
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.graph_target import GraphTarget, check_effects, graph_target
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.quiet import quiet
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

RANKS = ("mean-field", "full-rank")

LEAST = {"draws": 100, "iterations": 5000}
"""Smallest values of the options that are numbers."""


@dataclass(frozen=True)
class ADVI(Engine):
    """A normal approximation of the posterior by PyMC's ADVI, with its error told.

    Parameters
    ----------
    rank
        ``"mean-field"``: independent coordinates, whose SDs are too small where the posterior
        correlates; ``"full-rank"``: any covariance, of n (n + 1) / 2 parameters for n
        coordinates.
    random_effects
        ``"integrate"`` approximates the hyperparameters alone and draws all effects exactly
        (a gaussian response); ``"sample"`` approximates the effects with the rest; ``"auto"``
        integrates where it can.
    draws
        Independent draws of the approximation.
    iterations
        Stochastic gradient steps at most; fewer where the ELBO stands still before.
    parametrisation
        As of `NUTS`; of effects that are not integrated out.
    keep_random_effects
        As of `NUTS`; of effects that are integrated out.

    Notes
    -----
    The tree's group ``optimization`` holds the ELBO of every iteration. ``k_hat`` in
    ``sample_stats`` compares the draws with the exact density; `Fit.check` reads it.
    """

    rank: str = "mean-field"
    random_effects: str = "auto"
    draws: int = 4000
    iterations: int = 100_000
    parametrisation: str | Mapping[str, str] | None = None
    keep_random_effects: Keep = AUTO

    name: ClassVar[str] = "advi"

    def __post_init__(self) -> None:
        if not isinstance(self.rank, str) or self.rank not in RANKS:
            raise EngineError(
                message(
                    f"ADVI(rank={self.rank!r})",
                    ", ".join(map(repr, RANKS)),
                    "leave it out for 'mean-field'",
                )
            )
        for option, least in LEAST.items():
            value = getattr(self, option)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                allowed = f"a whole number from {least:,}"
                raise EngineError(message(f"ADVI({option}={value!r})", allowed, "leave it out"))
            object.__setattr__(self, option, int(value))  # a NumPy integer is welcome
        options = self.random_effects, self.parametrisation, self.keep_random_effects
        check_effects("ADVI", *options)

    def __str__(self) -> str:
        return f"ADVI, {self.rank}: {self.draws:,} draws of the approximation"

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Approximate the posterior; see `Engine.fit`."""
        with progress.running():
            with progress.stage("build the graph"), quiet():
                options = self.random_effects, self.parametrisation, self.keep_random_effects
                target = graph_target(design, priors, *options, "ADVI")
            with progress.stage("maximise the ELBO", "compiling the graph first"), quiet():
                found = self.maximise(target, seed, progress)
            with progress.stage("draws"), quiet():
                standard = np.random.default_rng([seed, 1]).standard_normal(
                    (self.draws, target.size)
                )
                theta, log_scale = self.transform(found.parameters, standard)
                density, outputs = target.evaluate(theta)
                told = audit(density, log_normal(standard, log_scale))
                groups, notes = target.groups(outputs, seed)
        return FitResult(
            spec=design.spec,
            design=design,
            priors=priors,
            tree=self.tree(groups, found, told),
            engine=self,
            seed=seed,
            seconds=dict(progress.seconds),
            notes=(*target.notes, *notes),
        )

    def maximise(self, target: GraphTarget, seed: int, progress: Progress) -> Climb:
        """Maximise the ELBO.

        Raises
        ------
        EngineError
            If it is not a number.
        """
        import pymc as pm

        kind = pm.ADVI if self.rank == "mean-field" else pm.FullRankADVI
        with np.errstate(all="ignore"):
            try:
                inference = kind(model=target.model, random_seed=seed)
                return climb(inference, self.iterations, progress.counter("iterations"))
            except FloatingPointError as error:
                raise EngineError(
                    message(
                        f"ADVI on this model: {str(error).splitlines()[0]}",
                        "a posterior whose density and gradient are finite where ADVI goes",
                        'fit with "nuts", or look at the scale of the data and at the priors',
                    )
                ) from error

    def transform(self, parameters: dict[str, Array], standard: Array) -> tuple[Array, float]:
        """Return draws of the approximation, shape (S, n), and the log determinant of its root.

        Parameters
        ----------
        parameters
            Mean ``mu``, and ``rho`` or ``L_tril``: the root of the covariance, with x in the
            place of log(1 + e^x) on its diagonal.
        standard
            Standard normal draws, shape (S, n).
        """
        mean = parameters["mu"]
        if self.rank == "mean-field":
            scale = np.logaddexp(0, parameters["rho"])
            return mean + scale * standard, float(np.log(scale).sum())
        n = len(mean)
        L = np.zeros((n, n))
        L[np.tril_indices(n)] = parameters["L_tril"]
        diagonal = np.logaddexp(0, np.diag(L))
        np.fill_diagonal(L, diagonal)
        return mean + standard @ L.T, float(np.log(diagonal).sum())

    def tree(self, groups: dict[str, Any], found: Climb, told: Audit) -> xr.DataTree:
        """Return the tree; every posterior variable carries the number of draws as its ESS."""
        import xarray as xr

        for array in groups["posterior"].values():
            array.attrs["ess"] = float(self.draws)  # independent draws
        statistics = {
            "k_hat": told.khat,
            "importance_ess": told.ess,
            "elbo": told.elbo,
            "elbo_error": told.error,
            "elbo_rise": found.rise,
            "settled": found.settled,
            "iterations": len(found.elbo),
        }
        path = xr.Dataset({"elbo": ("iteration", found.elbo)})
        return xr.DataTree.from_dict(
            groups | {"sample_stats": xr.Dataset(statistics), "optimization": path}
        )
