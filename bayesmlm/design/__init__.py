"""A specification met with data."""

from bayesmlm.design.design import Design, PredictorRows, RandomBlock, build_design
from bayesmlm.design.levels import Levels

__all__ = ["Design", "Levels", "PredictorRows", "RandomBlock", "build_design"]
