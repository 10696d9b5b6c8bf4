import numpy as np
import pandas as pd
import pytest

from benchmarks import columns


def test_what_is_written_is_read(tmp_path):
    frame = pd.DataFrame(
        {
            "y": [1.5, -2.0, 0.1],
            "count": [3, 1, 2],
            "g": ["b", "a", "b"],
            "sector": pd.Categorical(["Public", "Catholic", "Public"], ["Public", "Catholic"]),
        }
    )
    columns.write(frame, tmp_path)
    found = columns.read(tmp_path)
    assert list(found) == list(frame)
    assert np.array_equal(found["y"], frame["y"])
    assert np.array_equal(found["count"], frame["count"])
    assert found["g"].tolist() == frame["g"].tolist()
    assert found["sector"].tolist() == frame["sector"].tolist()
    assert list(found["sector"].cat.categories) == ["Public", "Catholic"]


def test_missing_values_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'y' has missing values"):
        columns.write(pd.DataFrame({"y": [1.0, np.nan]}), tmp_path)
