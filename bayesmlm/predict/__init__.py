"""Predictions at every level of a model."""

from bayesmlm.predict.predictions import Predictions, predict

__all__ = ["Predictions", "predict"]
