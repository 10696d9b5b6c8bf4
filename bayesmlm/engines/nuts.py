"""The No-U-Turn sampler, on the marginal posterior, the conditional one, or the PyMC graph.

References
----------
Hoffman & Gelman (2014), Journal of Machine Learning Research 15, 1593–1623.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayesmlm.density import ConditionalPosterior, GaussianMarginal, conditional_posterior
from bayesmlm.design import Design
from bayesmlm.engines.effects import AUTO, Keep, check_keep
from bayesmlm.engines.engine import Engine
from bayesmlm.engines.explicit import sample_conditional
from bayesmlm.engines.integrated import sample_marginal
from bayesmlm.engines.marginal import find_marginal, require_marginal
from bayesmlm.engines.mixed import with_effects
from bayesmlm.engines.progress import Progress
from bayesmlm.engines.quiet import quiet
from bayesmlm.engines.sampled import posterior_names, sample_by_nutpie, sample_by_pymc
from bayesmlm.engines.separation import separation_note
from bayesmlm.errors import EngineError, message
from bayesmlm.graph import EffectCoordinates, build_model, choose
from bayesmlm.parallel import available_cores
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult

SAMPLERS = ("nutpie", "pymc")
BACKENDS = ("auto", "density", "graph")
RANDOM_EFFECTS = ("auto", "integrate", "sample")

COSTLY = 3e7
"""Multiplications of one marginal density from which "auto" samples the effects."""


@dataclass(frozen=True)
class NUTS(Engine):
    """Hamiltonian Monte Carlo with the No-U-Turn rule.

    Parameters
    ----------
    draws, tune
        Kept and warm-up iterations of each chain.
    chains, cores
        Number of chains, and how many run at once (as many as there are processors).
    target_accept
        Acceptance rate aimed at, in (0, 1); higher takes smaller steps.
    max_treedepth
        At most 2^max_treedepth - 1 steps a draw.
    sampler
        ``"nutpie"`` or ``"pymc"``.
    parametrisation
        ``"centred"`` or ``"non-centred"`` for all effects, or by ``"group"`` or
        ``"group[effect]"``; None chooses from the data. Integrated effects have none.
    backend
        ``"density"`` samples the compiled log density, ``"graph"`` the PyMC graph; ``"auto"``
        the density where it expresses the model, else the graph.
    random_effects
        ``"integrate"`` samples the hyperparameters alone and draws all effects exactly (a
        gaussian response); ``"sample"`` samples the effects with the rest; ``"auto"``
        integrates where it can.
    keep_random_effects
        Whether the posterior holds the random effects; ``"auto"``: while they take at most
        500 MB. Where not, those of the largest grouping are drawn again, the same
        numbers, whenever they are asked for. Of integrated effects only.
    """

    draws: int = 2000
    tune: int = 1000
    chains: int = 4
    cores: int | None = None
    target_accept: float = 0.9
    max_treedepth: int = 10
    sampler: str = "nutpie"
    parametrisation: str | Mapping[str, str] | None = None
    backend: str = "auto"
    random_effects: str = "auto"
    keep_random_effects: Keep = AUTO

    name: ClassVar[str] = "nuts"

    def __post_init__(self) -> None:
        for option in ("draws", "tune", "chains", "max_treedepth", "cores"):
            value, default = getattr(self, option), getattr(type(self), option)
            if value is None and default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise EngineError(
                    message(
                        f"NUTS({option}={value!r})",
                        "a whole number from 1",
                        f"pass {option}={default or 4}, or leave it out",
                    )
                )
            object.__setattr__(self, option, int(value))  # a NumPy integer is welcome
        target: Any = self.target_accept
        if isinstance(target, bool) or not isinstance(target, float) or not 0 < target < 1:
            raise EngineError(
                message(
                    f"NUTS(target_accept={target!r})",
                    "a number between 0 and 1",
                    "0.9 is the default; 0.95 or 0.99 removes most divergences",
                )
            )
        choices = {"sampler": SAMPLERS, "backend": BACKENDS, "random_effects": RANDOM_EFFECTS}
        for option, allowed in choices.items():
            if getattr(self, option) not in allowed:
                raise EngineError(
                    message(
                        f"NUTS({option}={getattr(self, option)!r})",
                        ", ".join(map(repr, allowed)),
                        f"leave it out for {getattr(type(self), option)!r}",
                    )
                )
        check_keep("NUTS", self.keep_random_effects)
        if self.random_effects == "sample" and self.keep_random_effects is False:
            raise EngineError(
                message(
                    "NUTS(random_effects='sample', keep_random_effects=False)",
                    "random effects kept where they are sampled",
                    "leave one of them out",
                )
            )
        if self.random_effects == "integrate" and self.parametrisation is not None:
            raise EngineError(
                message(
                    "NUTS(random_effects='integrate') with a parametrisation",
                    "one of them: integrated effects have no parametrisation",
                    "leave the parametrisation out",
                )
            )
        if self.random_effects == "integrate" and self.backend == "graph":
            raise EngineError(
                message(
                    "NUTS(random_effects='integrate', backend='graph')",
                    "backend='density' where the random effects are integrated out",
                    'leave the backend out, or sample model.to_pymc(random_effects="integrate")',
                )
            )
        compiled = self.random_effects == "integrate" or self.backend == "density"
        if compiled and self.sampler != "nutpie":
            raise EngineError(
                message(
                    f"NUTS(sampler={self.sampler!r}) of the compiled density",
                    "sampler='nutpie'",
                    "leave the sampler out, or choose backend='graph'",
                )
            )

    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Sample the posterior; see `Engine.fit`."""
        with progress.running():
            marginal = self.marginal(design, priors)
            if isinstance(marginal, GaussianMarginal):
                tree, told = sample_marginal(
                    marginal, self.options, self.keep_random_effects, seed, progress
                )
                notes = ["Random and fixed effects integrated out exactly.", *told]
            else:
                coordinates = choose(design, self.parametrisation)
                why = [f"Random effects were sampled: {marginal}."] if marginal else []
                notes = [*why, *(f"Sampled {choice}." for choice in coordinates)]
                conditional = self.conditional(design, priors, coordinates)
                if isinstance(conditional, ConditionalPosterior):
                    tree = sample_conditional(conditional, self.options, seed, progress)
                else:
                    tree = self.sample_graph(design, priors, coordinates, seed, progress)
                    notes += [f"Sampled the PyMC graph: {conditional}."]
                notes += separation_note(design, bounded=True)
                if self.keep_random_effects is False:
                    notes.append("Random effects were sampled, and are therefore kept.")
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

    def sample_graph(
        self,
        design: Design,
        priors: Priors,
        coordinates: tuple[EffectCoordinates, ...],
        seed: int,
        progress: Progress,
    ) -> Any:
        """Build the PyMC graph and sample it."""
        with progress.stage("build the graph"), quiet():
            model = build_model(design, priors, coordinates)
        sample = sample_by_nutpie if self.sampler == "nutpie" else sample_by_pymc
        tree = sample(model, posterior_names(design), self.options, seed, progress)
        return with_effects(tree, design, seed)

    def conditional(
        self, design: Design, priors: Priors, coordinates: tuple[EffectCoordinates, ...]
    ) -> ConditionalPosterior | str:
        """Return the compiled log posterior, or why the graph is sampled instead.

        Raises
        ------
        EngineError
            If the density is asked for and does not express the model.
        """
        if self.backend == "graph":
            return "as asked"
        if self.sampler != "nutpie":
            return "its sampler is PyMC's"
        found = conditional_posterior(design, priors, coordinates)
        if isinstance(found, str) and self.backend == "density":
            raise EngineError(
                message(
                    f"NUTS(backend='density') cannot sample this model: {found}",
                    "models that the compiled density expresses",
                    "leave the backend out, and the PyMC graph is sampled",
                )
            )
        return found

    def marginal(self, design: Design, priors: Priors) -> GaussianMarginal | str | None:
        """Return the marginal density where the effects are to be integrated out.

        The reason where a gaussian model's could not; None where nobody expects it.

        Raises
        ------
        EngineError
            If they are to be, and cannot.
        """
        if self.random_effects == "integrate":
            return require_marginal(design, priors, "NUTS(random_effects='integrate')")
        automatic = self.random_effects == "auto" and self.backend != "graph"
        if not automatic or self.sampler != "nutpie" or self.parametrisation is not None:
            return None
        found = find_marginal(design, priors)
        if isinstance(found, GaussianMarginal) and found.structure.work > COSTLY:
            return 'to integrate them takes longer in so large a model; "laplace" does, and quickly'
        if isinstance(found, str) and not (design.family.has_scale and design.random):
            return None
        return found

    @property
    def options(self) -> dict[str, Any]:
        """The options in nutpie's names."""
        return {
            "draws": self.draws,
            "tune": self.tune,
            "chains": self.chains,
            "cores": self.workers,
            "target_accept": self.target_accept,
            "maxdepth": self.max_treedepth,
        }

    def __str__(self) -> str:
        return (
            f"NUTS by {self.sampler}: {self.chains} chains of {self.draws:,} draws after "
            f"{self.tune:,} of warm-up, acceptance {self.target_accept:g}"
        )

    @property
    def workers(self) -> int:
        """Number of chains that run at once."""
        return min(self.chains, self.cores or available_cores())
