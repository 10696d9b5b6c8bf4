import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm.errors import DataError


def test_high_school_and_beyond_is_the_published_sample():
    frame = mlm.datasets.load("high_school_beyond")
    assert len(frame) == 7185
    assert frame["school"].nunique() == 160
    assert frame["mathach"].mean() == pytest.approx(12.748, abs=5e-4)
    assert frame["mathach"].std() == pytest.approx(6.878, abs=5e-4)
    assert frame["sector"].cat.categories.to_list() == ["Public", "Catholic"]
    assert frame.groupby("school")["sector"].nunique().max() == 1
    assert (frame.groupby("school")["sector"].first() == "Catholic").sum() == 70


def test_high_school_and_beyond_is_the_source_file(shared_data):
    pupils = pd.read_csv(shared_data / "MathAchieve.csv", dtype={"School": str})
    frame = mlm.datasets.load("high_school_beyond")
    assert frame["ses"].tolist() == pupils["SES"].tolist()
    assert frame["mathach"].tolist() == pupils["MathAch"].tolist()
    assert frame["school"].tolist() == pupils["School"].tolist()


def test_available_names_can_be_loaded():
    assert "high_school_beyond" in mlm.datasets.available()
    for name in mlm.datasets.available():
        assert len(mlm.datasets.load(name)) > 0


def test_unknown_name():
    with pytest.raises(DataError, match="did you mean 'high_school_beyond'"):
        mlm.datasets.load("high_school")
