"""The commands: what they print, what they write, and their exit status."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import bayesmlm as mlm
from bayesmlm import cli, names
from bayesmlm.engines import ENGINES, Engine
from bayesmlm.gallery import available, read

FORMULA = "y ~ x + (x | school/class)"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with one table in several formats."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "school": np.repeat(["a", "b", "c", "d"], 12),
            "class": np.tile([1, 2, 3], 16),
            "x": rng.normal(size=48),
            "y": rng.normal(size=48),
        }
    )
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_csv(folder / "rows.TSV.gz", index=False, sep="\t", compression="gzip")
    frame.to_parquet(folder / "rows.parquet")
    frame.assign(x=frame["x"].where(frame.index > 1)).to_csv(folder / "holes.csv", index=False)
    return folder


@pytest.fixture
def fake(make_result, monkeypatch):
    """An engine ``fake`` that draws from nothing: its estimates are the generating values."""

    @dataclass(frozen=True)
    class Fake(Engine):
        draws: int = 500
        chains: int = 4
        fails: str = ""

        name: ClassVar[str] = "fake"
        seen: ClassVar[list] = []

        def fit(self, design, priors, seed, progress):
            self.seen.append((self, seed, progress.show, design))
            if self.fails == "swallows":  # as nutpie does
                with contextlib.suppress(KeyboardInterrupt):
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(10)
            elif self.fails:
                raise {"stop": KeyboardInterrupt, "bug": ZeroDivisionError}[self.fails]
            rng = np.random.default_rng(seed)
            shape = (self.chains, self.draws)
            draws = {names.BETA: rng.normal(size=(*shape, len(design.coef)))}
            for block in design.random:
                q = len(block.effects)
                draws[names.sd(block.name)] = rng.uniform(1, 2, size=(*shape, q))
                draws[names.effects(block.name)] = rng.normal(size=(*shape, block.grouping.size, q))
                if block.pairs:
                    pairs = (*shape, len(block.pairs))
                    draws[names.corr(block.name)] = rng.uniform(-0.5, 0.5, size=pairs)
            if design.estimates_scale:
                draws[names.SIGMA] = rng.uniform(1, 2, size=shape)
            model = SimpleNamespace(spec=design.spec, design=design, prior_values=priors)
            return replace(make_result(model, **draws), seed=seed)

    monkeypatch.setitem(ENGINES, "fake", Fake)
    return Fake


@pytest.fixture
def run(capsys):
    """Return a function of arguments that gives status, output and errors."""

    def call(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return (status, *capsys.readouterr())

    return call


def refused(result, *words):
    status, out, err = result
    assert status == 2 and out == ""
    assert "Traceback" not in err and err.startswith("bayesmlm: error: ")
    for word in (*words, "allowed:", "next:"):
        assert word in err


# --- models and show ------------------------------------------------------------------------


def test_models_are_listed_with_their_titles(run):
    status, out, err = run("models")
    assert (err, status) == ("", 0)
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == list(available())
    assert all(line.endswith(read(line.split()[0]).title) for line in lines)


def test_show_a_model_of_the_gallery(run):
    status, out, err = run("show", "sleepstudy")
    assert (err, status) == ("", 0)
    for piece in (
        read("sleepstudy").title,
        "level 2 (",
        "combined: ",
        "formula: ",
        "level 1: 180 rows",
        "18 groups of 10",
        "Priors",
        "HalfStudentT(3, ",
        "Published",
    ):
        assert piece in out
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize("file", ["rows.csv", "rows.TSV.gz", "rows.parquet"])
def test_show_a_formula_with_data(file, run, data):
    status, out, err = run("show", FORMULA, "--data", data / file)
    assert (err, status) == ("", 0)
    assert "level 2 (class)" in out and "sd_school:class[x]" in out
    assert "level 3: school, 4 groups of 12" in out


def test_show_a_formula_without_data_says_what_is_missing(run):
    status, out, err = run("show", "hit ~ x + (1 | g)", "--family", "bernoulli")
    assert status == 0 and "logit(hit) = b0" in out
    assert err == "\nlevels and priors need the data: --data FILE\n"


def test_show_equations(run, data):
    text = "level 1: y = b0 + b1*x + r\nlevel 2 (school): b0 = g00 + u0"
    status, out, _ = run("show", text, "--data", data / "rows.csv")
    assert status == 0 and "formula:  y ~ 1 + x + (1 | school)" in out


def test_show_a_file(run, data, tmp_path):
    path = tmp_path / "mine ~.toml"
    path.write_text(f'title = "Mine"\n[model]\nformula = "{FORMULA}"\n', encoding="utf-8")
    status, out, err = run("show", path)
    assert status == 0 and out.startswith("Mine\n\nlevel 1:") and "--data FILE" in err
    status, out, err = run("show", path, "--data", data / "rows.csv")
    assert (status, err) == (0, "") and "level 1: 48 rows" in out


def test_an_unknown_model(run):
    refused(run("show", "sleepstdy"), "unknown model 'sleepstdy' (did you mean 'sleepstudy'?)")
    refused(run("fit", "none.toml"), "no model file 'none.toml'")
    refused(run("show", "none.zip"), "there is no file 'none.zip'")


def test_a_formula_that_is_none(run, data):
    refused(run("show", "y ~ (x | )", "--data", data / "rows.csv"))
    refused(run("fit", "y ~ tempo + (1 | school)", "--data", data / "rows.csv"), "'tempo'")


@pytest.mark.parametrize("extra", [("--family", "poisson"), ("--link", "log")])
def test_what_belongs_to_a_formula_is_refused_beside_a_model_file(extra, run):
    refused(run("show", "sleepstudy", *extra), f"{extra[0]} beside the model file 'sleepstudy'")


# --- data -----------------------------------------------------------------------------------


def test_a_formula_needs_data(run):
    refused(run("fit", FORMULA), "no data for", "add --data FILE")


def test_data_that_are_not_there(run, data):
    refused(run("fit", FORMULA, "--data", data / "none.csv"), "there is no data file", "none.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.xlsx", b"", "has no suffix that says what it is (.xlsx)"),
        ("rows", b"", "(none)"),
        ("empty.csv", b"", "cannot be read as .csv: No columns"),
        ("latin.csv", b"y,x\n\xff\xfe,1\n", "cannot be read as .csv: 'utf-8'"),
        ("ragged.csv", b"y,x\n1,2\n1,2,3\n", "cannot be read as .csv: Error tokenizing"),
        ("broken.csv.gz", b"\x1f\x8b\x08\x00", "broken.csv.gz' can"),
        ("broken.parquet", b"PAR1 and nothing", "cannot be read as .parquet"),
        ("header.csv", b"y,x,school,class\n", "without rows"),
    ],
)
def test_data_that_cannot_be_read(name, content, words, run, tmp_path):
    (tmp_path / name).write_bytes(content)
    refused(run("fit", FORMULA, "--data", tmp_path / name), words)


def test_a_folder_of_data(run, tmp_path):
    (tmp_path / "rows.csv").mkdir()
    refused(run("fit", FORMULA, "--data", tmp_path / "rows.csv"), "is a folder")


# --- fit ------------------------------------------------------------------------------------


def test_fit_prints_the_summary(run, fake, data):
    arguments = ("--data", data / "rows.csv", "--engine", "fake", "--seed", 3)
    status, out, err = run("fit", FORMULA, *arguments)
    assert (err, status) == ("", 0)
    for piece in ("Fixed effects (95 % intervals)", "Variance components", "Converged", "seed 3"):
        assert piece in out
    assert (status, out, err) == run("fit", FORMULA, *arguments)


def test_fit_prints_the_published_table_beside_ours(run, fake, tmp_path):
    status, out, err = run("fit", "sleepstudy", "--engine", "fake", "--seed", 1, "--out", tmp_path)
    assert (err, status) == ("", 0)
    shown = out.partition("Published beside ours")[2]
    for figure in read("sleepstudy").published:
        assert f"{figure.estimate:.4g}" in shown
    assert read("sleepstudy").published[0].source[:40] in shown
    frame = pd.read_csv(tmp_path / "published.csv", index_col=0)
    assert list(frame.index) == [figure.parameter for figure in read("sleepstudy").published]
    assert {"published", "mean", "sd", "q05", "q95", "ok"} <= set(frame.columns)


def test_fit_writes_fit_tables_and_pictures(run, fake, data, tmp_path):
    out_folder = tmp_path / "new" / "results"
    status, out, _ = run(
        "fit", FORMULA, "--data", data / "rows.parquet", "--engine", "fake", "--out", out_folder
    )
    assert status == 0 and out.endswith(f"fit, tables and pictures: {out_folder}\n")
    both = ("fixed_effects", "variance_components", "icc")
    for group in ("school", "school_class"):
        both += (f"random_effects_{group}", f"coefficients_{group}")
    expected = {f"{name}.{suffix}" for name in both for suffix in ("csv", "txt")}
    expected |= {"fit.zip", "summary.txt", "caterpillar_school.png", "caterpillar_school_class.png"}
    assert {path.name for path in out_folder.iterdir()} == expected
    assert [path.name for path in out_folder.parent.iterdir()] == ["results"]

    fit = mlm.load(out_folder / "fit.zip")
    assert (out_folder / "summary.txt").read_text(encoding="utf-8") == f"{fit.summary()}\n"
    assert out.startswith(f"{fit.summary()}\n")
    table = pd.read_csv(out_folder / "random_effects_school_class.csv", index_col=[0, 1])
    assert np.allclose(table.to_numpy(), fit.ranef("school:class").frame.to_numpy(), rtol=1e-15)
    for picture in out_folder.glob("*.png"):
        assert picture.read_bytes().endswith(b"IEND\xaeB`\x82")

    status, out, err = run("show", out_folder / "fit.zip")
    assert (status, out, err) == (0, f"{fit.summary()}\n", "")


def test_fit_that_did_not_converge(run, fake, data, tmp_path):
    arguments = ("--data", data / "rows.csv", "--engine", "fake", "--out", tmp_path / "results")
    status, out, err = run("fit", FORMULA, *arguments, "-o", "chains=1")
    assert status == 1
    assert err.startswith("bayesmlm: warning: Not converged") and "Not converged" in out
    assert mlm.load(tmp_path / "results" / "fit.zip")


def test_options_seed_and_progress_reach_the_engine(run, fake, data):
    fake.seen.clear()
    arguments = ("fit", FORMULA, "--data", data / "rows.csv", "--engine", "fake")
    run(*arguments, "-o", "draws=400", "--option", "chains=2", "--seed", 7, "--progress")
    run(*arguments)
    (first, seed, show, _), (second, _, hidden, _) = fake.seen
    assert (first.draws, first.chains, seed, show) == (400, 2, 7, True)
    assert (second.draws, second.chains, hidden) == (500, 4, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--engine", "nut"), "unknown engine 'nut' (did you mean 'nuts'?)"),
        (("-o", "drawz=1"), "unknown option 'drawz'"),
        (("-o", "draws"), "the option 'draws'"),
        (("-o", "draws=1", "-o", "draws=2"), "given twice"),
        (("-o", "draws=many"), "NUTS(draws='many')"),
        (("--seed", "-1"), "seed=-1"),
        (("--family", "gausian"), "unknown family 'gausian'"),
        (("--link", "log"), "no link 'log'"),
    ],
)
def test_options_that_are_none(options, words, run, data):
    refused(run("fit", FORMULA, "--data", data / "rows.csv", *options), words)


def test_missing_values(run, fake, data):
    arguments = ("fit", FORMULA, "--data", data / "holes.csv", "--engine", "fake")
    refused(run(*arguments), "missing values in x (2)")
    status, _, err = run(*arguments, "--missing", "drop")
    assert status == 0
    assert err.startswith("bayesmlm: warning: 2 of 48 rows dropped") and "cli.py" not in err


def test_out_is_checked_before_anything_is_fitted(run, fake, data, tmp_path):
    fake.seen.clear()
    (tmp_path / "file").write_text("mine")
    arguments = ("fit", FORMULA, "--data", data / "rows.csv", "--engine", "fake", "--out")
    refused(run(*arguments, tmp_path / "file"), "is a file")
    refused(run(*arguments, tmp_path / "file" / "below"), "cannot be written to")
    assert fake.seen == [] and (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(("fails", "status"), [("stop", 130), ("swallows", 130), ("bug", 70)])
def test_a_run_that_stops_leaves_the_folder_as_it_was(fails, status, run, fake, data, tmp_path):
    arguments = ("fit", FORMULA, "--data", data / "rows.csv", "--engine", "fake")
    assert run(*arguments, "--seed", 1, "--out", tmp_path)[0] == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, err = run(*arguments, "--seed", 2, "--out", tmp_path, "-o", f"fails={fails}")
    assert (code, out) == (status, "")
    if fails == "bug":
        assert "ZeroDivisionError" in err and "defect of bayesmlm" in err
    else:
        assert err == "bayesmlm: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_files_in_the_folder_stay(run, fake, data, tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    run("fit", FORMULA, "--data", data / "rows.csv", "--engine", "fake", "--out", tmp_path)
    assert (tmp_path / "notes.md").read_text() == "mine" and (tmp_path / "fit.zip").exists()


@pytest.mark.slow
def test_demo(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run("demo")
    assert status == 0 and "Converged" in out


def test_engines_that_are_not_there(run):
    refused(run("compare-engines", "sleepstudy", "--engines", "nuts,laplce"), "'laplace'")
    refused(run("compare-engines", "sleepstudy", "--reference", "advy"), "'advi'")


@pytest.mark.slow
def test_engines_side_by_side(run):
    words = ("--engines", "laplace,ml", "--reference", "laplace", "--seed", 1)
    status, out, err = run("compare-engines", "sleepstudy", *words)
    assert (status, err) == (0, "")
    assert "distance: from laplace" in out and "sd_Subject[Days]" in out


@pytest.mark.slow
def test_fit_for_real(run, tmp_path):
    status, out, err = run("fit", "radon-slope", "--seed", 1, "--out", tmp_path)
    assert (status, err) == (0, "") and "Published beside ours" in out
    assert (pd.read_csv(tmp_path / "published.csv")["ok"]).all()


KILL = """
    import os, random, signal, sys, time
    from dataclasses import dataclass
    from pathlib import Path
    import bayesmlm as mlm
    from bayesmlm import cli
    from bayesmlm.engines import ENGINES, Engine
    from bayesmlm.saving import load_result

    saved, data, folder, kills = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    result = load_result(saved)

    @dataclass(frozen=True)
    class Again(Engine):
        name = "again"
        pause: float = 0.0

        def fit(self, design, priors, seed, progress):
            time.sleep(self.pause)
            return result

    ENGINES["again"] = Again

    def fit(*more):
        sys.stdout = open(os.devnull, "w")
        words = ["fit", %r, "--data", data, "--engine", "again", "--out", str(folder)]
        return cli.main([*words, *more])

    def content():
        return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}

    started = time.perf_counter()
    assert fit() == 0  # and everything is imported
    whole, generator = content(), random.Random(1)
    started = time.perf_counter()
    fit()
    seconds = time.perf_counter() - started
    for k in range(kills):
        asleep = k %% 3 == 0  # killed in the middle of sampling, or at any time
        child = os.fork()
        if child == 0:
            fit("-o", f"pause={60 if asleep else 0}")
            os._exit(0)
        time.sleep(generator.uniform(0, 1.1 * seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert content() == whole, k
    assert mlm.load(folder / "fit.zip").check()
    print("whole after every kill", file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process to kill it")
def test_kill_during_fit_leaves_the_folder_whole(run, fake, data, tmp_path):
    run("fit", FORMULA, "--data", data / "rows.csv", "--engine", "fake", "--out", tmp_path / "one")
    script = textwrap.dedent(KILL) % FORMULA
    paths = (tmp_path / "one" / "fit.zip", data / "rows.csv", tmp_path / "two")
    call = [sys.executable, "-W", "ignore", "-c", script, *paths, "15"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert done.stderr.endswith("whole after every kill\n"), done.stderr
    assert re.search(r"\.part$", "\n".join(map(str, (tmp_path / "two").iterdir())), re.MULTILINE)
