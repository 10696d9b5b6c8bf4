"""What shows itself as a page of tables, wherever it is looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from bayesmlm.reports.table import Page


class Shown(ABC):
    """Prints as text, in a terminal by rich, in a notebook as HTML.

    A dataclass that is one takes ``repr=False``, or it would write a repr of its own.
    """

    @abstractmethod
    def page(self) -> Page:
        """Return the page."""

    def __rich__(self) -> Any:
        return self.page().__rich__()

    def __str__(self) -> str:
        return str(self.page())

    def __repr__(self) -> str:
        return str(self.page())

    def _repr_html_(self) -> str:
        return self.page()._repr_html_()
