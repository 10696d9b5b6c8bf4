"""A model's graph, whole or of its hyperparameters alone, and draws from its prior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bayesmlm.density import GaussianMarginal
from bayesmlm.density.pymc_model import marginal_model
from bayesmlm.design import Design
from bayesmlm.engines.marginal import find_marginal
from bayesmlm.engines.quiet import quiet
from bayesmlm.errors import EngineError, message
from bayesmlm.graph import build_model, choose
from bayesmlm.priors import Priors

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

RANDOM_EFFECTS = ("sample", "integrate")


def pymc_model(
    design: Design,
    priors: Priors,
    parametrisation: str | Mapping[str, str] | None,
    random_effects: str = "sample",
) -> pm.Model:
    """Return the graph; see `Model.to_pymc`."""
    if not isinstance(random_effects, str) or random_effects not in RANDOM_EFFECTS:
        raise EngineError(
            message(
                f"to_pymc(random_effects={random_effects!r})",
                ", ".join(map(repr, RANDOM_EFFECTS)),
                "leave it out for a graph with all effects",
            )
        )
    if random_effects == "sample":
        return build_model(design, priors, choose(design, parametrisation))
    if parametrisation is not None:
        raise EngineError(
            message(
                "to_pymc(random_effects='integrate') with a parametrisation",
                "one of them: integrated effects have no parametrisation",
                "leave the parametrisation out",
            )
        )
    return marginal_model(marginal_density(design, priors))


def marginal_density(design: Design, priors: Priors) -> GaussianMarginal:
    """Return the density without the effects, or raise `EngineError`."""
    found = find_marginal(design, priors)
    if isinstance(found, str):
        raise EngineError(
            message(
                f"the effects of this model do not integrate out exactly: {found}",
                "gaussian responses with normal effects and Normal priors of the fixed effects",
                'use to_pymc(random_effects="sample"), which has all effects in the graph',
            )
        )
    return found


def prior_predictive(design: Design, priors: Priors, draws: int, seed: int) -> xr.DataTree:
    """Draw parameters and responses from the prior; see `Model.prior_predictive`."""
    mixed = next((b.name for b in design.random if b.distribution == "points"), None)
    if mixed is not None:
        raise EngineError(
            message(
                f"prior_predictive() of mass points by {mixed}, which are summed out",
                "effects that the graph holds",
                "leave out dist=, or write dist='student'",
            )
        )
    import pymc as pm

    with quiet(), pymc_model(design, priors, "non-centred"):
        return pm.sample_prior_predictive(draws, random_seed=seed)
