"""Design and priors to a PyMC model."""

from bayesmlm.graph.build import build_model
from bayesmlm.graph.parametrisation import EffectCoordinates, choose

__all__ = ["EffectCoordinates", "build_model", "choose"]
