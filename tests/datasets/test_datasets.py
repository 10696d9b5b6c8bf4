from importlib.resources import files

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


INCLUDED = {
    "cbpp": (56, "herd", 15),
    "dyestuff": (30, "Batch", 6),
    "dyestuff2": (30, "Batch", 6),
    "eight_schools": (8, "school", 8),
    "four_classrooms": (18, "room", 4),
    "high_school_beyond": (7185, "school", 160),
    "language_bdf": (2287, "schoolNR", 131),
    "pastes": (60, "sample", 30),
    "patents": (400, "applicant", 40),
    "penicillin": (144, "plate", 24),
    "radon": (919, "county", 85),
    "rats": (150, "rat", 30),
    "sleepstudy": (180, "Subject", 18),
}
SIMULATED = {
    "four_classrooms": mlm.datasets.simulate_four_classrooms,
    "patents": mlm.datasets.simulate_patents,
}
OUTSIDE = {
    "contraception": (1934, "district", 60),
    "election88": (2015, "state", 49),
    "grouseticks": (403, "BROOD", 118),
    "guimmun": (2159, "mom", 1595),
    "insteval": (73421, "d", 1128),
    "language": (3758, "schoolnr", 211),
    "verbagg": (7584, "id", 316),
}


def test_every_data_set_is_told_and_has_a_source(monkeypatch):
    monkeypatch.delenv("BAYESMLM_DATA", raising=False)
    assert set(mlm.datasets.available()) == set(INCLUDED)
    assert set(mlm.datasets.SOURCES) == set(INCLUDED) | set(OUTSIDE)
    for name in mlm.datasets.SOURCES:
        about = mlm.datasets.about(name)
        assert about.about and about.source
        assert about.included is (name in INCLUDED)


@pytest.mark.parametrize("name", INCLUDED)
def test_included_data_are_complete(name):
    rows, group, size = INCLUDED[name]
    frame = mlm.datasets.load(name)
    assert len(frame) == rows
    assert frame[group].nunique() == size
    assert not frame.isna().any(axis=None)


@pytest.mark.parametrize("name", sorted(set(INCLUDED) - set(SIMULATED) - {"high_school_beyond"}))
def test_included_data_are_the_source_files(name, shared_data):
    source = pd.read_csv(shared_data / f"{mlm.datasets.about(name).file}.csv", dtype=str)
    frame = pd.read_csv(files("bayesmlm.datasets") / f"{name}.csv.gz", dtype=str)
    assert frame.equals(source.rename(columns=lambda column: column.replace(".", "_")))


@pytest.mark.parametrize("name", OUTSIDE)
def test_data_that_are_not_included_are_read_from_a_folder(name, shared_data, monkeypatch):
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
    assert name in mlm.datasets.available()
    rows, group, size = OUTSIDE[name]
    frame = mlm.datasets.load(name)
    assert len(frame) == rows
    assert frame[group].nunique() == size
    assert not frame.isna().any(axis=None)


@pytest.mark.parametrize("name", OUTSIDE)
def test_data_that_are_not_found_are_told(name, monkeypatch, tmp_path):
    monkeypatch.delenv("BAYESMLM_DATA", raising=False)
    with pytest.raises(DataError, match=r"BAYESMLM_DATA is not set[\s\S]*set BAYESMLM_DATA to it"):
        mlm.datasets.load(name)
    monkeypatch.setenv("BAYESMLM_DATA", str(tmp_path))
    file = mlm.datasets.about(name).file
    with pytest.raises(DataError, match=f"{file}.csv is not found: not in"):
        mlm.datasets.load(name)


def test_labels_are_text_and_references_come_first(shared_data, monkeypatch):
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
    assert sorted(mlm.datasets.load("guimmun")["ord"].unique()) == ["01", "23", "46", "7p"]
    assert mlm.datasets.load("sleepstudy")["Subject"].iloc[0] == "308"
    assert mlm.datasets.load("cbpp")["period"].iloc[0] == "1"
    rooms = mlm.datasets.load("four_classrooms")
    assert rooms["gender"].cat.categories.to_list() == ["boy", "girl"]


def test_respondents_of_1988_have_the_region_and_vote_of_their_state(shared_data, monkeypatch):
    monkeypatch.setenv("BAYESMLM_DATA", str(shared_data))
    frame = mlm.datasets.load("election88")
    states = pd.read_csv(shared_data / "election88_states.csv").set_index("state")
    assert frame["v_prev_adj"].tolist() == states["v_prev_adj"].loc[frame["state"]].tolist()
    assert frame["region"].nunique() == 5
    assert sorted(frame["age_edu"].unique()) == list(range(1, 17))


@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_lessons_are_what_their_seed_gives(name):
    made = SIMULATED[name]()
    frame = mlm.datasets.load(name)
    assert made.astype(frame.dtypes).equals(frame)
    assert not SIMULATED[name](seed=99).equals(made)


def test_the_four_classrooms_are_as_told():
    rooms = mlm.datasets.load("four_classrooms").groupby("room")
    assert rooms.size().tolist() == [5, 4, 5, 4]
    assert (rooms["gender"].nunique() == 2).all()


def test_unknown_name():
    with pytest.raises(DataError, match="did you mean 'high_school_beyond'"):
        mlm.datasets.load("high_school_beyon")
