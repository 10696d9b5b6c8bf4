import json
from pathlib import Path

import pytest

from benchmarks import __main__ as harness
from benchmarks.peers import FITTERS, Absent
from benchmarks.workloads import WORKLOADS, Workload, Written

PEERS = Path(harness.__file__).parent / "peers"


def test_a_peer_that_is_not_installed_is_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("BAMBI_PYTHON", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Absent, match="environment of its own"):
        FITTERS["bambi"].versions()
    with pytest.raises(Absent, match="no Rscript on PATH"):
        FITTERS["lme4"].versions()


def test_an_absent_peer_is_told_in_the_results(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(harness, "prepare", lambda workload, folder: 3)
    small = Workload("small", "Small", data=lambda: None, formula="y ~ 1 + (1 | g)")
    path = tmp_path / "results.json"
    harness.results([small], [FITTERS["brms"]], 1.0, False, path)
    found = json.loads(path.read_text())
    assert found["fitters"]["brms"]["absent"] == "no Rscript on PATH"
    assert found["workloads"]["small"]["runs"]["brms"]["state"] == "absent"


def test_every_peer_has_its_file():
    for fitter in FITTERS.values():
        name = f"{fitter.name}.R" if fitter.language == "R" else f"{fitter.language}.py"
        assert (PEERS / name).is_file()


def test_every_workload_names_fitters_that_exist():
    for workload in WORKLOADS.values():
        named = {*workload.written, *workload.cannot, *workload.options, *workload.cold}
        assert named <= set(FITTERS)
        assert not set(workload.written) & set(workload.cannot)
        assert workload.as_written_for("laplace").formula


def test_a_fitter_reads_the_model_as_it_writes_it():
    eight = WORKLOADS["eight-schools"]
    assert "log_se" in eight.as_written_for("bambi").formula
    assert eight.as_written_for("ml") == Written(eight.formula)
