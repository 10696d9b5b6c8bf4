"""The marginal density an engine works on, or the reason why there is none."""

from __future__ import annotations

from bayesmlm.density import (
    GaussianMarginal,
    QuadratureMarginal,
    gaussian_marginal,
    quadrature_marginal,
)
from bayesmlm.design import Design
from bayesmlm.errors import EngineError, message
from bayesmlm.priors import Priors


def require_marginal(design: Design, priors: Priors, engine: str) -> GaussianMarginal:
    """Return the marginal density of a model.

    Raises
    ------
    EngineError
        Where the effects of the model do not integrate out exactly.
    """
    marginal = find_marginal(design, priors)
    if isinstance(marginal, str):
        raise EngineError(
            message(
                f"{engine} cannot fit this model: {marginal}",
                "gaussian responses with normal effects and Normal priors of the fixed effects",
                'fit with "nuts"',
            )
        )
    return marginal


def find_marginal(design: Design, priors: Priors) -> GaussianMarginal | str:
    """Return the marginal density of a model, or the reason why there is none."""
    marginal = gaussian_marginal(design, priors)
    if isinstance(marginal, GaussianMarginal) and marginal.layout.size == 0:
        return "there is neither a residual SD nor a random effect"
    return marginal


def require_quadrature(design: Design, priors: Priors, engine: str) -> QuadratureMarginal:
    """Return the density of a model whose effects quadrature integrates, with one node.

    Raises
    ------
    EngineError
        Where there is none.
    """
    marginal = quadrature_marginal(design, priors, 1)
    if isinstance(marginal, str):
        raise EngineError(
            message(
                f"{engine} cannot fit this model: {marginal}",
                "one grouping with up to three effects",
                'fit with "nuts"',
            )
        )
    return marginal
