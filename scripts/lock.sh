#!/bin/sh
# Write requirements/run.txt and dev.txt, and benchmarks/peers/bambi.txt: every package pinned,
# with hashes, one file for all platforms and for Python 3.12 to 3.14. A pin that still fits
# pyproject.toml stays as it is; `make lock UPGRADE=1` takes the newest of everything.
#
# requirements files and not uv.lock, because uv.lock writes down the address of the registry.
set -eu
cd "$(dirname "$0")/.."
tool=.lock-venv

if ! "$tool/bin/python" -m uv --version >/dev/null 2>&1; then
    python=$(sh scripts/find_python.sh)
    echo "Setting up $tool with uv …"
    rm -rf "$tool"
    "$python" -m venv "$tool"
    "$tool/bin/python" -m pip --disable-pip-version-check --quiet install 'uv>=0.9'
fi

compile() { # compile OUT, then what to read and options
    out=$1; shift
    "$tool/bin/python" -m uv --no-config pip compile --quiet --universal --python-version 3.12 \
        --generate-hashes --no-header --annotation-style line --no-emit-index-url --no-emit-find-links \
        ${UPGRADE:+--upgrade} --output-file "$out" "$@"
    echo "Wrote $out: $(grep -c '==' "$out") packages"
}

# dev first: it is the larger set, and run then takes the versions chosen there
compile requirements/dev.txt -c requirements/constraints.in --group build --group dev pyproject.toml
compile requirements/run.txt -c requirements/dev.txt --group build pyproject.toml
compile benchmarks/peers/bambi.txt benchmarks/peers/bambi.in
