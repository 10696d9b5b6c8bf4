#!/bin/sh
# Make .bambi-venv, or leave it as it is: Bambi with nutpie as a user installs them, pinned.
set -eu
cd "$(dirname "$0")/../.."
venv=.bambi-venv
pins=benchmarks/peers/bambi.txt

if [ -n "${BAMBI_PYTHON:-}" ] || [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$(cksum <"$pins")" ]; then
    exit 0
fi
python=$(sh scripts/find_python.sh)
echo "Setting up $venv …"
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip --disable-pip-version-check -qq install \
    --no-deps --only-binary :all: --require-hashes -r "$pins"
cksum <"$pins" >"$venv/.stamp"
