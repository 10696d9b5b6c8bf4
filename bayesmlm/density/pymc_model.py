"""A `pymc.Model` of the hyperparameters alone, with the marginal likelihood as a potential."""

from __future__ import annotations

from typing import Any

from bayesmlm import names
from bayesmlm.density.gaussian import GaussianMarginal
from bayesmlm.density.pymc_op import log_likelihood
from bayesmlm.graph.build import coords
from bayesmlm.graph.effects import add_correlations, add_partials, add_sds
from bayesmlm.graph.labels import response_label, unused

LIKELIHOOD = "marginal_likelihood"
"""Name of the potential."""


def marginal_model(marginal: GaussianMarginal) -> Any:
    """Return the `pymc.Model` of a marginal density.

    Its free variables, their priors, coordinates and dimensions are those of the hyperparameters
    in the graph with all effects.

    Parameters
    ----------
    marginal
        The density.
    """
    return marginal_graph(marginal)[0]


def marginal_graph(marginal: GaussianMarginal) -> tuple[Any, Any]:
    """Return the `pymc.Model` of a marginal density, and its psi as a tensor of shape (d,)."""
    import pymc as pm
    import pytensor.tensor as pt

    design = marginal.design
    with pm.Model(coords=coords(design)) as model:
        psi = pt.stack(add_hyperparameters(marginal))
        # A constant: new values of it could not reach the likelihood, and PyMC refuses them.
        response = response_label(design.spec.response.column)
        model.register_data_var(pt.constant(design.y, name=response), dims=names.OBS)
        pm.Potential(unused(LIKELIHOOD), log_likelihood(marginal, psi))
    return model, psi


def add_hyperparameters(marginal: GaussianMarginal) -> list[Any]:
    """Add SDs, correlations and sigma to the model on the context stack; return psi's entries."""
    import pytensor.tensor as pt

    layout, priors = marginal.layout, marginal.priors
    psi: list[Any] = [None] * layout.size
    for slots in layout.groups:
        for at, sd in zip(slots.sds, add_sds(slots.block, priors), strict=True):
            psi[at] = pt.log(sd)
        partials = add_partials(slots.block, priors)
        add_correlations(slots.block, partials)
        for positions, partial in zip(slots.partials, partials, strict=True):
            for k, at in enumerate(positions):
                psi[at] = pt.arctanh(partial[k])
    if layout.sigma is not None and priors.sigma is not None:
        psi[layout.sigma] = pt.log(priors.sigma.pymc(names.SIGMA))
    return psi
