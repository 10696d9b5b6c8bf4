"""What pictures are drawn on: panels of ArviZ's PlotCollection, by matplotlib, plotly or bokeh."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from bayesmlm.errors import StatisticError, message

Array = NDArray[np.float64]

BACKENDS = ("matplotlib", "plotly", "bokeh")

INK, BLUE, RUST, GREY, PALE = "#222222", "#2b6a99", "#c1440e", "#7a8b99", "#aab6c0"
"""Colours: axes and means, what is pooled, what stands out, what is not pooled, background."""

DOTS = 100
"""Pixels an inch of plotly and bokeh."""

RESOLUTION = 110
"""Pixels an inch of a matplotlib picture shown in a notebook or put into a page."""

KEY_SIZE, KEY_SWATCH = 9, 43
"""Size of the letters of a key; points that an entry takes beside its label."""


@dataclass(frozen=True)
class Panel:
    """One plot of a picture; every method draws by the backend's own functions.

    Parameters
    ----------
    target
        The backend's plot, for matplotlib an Axes.
    draw
        ArviZ's interface to the backend.
    """

    target: Any
    draw: Any

    def line(self, x: Any, y: Any, *, dashed: bool = False, **style: Any) -> None:
        """Draw a line; a NaN breaks it."""
        if dashed:
            style["linestyle"] = self.draw.get_default_aes("linestyle", 2)[1]
        self.draw.line(np.asarray(x, float), np.asarray(y, float), self.target, **style)

    def segments(self, x: Any, y: Any, **style: Any) -> None:
        """Draw K lines of shape (K, points) as one, broken between them."""
        gap = np.full((len(np.asarray(x)), 1), np.nan)
        parts = [np.hstack([np.asarray(each, float), gap]).ravel() for each in (x, y)]
        self.line(*parts, **style)

    def points(self, x: Any, y: Any, *, size: float = 4.0, **style: Any) -> None:
        """Draw points of a diameter in typographic points."""
        area = size if self.draw.__name__.endswith("bokeh") else size**2
        self.draw.scatter(np.asarray(x), np.asarray(y), self.target, size=area, **style)

    def band(self, x: Any, low: Any, high: Any, *, color: str = BLUE, alpha: float = 0.2) -> None:
        """Fill between two curves."""
        arrays = (np.asarray(each, float) for each in (x, low, high))
        self.draw.fill_between_y(*arrays, self.target, color=color, alpha=alpha)

    def vertical(self, x: float, **style: Any) -> None:
        """Draw a vertical line through the panel."""
        self.draw.vline(x, self.target, **style)

    def horizontal(self, y: float, **style: Any) -> None:
        """Draw a horizontal line through the panel."""
        self.draw.hline(y, self.target, **style)

    def text(self, x: float, y: float, string: str, **style: Any) -> None:
        """Write at a place."""
        self.draw.text(x, y, string, self.target, **style)

    def label(self, title: str = "", x: str = "", y: str = "") -> None:
        """Write the title and the axes' labels."""
        for write, string in (("title", title), ("xlabel", x), ("ylabel", y)):
            if string:
                getattr(self.draw, write)(string, self.target, **self.letters(write))

    def letters(self, write: str) -> dict[str, Any]:
        """Return the size of letters, in the backend's unit."""
        size = 10 if write == "title" else 9
        if self.draw.__name__.endswith("matplotlib"):
            return {"size": size}
        return {"size": f"{size}pt" if self.draw.__name__.endswith("bokeh") else size * 1.3}

    def ticks(self, axis: str, places: Any, labels: Sequence[str]) -> None:
        """Label places of the axis ``"x"`` or ``"y"``."""
        getattr(self.draw, f"{axis}ticks")(list(map(float, places)), list(labels), self.target)

    def limits(self, axis: str, low: float, high: float) -> None:
        """Set the range of the axis ``"x"`` or ``"y"``."""
        getattr(self.draw, f"{axis}lim")((low, high), self.target)


