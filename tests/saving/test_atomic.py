"""A save that fails or is killed at any moment leaves the old file whole."""

import errno
import os
import stat
import subprocess
import sys
import textwrap

import pytest

import bayesmlm as mlm
from bayesmlm.errors import SavedFitError
from bayesmlm.saving import replacing, replacing_files
from bayesmlm.saving.atomic import SUFFIX


def test_a_file_is_replaced_when_the_block_ends(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_the_old_file_and_nothing_else(error, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail():
        with replacing(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="permission bits and links of POSIX")
def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink() and path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with replacing(tmp_path / "another") as file:
        file.write(b"")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "another").stat().st_mode) == 0o666 & ~mask


def test_a_new_folder_comes_in_one_step(tmp_path):
    target = tmp_path / "made" / "on the way" / "results"
    with replacing_files(target) as part:
        (part / "a").write_text("1")
        assert not target.exists()
    assert [p.name for p in target.iterdir()] == ["a"]
    assert [p.name for p in target.parent.iterdir()] == ["results"]


def test_files_move_into_a_folder_that_is_there_and_others_stay(tmp_path):
    for name in ("a", "mine"):
        (tmp_path / name).write_text("old")
    with replacing_files(tmp_path) as part:
        (part / "a").write_text("new")
        (part / "b").write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    found = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert found == {"a": "new", "b": "new", "mine": "old"}


def test_an_error_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "a").write_text("old")

    def fail(target):
        with replacing_files(target) as part:
            (part / "a").write_text("new")
            raise KeyboardInterrupt

    for target in (tmp_path, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            fail(target)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old"}


def test_a_full_disk(saved, fit_of, monkeypatch):
    before = saved.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavedFitError, match="cannot be written: No space left on device"):
        fit_of("nested").save(saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_a_folder_that_is_not_there_or_is_the_target(fit_of, tmp_path):
    fit = fit_of("no groups")
    with pytest.raises(SavedFitError, match="cannot be written: No such file"):
        fit.save(tmp_path / "none" / "fit.zip")
    with pytest.raises(SavedFitError, match="is a folder"):
        fit.save(tmp_path)


def test_what_cannot_be_stored_is_named_and_the_old_file_stays(saved, fit_of):
    before = saved.read_bytes()
    fit = fit_of("crossed")
    fit.tree["posterior"].attrs["model"] = object()
    with pytest.raises(SavedFitError, match="tree/posterior attributes/model holds a object"):
        fit.save(saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_a_multi_index_is_refused_with_a_way_out(fit_of, tmp_path):
    fit = fit_of("crossed")
    stacked = fit.tree["posterior"].to_dataset().stack(sample=("chain", "draw"))
    fit.tree["samples"] = stacked
    with pytest.raises(SavedFitError, match="'sample' is a multi-index"):
        fit.save(tmp_path / "fit.zip")


def test_a_leftover_of_a_killed_save_does_not_count(saved):
    part = saved.with_name(f".{saved.name}.0123456789ab{SUFFIX}")
    part.write_bytes(saved.read_bytes()[:1000])
    assert mlm.load(saved)
    assert [p.name for p in saved.parent.glob("*.zip")] == [saved.name]


KILL = """
    import os, random, signal, sys, time
    import bayesmlm as mlm
    from bayesmlm.saving import load_result, save_result

    target, one, other, kills = *sys.argv[1:4], int(sys.argv[4])
    fits = [load_result(one), load_result(other)]
    contents = [open(path, "rb").read() for path in (one, other)]
    generator = random.Random(1)
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            while True:
                for fit in fits:
                    save_result(fit, target)
        time.sleep(generator.uniform(0.005, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert open(target, "rb").read() in contents
        load_result(target)
    print("whole after every kill")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process to kill it")
def test_kill_during_save_leaves_a_whole_file(fit_of, tmp_path):
    one, other, target = (tmp_path / name for name in ("one", "other", "fit.zip"))
    fit_of("crossed", draws=500).save(one)
    fit_of("nested", draws=500).save(other)
    fit_of("crossed", draws=500).save(target)
    script = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(KILL)]
    done = subprocess.run(
        [*script, target, one, other, "30"], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "whole after every kill\n", done.stderr
    assert list(tmp_path.glob(f".*{SUFFIX}")), "no kill hit a save"


@pytest.mark.parametrize("path", [None, 3, ["fit.zip"]])
def test_what_is_no_path(path, fit_of):
    fit = fit_of("no groups")
    for write in (fit.save, fit.report, mlm.load):
        with pytest.raises(
            SavedFitError, match=r"a path of type (.|\n)*for example '\w+\.(zip|html)'"
        ):
            write(path)


def test_a_report_that_cannot_be_written_is_refused_before_it_is_made(
    fit_of, tmp_path, monkeypatch
):
    monkeypatch.setattr("bayesmlm.fit.report", lambda *_: pytest.fail("made all the same"))
    fit = fit_of("no groups")
    with pytest.raises(SavedFitError, match="cannot be written: No such file"):
        fit.report(tmp_path / "none" / "report.html")
    with pytest.raises(SavedFitError, match=r"is a folder(.|\n)*report\.html"):
        fit.report(tmp_path)
