"""What every engine is: a frozen value that turns a model into a FitResult."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bayesmlm.design import Design
from bayesmlm.engines.progress import Progress
from bayesmlm.priors import Priors
from bayesmlm.result import FitResult


@dataclass(frozen=True)
class Engine(ABC):
    """A way to fit a model; its fields are its options."""

    name: ClassVar[str]

    @abstractmethod
    def fit(self, design: Design, priors: Priors, seed: int, progress: Progress) -> FitResult:
        """Fit a model.

        Parameters
        ----------
        design, priors
            The model.
        seed
            Same seed, same machine: same draws.
        progress
            Where stages and counts are reported.
        """
