"""The log density of a PyMC graph, and the variables of the posterior, by a flat vector theta.

Theta holds the graph's free variables on the whole line, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmlm.density import GaussianMarginal
from bayesmlm.density.pymc_model import marginal_graph
from bayesmlm.design import Design
from bayesmlm.engines.effects import Keep, check_keep, completed, drawn_effects
from bayesmlm.engines.layout import data_groups
from bayesmlm.engines.marginal import find_marginal, require_marginal
from bayesmlm.engines.sampled import observations, posterior_names
from bayesmlm.errors import EngineError, message
from bayesmlm.graph import build_model, choose
from bayesmlm.priors import Priors

Array = NDArray[np.float64]

RANDOM_EFFECTS = ("auto", "integrate", "sample")

INTEGRATED = "Random and fixed effects integrated out exactly."


@dataclass(frozen=True)
class GraphTarget:
    """What a variational engine approximates.

    Parameters
    ----------
    model
        A `pymc.Model`.
    outputs
        Tensors of the graph that the posterior is made of.
    design
        The model's design.
    marginal
        The density, where the effects are integrated out; then the one output is psi.
    keep
        Whether the posterior holds the random effects that are integrated out.
    notes
        How the effects are treated.
    """

    model: Any
    outputs: tuple[Any, ...]
    design: Design
    marginal: GaussianMarginal | None
    keep: Keep
    notes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Length of theta."""
        return sum(value.size for value in self.model.initial_point().values())

    @cached_property
    def compiled(self) -> Callable[[Array], Sequence[Array]]:
        """A function of theta: the normalised log density and the outputs."""
        from pymc.pytensorf import join_nonshared_inputs

        outputs = self.model.replace_rvs_by_values(list(self.outputs))
        joined, theta = join_nonshared_inputs(
            self.model.initial_point(), [self.model.logp(), *outputs], self.model.value_vars
        )
        compiled: Callable[[Array], Sequence[Array]] = self.model.compile_fn(
            joined, inputs=[theta], point_fn=False
        )
        return compiled

    def evaluate(self, theta: Array) -> tuple[Array, list[Array]]:
        """Return log densities (S,) and outputs, of shape (S, …) each, at theta (S, size)."""
        found = [self.compiled(row) for row in theta]
        density, *outputs = (np.array(column) for column in zip(*found, strict=True))
        return density.astype(float), outputs

    def groups(self, outputs: list[Array], seed: int) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the groups of the tree that hold draws and data, and what the user is told."""
        import xarray as xr

        if self.marginal is not None:
            groups, told = completed(drawn_effects(self.marginal, outputs[0], seed), self.keep)
            return groups | data_groups(self.marginal), told
        kept = posterior_names(self.design)
        dims = {name: tuple(self.model.named_vars_to_dims.get(name, ())) for name in kept}
        used = {dim for own in dims.values() for dim in own}
        posterior = xr.Dataset(
            {
                name: (("chain", "draw", *dims[name]), values[None])
                for name, values in zip(kept, outputs, strict=True)
            },
            coords={dim: list(self.model.coords[dim]) for dim in used},
        )
        return {"posterior": posterior} | observations(self.model), ()


def graph_target(
    design: Design, priors: Priors, random_effects: str, parametrisation: Any, keep: Keep, who: str
) -> GraphTarget:
    """Return what an engine of some options approximates.

    Raises
    ------
    EngineError
        If the effects are to be integrated out and cannot.
    """
    marginal = None
    if random_effects == "integrate":
        marginal = require_marginal(design, priors, f"{who}(random_effects='integrate')")
    elif random_effects == "auto" and parametrisation is None:
        found = find_marginal(design, priors)
        marginal = found if isinstance(found, GaussianMarginal) else None
    if marginal is not None:
        model, psi = marginal_graph(marginal)
        return GraphTarget(model, (psi,), design, marginal, keep, (INTEGRATED,))
    coordinates = choose(design, parametrisation)
    model = build_model(design, priors, coordinates)
    outputs = tuple(model[name] for name in posterior_names(design))
    notes = tuple(f"Approximated {choice}." for choice in coordinates)
    return GraphTarget(model, outputs, design, None, keep, notes)


def check_effects(who: str, random_effects: Any, parametrisation: Any, keep: Any) -> None:
    """Refuse options on the random effects that are unknown or contradict each other.

    Raises
    ------
    EngineError
    """
    if not isinstance(random_effects, str) or random_effects not in RANDOM_EFFECTS:
        raise EngineError(
            message(
                f"{who}(random_effects={random_effects!r})",
                ", ".join(map(repr, RANDOM_EFFECTS)),
                "leave it out for 'auto', which integrates where it can",
            )
        )
    check_keep(who, keep)
    if random_effects == "sample" and keep is False:
        raise EngineError(
            message(
                f"{who}(random_effects='sample', keep_random_effects=False)",
                "random effects kept where they are sampled",
                "leave one of them out",
            )
        )
    if random_effects == "integrate" and parametrisation is not None:
        raise EngineError(
            message(
                f"{who}(random_effects='integrate') with a parametrisation",
                "one of them: integrated effects have no parametrisation",
                "leave the parametrisation out",
            )
        )