@dataclass(frozen=True)
class Picture:
    """A picture: shows itself in a notebook, saves itself to a file.

    Parameters
    ----------
    collection
        ArviZ's `PlotCollection`.
    """

    collection: Any

    @property
    def backend(self) -> str:
        """The library that drew it."""
        return str(self.collection.backend)

    @property
    def figure(self) -> Any:
        """The backend's figure."""
        return self.collection.get_viz("figure")

    @property
    def axes(self) -> list[Any]:
        """The backend's plots in order; for matplotlib, Axes."""
        return list(self.collection.viz["plot"].to_numpy().ravel())

    def savefig(self, path: str | PathLike[str] | IO[bytes], **options: Any) -> None:
        """Save the picture: PNG, SVG, PDF by matplotlib, ``.html`` by plotly and bokeh.

        Parameters
        ----------
        path
            The file; for matplotlib also an open one.
        options
            Of the backend, ``dpi`` of matplotlib among them.
        """
        if self.backend == "matplotlib":
            self.figure.savefig(path, **options)
            return
        where = Path(cast("str", path))
        if self.backend == "bokeh":  # its scripts inside the file, and not from the network
            options.setdefault("resources", import_module("bokeh.resources").INLINE)
            options.setdefault("title", where.stem)
        self.collection.savefig(where, **options)

    def png(self) -> bytes:
        """Return the picture as a PNG file (matplotlib only)."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=RESOLUTION)
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self.backend == "matplotlib":
            return {"image/png": self.png()}
        if self.backend == "plotly":
            return dict(self.figure._repr_mimebundle_(include, exclude))
        embed, resources = import_module("bokeh.embed"), import_module("bokeh.resources")
        return {"text/html": embed.file_html(self.figure, resources.INLINE)}


def canvas(
    panels: int,
    size: tuple[float, float],
    columns: int | None = None,
    backend: str = "matplotlib",
    **grid: Any,
) -> tuple[Picture, list[Panel]]:
    """Return a picture with empty panels.

    Parameters
    ----------
    panels
        Their number.
    size
        Width and height of the whole picture, inches.
    columns
        Panels side by side; None puts all in a row.
    backend
        ``"matplotlib"``, ``"plotly"`` or ``"bokeh"``.
    grid
        For ArviZ's ``create_plotting_grid``: ``sharex``, ``sharey``, ``height_ratios``.

    Raises
    ------
    StatisticError
        For an unknown backend, or one that is not installed.
    """
    draw = interface(backend)
    import xarray as xr
    from arviz import rc_context
    from arviz_plots import PlotCollection

    dots = (size[0] * DOTS, size[1] * DOTS)
    options = {"figsize": size} if backend == "matplotlib" else {"figsize": dots}
    if backend == "matplotlib":
        options["layout"] = "constrained"  # type: ignore[assignment]
    else:
        options["figsize_units"] = "dots"  # type: ignore[assignment]
    frame = xr.Dataset({"panel": ("panel", np.arange(panels))})
    with rc_context({"plot.max_subplots": None}):
        collection = PlotCollection.wrap(
            frame,
            cols=["panel"],
            col_wrap=columns or panels,
            backend=backend,
            figure_kwargs=options | grid,
        )
    picture = Picture(collection)
    if backend == "matplotlib":
        tidy(picture)
    return picture, [Panel(target, draw) for target in picture.axes]


def interface(backend: str) -> Any:
    """Return ArviZ's interface to a backend."""
    if backend not in BACKENDS:
        raise StatisticError(
            message(
                f"backend={backend!r}",
                ", ".join(map(repr, BACKENDS)),
                "leave it out for matplotlib",
            )
        )
    try:
        return import_module(f"arviz_plots.backend.{backend}")
    except ImportError as error:
        raise StatisticError(
            message(
                f"backend={backend!r}, of which {error.name} is not installed",
                "installed libraries",
                f"pip install {backend}{' webcolors' * (backend == 'plotly')}",
            )
        ) from None


def tidy(picture: Picture) -> None:
    """Take the figure from pyplot, which would keep it, and its frame and large letters away."""
    from matplotlib import pyplot

    pyplot.close(picture.figure)
    for axis in picture.axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)


def key(picture: Picture, entries: Sequence[tuple[str, str]]) -> None:
    """Explain colours: a strip under or beside the picture.

    Parameters
    ----------
    picture
        The picture.
    entries
        Label and colour of each.
    """
    legend = import_module(f"arviz_plots.backend.{picture.backend}").legend
    labels = [label for label, _ in entries]
    styles = [{"color": colour} for _, colour in entries]
    if picture.backend == "matplotlib":
        columns = columns_of_key(labels, 72 * picture.figure.get_figwidth())
        place = {"loc": "outside lower center", "ncols": columns, "fontsize": KEY_SIZE}
        legend = partial(legend, frameon=False, visual_kwargs={"linewidth": 3}, **place)
    legend(picture.collection, styles, labels)


def columns_of_key(labels: Sequence[str], room: float) -> int:
    """Return how many columns of labels stand side by side in so many points."""
    from matplotlib.textpath import TextPath

    sizes = [TextPath((0, 0), label, size=KEY_SIZE).get_extents().width for label in labels]
    most = len(labels) if len(labels) <= 4 else 3
    for columns in range(most, 1, -1):
        widths = [own.max() + KEY_SWATCH for own in np.array_split(sizes, columns)]
        if sum(widths) <= room:
            return columns
    return 1


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """Return at most `most` evenly spaced places of `count`, the first among them."""
    return np.arange(0, count, max(1, -(-count // most)))
