#!/bin/sh
# Makes the virtual environment $VENV and installs this checkout with the extras $EXTRAS, in the pinned versions.
# Called by the Makefile from the top of the checkout. Quiet when all goes well; what goes wrong is shown.
set -eu

fits() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Tocsin needs Python 3.11 or later, and none was found." >&2
    echo "Install one (Debian 12 and later: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2
    exit 1
}

if ! fits "$VENV/bin/python" || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "Making $VENV with $("$python" --version)"
    if ! "$python" -m venv --clear "$VENV"; then
        echo "$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi
echo "Installing what Tocsin needs into $VENV (once; about a minute)"
# Warnings of the build tools mean nothing to whoever runs this; errors do.
PYTHONWARNINGS=ignore "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$EXTRAS]"
