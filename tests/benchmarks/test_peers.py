import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as harness
from benchmarks.measure import task_of
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


def test_some_fitters_are_asked_for_responses_alone_that_are_not_gaussian(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "prepare", lambda workload, folder: 3)
    monkeypatch.setattr(harness, "measure", lambda *_: {"state": "cannot", "reason": "asked"})
    small = Workload("small", "Small", data=lambda: None, formula="y ~ 1 + (1 | g)")
    asked = [replace(small, name="binary", family="bernoulli"), small]
    chosen = [FITTERS["quadrature"], FITTERS["ml"]]
    found = harness.results(asked, chosen, 1.0, False, tmp_path / "results.json")
    runs = {name: set(entry["runs"]) for name, entry in found["workloads"].items()}
    assert runs == {"binary": {"quadrature", "ml"}, "small": {"ml"}}


def test_a_task_names_the_family_and_the_options(tmp_path):
    graph, binary = FITTERS["graph"], WORKLOADS["contraception"]
    path = task_of(binary, graph, tmp_path, tmp_path, (0, 0, 0.0))
    task = json.loads(path.read_text())
    assert task["family"] == "bernoulli" and task["options"] == {"backend": "graph"}
