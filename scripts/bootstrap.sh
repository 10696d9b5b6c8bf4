#!/bin/sh
# Make .venv, or bring it up to date, from a file of pinned requirements.
#
#     sh scripts/bootstrap.sh run|dev
#
# `run` holds what the package needs, `dev` the same versions and the test tools. A stamp in
# .venv says what was installed: it is taken away before a change and written after it, so an
# environment left half-made is made anew. No stamp is trusted when the requirements changed,
# the folder moved, the Python behind .venv is gone, or another is asked for by PYTHON=…
set -eu
cd "$(dirname "$0")/.."
use=${1:?run or dev}
venv=.venv

version() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }

usable() {
    have=$(version "$venv/bin/python") || return 1
    [ -z "${PYTHON:-}" ] || [ "$have" = "$(version "$PYTHON")" ]
}

signature() { # of what a stamp stands for: its file, in this folder
    case $1 in
        self) file=pyproject.toml ;;
        *) file=requirements/$1.txt ;;
    esac
    { cat "$file"; pwd; } | cksum
}

stamped() { [ "$(cat "$venv/.$1-stamp" 2>/dev/null)" = "$(signature "$1")" ]; }

stamp() { signature "$1" >"$venv/.$1-stamp"; }

current() { # dev holds all that run does, in the same versions (a test sees to it)
    usable && { stamped dev || { [ "$use" = run ] && stamped run; }; }
}

# -qq: errors only
pip() { "$venv/bin/python" -m pip --disable-pip-version-check -qq "$@"; }

if ! current; then
    if usable && stamped run; then
        echo "Adding the test tools to $venv (Python $(version "$venv/bin/python")) …"
        rm -f "$venv"/.*-stamp
    else
        python=$(sh scripts/find_python.sh)
        echo "Setting up $venv with Python $(version "$python") (about a minute; a 230 MB download the first time) …"
        rm -rf "$venv"
        "$python" -m venv "$venv"
    fi
    # The file names every package, wheels only and by hash: nothing to resolve or to build.
    pip install --no-deps --only-binary :all: --require-hashes -r "requirements/$use.txt"
    stamp "$use"
fi
if ! stamped self; then # the project itself, in place: its version and commands may have changed
    pip install --no-deps --no-build-isolation --no-index -e .
    stamp self
fi
