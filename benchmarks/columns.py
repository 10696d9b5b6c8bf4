"""Data frames as plain files, which Python and R read alike and fast: one file a column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

META = "columns.json"
NUMBER, WHOLE, TEXT = "number", "whole", "text"
DTYPES = {NUMBER: "<f8", WHOLE: "<i4", TEXT: "<i4"}
"""How a column is stored; text as codes from 0, in the order of its labels."""


def write(frame: pd.DataFrame, folder: Path) -> None:
    """Write a data frame of numbers and labels, none of them missing."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = []
    for position, name in enumerate(frame):
        column = frame[name]
        entry = {"name": str(name), "file": f"{position}.bin", "kind": NUMBER}
        if column.dtype.kind in "iub":
            values, entry["kind"] = column.to_numpy(), WHOLE
        elif column.dtype.kind == "f":
            values = column.to_numpy()
        else:
            labels = column.astype("category").cat
            values, entry["kind"] = labels.codes.to_numpy(), TEXT
            entry["labels"] = [str(label) for label in labels.categories]
        if column.isna().any():
            raise ValueError(f"column {name!r} has missing values: drop them in the workload")
        values.astype(DTYPES[entry["kind"]]).tofile(folder / entry["file"])
        columns.append(entry)
    meta = {"rows": len(frame), "columns": columns}
    (folder / META).write_text(json.dumps(meta), encoding="utf-8")


def read(folder: Path) -> pd.DataFrame:
    """Read what `write` wrote; text becomes categories."""
    import pandas as pd

    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    found = {}
    for entry in meta["columns"]:
        values = np.fromfile(folder / entry["file"], DTYPES[entry["kind"]])
        if entry["kind"] == TEXT:
            values = pd.Categorical.from_codes(values, entry["labels"])
        found[entry["name"]] = values
    return pd.DataFrame(found)
