#!/bin/sh
# Print the path of a Python that can run bayesmlm; say what was found where there is none.
#
# Every candidate is run and asked: a name on PATH may be a pyenv shim with nothing behind it,
# or a Python without the venv module.
set -u

# Prints "path version", and after it why this Python will not do, if it will not.
# Written for any Python from 2.7 on. The upper bound is that of the wheels that are pinned.
probe='
import sys
why = ""
if not (3, 12) <= sys.version_info[:2] <= (3, 14):
    why = "not 3.12 to 3.14"
else:
    import importlib.util, sysconfig
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        why = "not the standard CPython build"
    elif not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        why = "no venv or ensurepip; on Debian and Ubuntu: apt install python%d.%d-venv" % sys.version_info[:2]
sys.stdout.write("%d.%d.%d|%s|%s" % (tuple(sys.version_info[:3]) + (why, sys.executable)))
'
found=''

# try COMMAND: print the interpreter and end the search if COMMAND is a suitable one.
try() {
    answer=$("$1" -c "$probe" 2>/dev/null </dev/null) || answer=''
    case $answer in
        *'||'?*) printf '%s\n' "${answer#*||}"; exit 0 ;;
        *'|'*) reason=${answer#*|}; found="$found
  $1: Python ${answer%%|*} (${reason%|*})" ;;
        *) found="$found
  $1: does not run" ;;
    esac
}

if [ -n "${PYTHON:-}" ]; then # asked for by name: this one or none
    try "$PYTHON"
else
    for name in python3.14 python3.13 python3.12 python3 python; do
        if command -v "$name" >/dev/null 2>&1; then try "$name"; fi
    done
    # pyenv keeps its versions off PATH until they are chosen; the newest first
    for minor in 14 13 12; do
        for python in "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/3.$minor".*/bin/python3; do
            if [ -x "$python" ]; then try "$python"; fi
        done
    done
fi

{
    printf 'bayesmlm needs Python 3.12, 3.13 or 3.14, and found none that will do.\n'
    printf 'Tried:%s\n' "${found:-
  nothing: no python on PATH, none of pyenv}"
    printf 'Install one (your package manager, python.org, "pyenv install 3.13" or\n'
    printf '"conda create -n py313 python=3.13"), then run the same command again,\n'
    printf 'or name it: make demo PYTHON=/path/to/python3.13\n'
} >&2
exit 1
