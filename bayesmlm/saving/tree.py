"""The groups of an `xarray.DataTree` to JSON and arrays, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmlm.errors import SavedFitError, message
from bayesmlm.saving.codec import Decoder, Encoder

if TYPE_CHECKING:
    import xarray as xr


def write_tree(tree: xr.DataTree, encoder: Encoder) -> list[Any]:
    """Return the groups as JSON has them; their arrays are kept under ``tree/group/name``."""
    return [write_group(node, encoder) for node in tree.subtree]


def write_group(node: xr.DataTree, encoder: Encoder) -> dict[str, Any]:
    """Return one group."""
    import pandas as pd

    dataset = node.to_dataset(inherit=False)
    for name, index in dataset.indexes.items():
        if isinstance(index, pd.MultiIndex):
            raise SavedFitError(
                message(
                    f"{node.path}: {name!r} is a multi-index",
                    "plain coordinates",
                    "undo it with .reset_index() (or .unstack()), then save again",
                )
            )
    place = f"tree{node.path.rstrip('/')}"
    variables = [
        {
            "name": encoder.encode(name, place),
            "dims": encoder.encode(variable.dims, place),
            "coordinate": name in dataset.coords,
            "attrs": encoder.encode(variable.attrs, f"{place}/{name} attributes"),
            "values": encoder.encode(np.asarray(variable.values), f"{place}/{name}"),
        }
        for name, variable in dataset.variables.items()
    ]
    attrs = encoder.encode(dataset.attrs, f"{place} attributes")
    return {"path": node.path, "attrs": attrs, "variables": variables}


def read_tree(groups: list[Any], decoder: Decoder) -> xr.DataTree:
    """Return the tree that `write_tree` wrote."""
    import xarray as xr

    return xr.DataTree.from_dict({group["path"]: read_group(group, decoder) for group in groups})


def read_group(group: dict[str, Any], decoder: Decoder) -> xr.Dataset:
    """Return one group."""
    import xarray as xr

    parts: dict[bool, dict[Any, Any]] = {False: {}, True: {}}
    for variable in group["variables"]:
        parts[variable["coordinate"]][decoder.decode(variable["name"])] = xr.Variable(
            decoder.decode(variable["dims"]),
            decoder.decode(variable["values"]),
            decoder.decode(variable["attrs"]),
        )
    return xr.Dataset(parts[False], parts[True], decoder.decode(group["attrs"]))
