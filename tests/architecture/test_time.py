"""The gateway reads time in gateway/clock.py alone; a driver may only measure how long its modem takes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from support.tree import Source, sources

#: Who may read the wall clock: the clock, and the simulated service centre, a piece of the outside world that stamps
#: its messages with a clock of its own, which tests replace.
CLOCKS = {Path("gateway/clock.py"), Path("drivers/sim/settings.py")}
DRIVERS_MAY = {"monotonic", "monotonic_ns"}
OF_DATETIME = {"now", "utcnow", "today"}


def _imports_of_time(source: Source) -> set[str]:
    """What the file uses of the module `time`."""
    used = set()
    for node in source.walk():
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            used |= {name.name for name in node.names}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "time":
            used.add(node.attr)
    return used if any(_imports_module(node, "time") for node in source.walk()) else set()


def _imports_module(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Import):
        return any(one.name == name for one in node.names)
    return isinstance(node, ast.ImportFrom) and node.module == name


def _reads_of_datetime(source: Source) -> set[int]:
    """Lines that ask datetime or date for now."""
    return {
        node.lineno
        for node in source.walk()
        if isinstance(node, ast.Attribute)
        and node.attr in OF_DATETIME
        and isinstance(node.value, ast.Name | ast.Attribute)
        and ast.unparse(node.value).split(".")[-1] in {"datetime", "date"}
    }


@pytest.mark.parametrize("source", [one for one in sources() if one.path not in CLOCKS], ids=lambda one: one.module)
def test_time_is_handed_in(source: Source):
    allowed = DRIVERS_MAY if source.path.parts[0] == "drivers" else set()
    assert _imports_of_time(source) <= allowed
    assert _reads_of_datetime(source) == set()


def test_the_check_sees_what_it_looks_for():
    bad = Source(Path("gateway/bad.py"), "import time\nfrom datetime import datetime\ntime.time()\ndatetime.now()\n")
    assert _imports_of_time(bad) == {"time"}
    assert _reads_of_datetime(bad) == {4}
