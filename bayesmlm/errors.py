"""One exception tree: every error raised on purpose is a `BayesmlmError`.

A message says what was got, what is allowed, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BayesmlmError(Exception):
    """Root of every error that bayesmlm raises on purpose."""


class SpecError(BayesmlmError):
    """A formula or a set of equations that is not in the language."""


class UnsupportedError(BayesmlmError):
    """A specification in the language that nothing implements yet."""


class DataError(BayesmlmError):
    """Data that the model cannot be fitted to."""


class FamilyError(BayesmlmError):
    """An unknown response family, or a link that it does not have."""


class PriorError(BayesmlmError):
    """A prior that is malformed, or that belongs to no parameter of the model."""


class EngineError(BayesmlmError):
    """An unknown engine, an unknown option of one, or a failed run."""


class StatisticError(BayesmlmError):
    """A statistic that is not defined for this fit."""


class SavedFitError(BayesmlmError):
    """A file that is not a saved fit, or not as it was written, or cannot be written."""


class BayesmlmWarning(UserWarning):
    """Root of every warning: the fit goes on, and the user should know."""


def message(got: str, allowed: str, next_step: str) -> str:
    """Compose the three parts of an error: what was got, what is allowed, what to do."""
    return f"{got}\n  allowed: {allowed}\n  next:    {next_step}"


def suggestion(name: object, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for a near miss, else an empty string."""
    close = get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
