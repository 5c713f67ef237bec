"""What must stand in no file: places of somebody's machine, addresses of package registries."""

from __future__ import annotations

import re

from support.tree import ROOT, tracked_files

BINARY = {".png", ".jpg", ".ico", ".db", ".gz"}

# Written in pieces so that this file does not find itself.
_MACHINE = r"(?<![\w.:-])/(?:home|root|work|farm|Users)/(?=\w)"
_HOSTS = r"\b(?:" + "|".join(("py" + r"pi\.org", "python" + r"hosted", "deb" + r"\.debian", "npm" + r"js\.")) + ")"
_OPTIONS = r"--(?:extra-)?index" + "-url|--find" + "-links|--trusted" + "-host"
FORBIDDEN = re.compile("|".join((_MACHINE, _HOSTS, _OPTIONS)))


def test_no_place_of_a_machine_and_no_registry():
    found = []
    for path in tracked_files():
        if path.suffix in BINARY:
            continue
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{path}:{number}: {match[0]}")
    assert found == []


def test_the_check_sees_what_it_looks_for():
    for bad in (
        "cd /" + "work/main",
        "open('/" + "home/me/x')",
        "https://py" + "pi.org/simple",
        "pip --index" + "-url x",
    ):
        assert FORBIDDEN.search(bad), bad
    for good in ("/var/lib/tocsin", "POST /v1/messages", "drivers/work/x", "./state"):
        assert not FORBIDDEN.search(good), good
