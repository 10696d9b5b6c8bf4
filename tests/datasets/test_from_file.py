"""Data frames from files."""

import numpy as np
import pandas as pd
import pytest

from bayesmlm.datasets.from_file import SUFFIXES, read_file
from bayesmlm.errors import DataError

FRAME = pd.DataFrame({"school": ["é", "b"], "x": [1, 2], "y": [0.1, np.nan]})


def write(path):
    if path.name.lower().endswith(".parquet"):
        FRAME.to_parquet(path)
    else:
        separator = "\t" if ".tsv" in path.name.lower() else ","
        FRAME.to_csv(path, index=False, sep=separator)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".2024.CSV"])
def test_every_suffix(suffix, tmp_path):
    path = tmp_path / f"rows{suffix}"
    write(path)
    for given in (path, str(path)):
        pd.testing.assert_frame_equal(read_file(given), FRAME)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="there is no data file") as caught:
        read_file(tmp_path / "none.csv")
    assert "the current folder is" in str(caught.value)


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", "csv"])
def test_another_suffix(name, tmp_path):
    with pytest.raises(DataError, match="has no suffix that says what it is") as caught:
        read_file(tmp_path / name)
    assert ".parquet" in str(caught.value)


def test_a_folder(tmp_path):
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        read_file(tmp_path / "rows.csv")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_not_what_its_suffix_says(suffix, tmp_path):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(DataError, match=r"cannot be (read as|opened)") as caught:
        read_file(path)
    assert "next:" in str(caught.value)
