"""What every method of a fit reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmlm.result import FitResult

if TYPE_CHECKING:
    import xarray as xr


class HeldFit:
    """The result of an engine, and the rows that were fitted.

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

    def __init__(self, result: FitResult, data: Any = None) -> None:
        self.result = result
        self._data = data

    @property
    def tree(self) -> xr.DataTree:
        """Draws and data as an `xarray.DataTree`."""
        return self.result.tree

    def only_group(self, group: str | None) -> str:
        """Return the grouping named, or the only one.

        Raises
        ------
        SpecError
            If none is named and the model has none or several.
        """
        return self.result.only_group(group)
