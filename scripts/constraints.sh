#!/bin/sh
# Writes constraints.txt: the newest versions that pyproject.toml allows, found in a throw-away environment.
# Called by the Makefile from the top of the checkout; look at the difference and run the tests before committing it.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".[channels,dev,email,oracles,postgresql,spelling]"
{
    echo "# The versions that CI and development use, of every package that the extras bring. Written by: make constraints"
    "$work/venv/bin/python" -m pip freeze --disable-pip-version-check --exclude-editable
} >"$work/constraints.txt"
cp "$work/constraints.txt" constraints.txt
