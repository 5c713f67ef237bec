"""The table for people, and the same as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.figures import Figure, number

_HEAD = ("work", "value", "p50", "p99", "goal", "", "limit", "ratio", "note")
_MET = {True: "met", False: "missed", None: ""}


def table(figures: Sequence[Figure]) -> str:
    """Columns as wide as they need be."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *middle = [
        cell.ljust(width) if column in {0, 4, 5} else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join([first, *middle, row[-1]]).rstrip()


def _row(figure: Figure) -> tuple[str, ...]:
    met = ", ".join(_MET[goal.met(figure)] for goal in figure.goals)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    note = "; ".join(part for part in (figure.note, figure.limit_is and f"limit: {figure.limit_is}") if part)
    value = f"{number(figure.value)} {figure.unit}".strip()
    goals = ", ".join(map(str, figure.goals))
    return (figure.work, value, number(figure.p50), number(figure.p99), goals, met, number(figure.limit), ratio, note)


def named_statements(figures: Iterable[Figure]) -> str:
    """Each statement of each kind of work, with how often it is run for one message."""
    blocks: list[str] = []
    for figure in figures:
        each: Mapping[str, float] = figure.details.get("each", {})
        if each:
            lines = [f"  {count:5.2f}  {purpose}" for purpose, count in each.items()]
            blocks.append("\n".join([f"{figure.work}:", *lines]))
    return "\n\n".join(blocks)


def document(
    figures: Sequence[Figure], machine: Mapping[str, Any], failures: Mapping[str, str], seconds: float
) -> dict[str, Any]:
    """Everything that the table tells, and the details behind it."""
    return {
        "machine": dict(machine),
        "seconds": seconds,
        "figures": [figure.document() for figure in figures],
        "failures": dict(failures),
    }


def of_machine(machine: Mapping[str, Any]) -> str:
    """The machine in two lines."""
    flush = ", p99 ".join(number(machine["flush_ms"][each]) for each in ("p50", "p99"))
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mb']} MB; {machine['system']}\n"
        f"Python {machine['python']}, SQLite {machine['sqlite']}, {machine['file_system']}; "
        f"flush of one row {flush} ms; load before {machine['load_before']:.2f}"
    )
