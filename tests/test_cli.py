"""The command line: usage, help, messages and exit status, whatever the commands do."""

import os
import subprocess
import sys
import warnings

import pytest

import bayesmlm as mlm
from bayesmlm import cli, commands


@pytest.fixture
def run(capsys):
    """Return a function of arguments that gives status, output and errors."""

    def call(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        return (status, *capsys.readouterr())

    return call


@pytest.fixture
def command(monkeypatch):
    """Return a function that puts another in the place of the command ``models``."""

    def replace(function):
        monkeypatch.setattr(commands, "models", function)

    return replace


def test_version(run):
    assert run("--version") == (0, f"bayesmlm {mlm.__version__}\n", "")


@pytest.mark.parametrize("command", ["", "models", "show", "fit", "compare-engines", "demo"])
def test_help_has_a_usage_line_and_examples(command, run):
    status, out, err = run(*command.split(), "--help")
    assert (status, err) == (0, "") and out.startswith("usage: bayesmlm")
    if command in ("", "show", "fit", "compare-engines"):
        assert "examples:\n  bayesmlm " in out


@pytest.mark.parametrize("words", [(), ("fly",), ("show",), ("fit", "x", "--seed", "one")])
def test_errors_of_usage(words, run):
    status, out, err = run(*words)
    assert (status, out) == (2, "") and err.startswith("usage: bayesmlm")


def test_the_module_is_the_command():
    call = [sys.executable, "-m", "bayesmlm", "--version"]
    assert subprocess.run(call, capture_output=True, text=True, check=True).stdout == (
        f"bayesmlm {mlm.__version__}\n"
    )


def test_help_imports_nothing_heavy():
    code = "import sys; from bayesmlm import cli; cli.main(['--help']); " + (
        "sys.exit(str(sorted({'numpy', 'pandas', 'rich', 'pymc'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"


def test_the_list_imports_no_pandas():
    code = "import sys; from bayesmlm import cli; cli.main(['models']); " + (
        "sys.exit(str(sorted({'pandas', 'xarray', 'matplotlib', 'pymc'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_is_what_the_command_returns(status, run, command):
    command(lambda _: status)
    assert run("models") == (status, "", "")


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (mlm.DataError("no rows\n  allowed: rows"), 2, "error: no rows\n  allowed: rows\n"),
        (OSError(28, "No space left on device"), 2, "error: [Errno 28] No space left on device\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (BrokenPipeError(), 141, None),
    ],
)
def test_errors_are_told_in_a_line_without_a_traceback(error, status, shown, run, command):
    def fail(_):
        raise error

    command(fail)
    assert run("models") == (status, "", "" if shown is None else f"bayesmlm: {shown}")


def test_a_defect_is_not_taken_for_a_result(run, command):
    command(lambda _: 1 / 0)
    status, out, err = run("models")
    assert (status, out) == (70, "")
    assert err.startswith("Traceback") and err.endswith("defect of bayesmlm: please report it\n")


def test_warnings_are_told_without_the_place_in_the_code(run, command):
    def warn(_):
        warnings.warn("two rows dropped", mlm.BayesmlmWarning, stacklevel=1)
        warnings.warn("two rows dropped", mlm.BayesmlmWarning, stacklevel=1)
        return 0

    command(warn)
    line = "bayesmlm: warning: two rows dropped\n"
    assert run("models") == (0, "", 2 * line)


def test_warnings_of_others_are_shown_as_ever(run, command, monkeypatch):
    seen = []

    def warn(_):
        warnings.simplefilter("always")
        warnings.warn("of another library", UserWarning, stacklevel=1)
        return 0

    command(warn)
    monkeypatch.setattr(warnings, "showwarning", lambda *what: seen.append(what[:2]))
    assert run("models") == (0, "", "")
    ((warning, category),) = seen
    assert str(warning) == "of another library" and category is UserWarning


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", [["models"], ["show", "y ~ x + (1 | g)"]])
def test_a_reader_that_goes_away_ends_the_command_quietly(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    call = [sys.executable, "-m", "bayesmlm", *arguments]
    done = subprocess.run(call, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
