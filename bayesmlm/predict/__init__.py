"""Predictions at every level of a model, and the effects of predictors."""

from bayesmlm.predict.contrasts import contrasts, slope_contrasts
from bayesmlm.predict.datagrid import datagrid
from bayesmlm.predict.estimates import Estimates, estimates
from bayesmlm.predict.population import population_averaged
from bayesmlm.predict.predictions import Predictions, predict

__all__ = [
    "Estimates",
    "Predictions",
    "contrasts",
    "datagrid",
    "estimates",
    "population_averaged",
    "predict",
    "slope_contrasts",
]
