"""Bayesian multilevel modeling: textbook equations in, a fitted model out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "formula": "bayesmlm.spec",
    "equations": "bayesmlm.spec",
    "ModelSpec": "bayesmlm.spec",
    "Model": "bayesmlm.model",
    "Fit": "bayesmlm.fit",
    "load": "bayesmlm.fit",
    "compare": "bayesmlm.ranking",
    "compare_engines": "bayesmlm.engine_comparison",
    "EngineComparison": "bayesmlm.engine_comparison",
    "compare_icc": "bayesmlm.outcomes",
    "compare_points": "bayesmlm.mass_points",
    "plan_study": "bayesmlm.study",
    "StudyPlan": "bayesmlm.study",
    "NUTS": "bayesmlm.engines",
    "Laplace": "bayesmlm.engines",
    "Quadrature": "bayesmlm.engines",
    "ADVI": "bayesmlm.engines",
    "Pathfinder": "bayesmlm.engines",
    "ML": "bayesmlm.engines",
    "REML": "bayesmlm.engines",
    "PQL": "bayesmlm.engines",
    "MQL": "bayesmlm.engines",
    "NPML": "bayesmlm.engines",
    "Normal": "bayesmlm.priors",
    "StudentT": "bayesmlm.priors",
    "Beta": "bayesmlm.priors",
    "Cauchy": "bayesmlm.priors",
    "HalfNormal": "bayesmlm.priors",
    "HalfStudentT": "bayesmlm.priors",
    "HalfCauchy": "bayesmlm.priors",
    "Exponential": "bayesmlm.priors",
    "Gamma": "bayesmlm.priors",
    "InverseGamma": "bayesmlm.priors",
    "LKJ": "bayesmlm.priors",
    "compare_fits": "bayesmlm.side_by_side",
    "vocabulary": "bayesmlm.reports.vocabulary",
    "BayesmlmError": "bayesmlm.errors",
    "BayesmlmWarning": "bayesmlm.errors",
    "SpecError": "bayesmlm.errors",
    "UnsupportedError": "bayesmlm.errors",
    "DataError": "bayesmlm.errors",
    "FamilyError": "bayesmlm.errors",
    "PriorError": "bayesmlm.errors",
    "EngineError": "bayesmlm.errors",
    "StatisticError": "bayesmlm.errors",
    "SavedFitError": "bayesmlm.errors",
}
"""Public name -> the module that has it, imported on first use."""

_MODULES = ("datasets", "gallery")

__all__ = [
    "ADVI",
    "LKJ",
    "ML",
    "MQL",
    "NPML",
    "NUTS",
    "PQL",
    "REML",
    "BayesmlmError",
    "BayesmlmWarning",
    "Beta",
    "Cauchy",
    "DataError",
    "EngineComparison",
    "EngineError",
    "Exponential",
    "FamilyError",
    "Fit",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfStudentT",
    "InverseGamma",
    "Laplace",
    "Model",
    "ModelSpec",
    "Normal",
    "Pathfinder",
    "PriorError",
    "Quadrature",
    "SavedFitError",
    "SpecError",
    "StatisticError",
    "StudentT",
    "StudyPlan",
    "UnsupportedError",
    "__version__",
    "compare",
    "compare_engines",
    "compare_fits",
    "compare_icc",
    "compare_points",
    "datasets",
    "equations",
    "formula",
    "gallery",
    "load",
    "plan_study",
    "vocabulary",
]

if TYPE_CHECKING:
    from bayesmlm import datasets, gallery
    from bayesmlm.engine_comparison import EngineComparison, compare_engines
    from bayesmlm.engines import (
        ADVI,
        ML,
        MQL,
        NPML,
        NUTS,
        PQL,
        REML,
        Laplace,
        Pathfinder,
        Quadrature,
    )
    from bayesmlm.errors import (
        BayesmlmError,
        BayesmlmWarning,
        DataError,
        EngineError,
        FamilyError,
        PriorError,
        SavedFitError,
        SpecError,
        StatisticError,
        UnsupportedError,
    )
    from bayesmlm.fit import Fit, load
    from bayesmlm.mass_points import compare_points
    from bayesmlm.model import Model
    from bayesmlm.outcomes import compare_icc
    from bayesmlm.priors import (
        LKJ,
        Beta,
        Cauchy,
        Exponential,
        Gamma,
        HalfCauchy,
        HalfNormal,
        HalfStudentT,
        InverseGamma,
        Normal,
        StudentT,
    )
    from bayesmlm.ranking import compare
    from bayesmlm.reports.vocabulary import vocabulary
    from bayesmlm.side_by_side import compare_fits
    from bayesmlm.spec import ModelSpec, equations, formula
    from bayesmlm.study import StudyPlan, plan_study


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"bayesmlm.{name}")
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'bayesmlm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
