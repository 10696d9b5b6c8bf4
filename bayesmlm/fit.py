"""Fit: what a user holds. Each method is one line to the floor that does it."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from functools import cached_property
from typing import Any

from bayesmlm.checks import Check, check
from bayesmlm.design.response import read_again
from bayesmlm.engines import Progress
from bayesmlm.engines.options import resolve_seed
from bayesmlm.errors import BayesmlmWarning
from bayesmlm.fit_checks import FitChecks
from bayesmlm.fit_estimates import FitEstimates
from bayesmlm.fit_predictions import FitPredictions
from bayesmlm.fit_statistics import FitStatistics
from bayesmlm.plots import Plots
from bayesmlm.reports import Page
from bayesmlm.reports.equations import Equations
from bayesmlm.reports.numbers import estimates_of
from bayesmlm.reports.report import report
from bayesmlm.reports.summary import summary
from bayesmlm.reports.vocabulary import words
from bayesmlm.result import FitResult
from bayesmlm.saving import load_result, save_result, writing_to
from bayesmlm.spec.render import formulas_text
from bayesmlm.summaries.draws import PROBABILITY
from bayesmlm.summaries.maximum import ERRORS


class Fit(FitEstimates, FitStatistics, FitPredictions, FitChecks):
    """A fitted model.

    Parameters
    ----------
    result
        What the engine returned.
    data
        The rows that were fitted, a narwhals frame; a fit that was saved and loaded has none.

    Notes
    -----
    ``fit.tree`` is ArviZ's `xarray.DataTree`: every ArviZ function takes it. Tables hold
    their unrounded numbers in ``.frame``.
    """

    @property
    def plot(self) -> Plots:
        """Pictures."""
        return Plots(self.result)

    @cached_property
    def _checked(self) -> Check:
        return check(self.result.tree)

    def check(self) -> Check:
        """Return whether the engine converged, and what to do if not.

        Returns
        -------
        Check
            Prints in words; ``.ok``, and ``.findings`` with the next step of each.
        """
        return self._checked

    def refit(self, new_y: Any, *, seed: int | None = None) -> Fit:
        """Fit the same model to a new response by the same engine. Nothing is compiled again.

        Design, priors and kernels are those of this fit; a model that is sampled as a PyMC
        graph (the fit's notes say so) is compiled again all the same.

        Parameters
        ----------
        new_y
            One value for each row used: numbers after the response's expression (for
            ``log(y)`` logarithms), or categories by their names.
        seed
            None takes this fit's.

        Raises
        ------
        DataError
            For another number of rows, unknown categories, or values outside the support.

        Warns
        -----
        BayesmlmWarning
            If the engine did not converge.
        """
        result = self.result
        design, name = result.design, result.spec.response.column
        outcome = read_again(design.outcome, design.family, name, new_y)
        new = replace(design, outcome=outcome)
        start = result.seed if seed is None else resolve_seed(seed)
        return checked(result.engine.fit(new, result.priors, start, Progress()), self._data)

    def equations(self) -> Equations:
        """Return the model's equations with its priors and the estimates.

        Returns
        -------
        Equations
            Prints level by level and shows as LaTeX in a notebook; ``.text``, ``.combined``,
            ``.latex(form, notation)``, ``.html()``.
        """
        result = self.result
        priors = None if ERRORS in result.tree.children else result.priors
        levels = result.design.factor_levels
        return Equations(result.spec, levels, priors, estimates_of(result))

    def summary(self, probability: float = PROBABILITY, vocabulary: str | None = None) -> Page:
        """Return what was fitted, fixed effects, variance components and convergence.

        Coefficients stand by level: those of group-level predictors under the coefficient
        that they explain.

        Parameters
        ----------
        probability
            Of the intervals.
        vocabulary
            Words of this page alone; None takes those that `bayesmlm.vocabulary` chose.

        Returns
        -------
        Page
            Prints as text, shows as HTML in a notebook; ``.html()`` and ``.latex()``.
        """
        return summary(self.result, self.check(), probability, words(vocabulary))

    def report(self, path: str | os.PathLike[str], probability: float = PROBABILITY) -> None:
        """Write one page with everything: equations, tables, pictures, checks, assumptions.

        Parameters
        ----------
        path
            Such as ``"report.html"``. The page holds its pictures and formulas itself: it
            needs no network and no script.
        probability
            Of the intervals.

        Raises
        ------
        SavedFitError
            If the file cannot be written.
        """
        with writing_to(path, "report.html") as new:
            text = report(self.result, self.check(), self.equations(), probability)
            new.write(text.encode())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the fit to one file, which `bayesmlm.load` reads; see `bayesmlm.saving`.

        Parameters
        ----------
        path
            Such as ``"fit.zip"``. A file of this name is replaced, once the new one is whole.

        Raises
        ------
        SavedFitError
            If the file cannot be written.
        """
        save_result(self.result, path)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        result = self.result
        state = "converged" if self.check().ok else "not converged"
        return f"<bayesmlm.Fit {formulas_text(result.spec)} by {result.engine.name}, {state}>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def checked(result: FitResult, data: Any = None, stacklevel: int = 3) -> Fit:
    """Return a fit of rows, with a warning where its engine did not converge."""
    fit = Fit(result, data)
    convergence = fit.check()
    if not convergence.ok:
        warnings.warn(str(convergence), BayesmlmWarning, stacklevel=stacklevel)
    return fit


def load(path: str | os.PathLike[str]) -> Fit:
    """Load a fit that `Fit.save` wrote.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    SavedFitError
        If the file is not a saved fit, was changed or damaged, or is of a version that this
        release does not read.

    Examples
    --------
    >>> import bayesmlm as mlm
    >>> fit.save("fit.zip")  # doctest: +SKIP
    >>> mlm.load("fit.zip").summary()  # doctest: +SKIP
    """
    return Fit(load_result(path))
