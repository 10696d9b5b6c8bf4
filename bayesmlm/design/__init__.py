"""A specification met with data."""

from bayesmlm.design.build import build_design
from bayesmlm.design.design import Design, PredictorRows
from bayesmlm.design.further import ParameterDesign
from bayesmlm.design.latent_means import LatentColumn, LatentMean, LatentMeans
from bayesmlm.design.levels import Levels
from bayesmlm.design.random_block import RandomBlock

__all__ = [
    "Design",
    "LatentColumn",
    "LatentMean",
    "LatentMeans",
    "Levels",
    "ParameterDesign",
    "PredictorRows",
    "RandomBlock",
    "build_design",
]
