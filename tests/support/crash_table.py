"""Runs every cell of the crash model and writes what was found into the page of what is promised: `make guarantees`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.checker import Verdict
from support.crash import OUTCOMES, POLICIES
from support.crash_cells import CASES, HELD, ID_OF, Cell, run_cells
from support.crash_load import counted
from support.database_cases import CUTS, rig_behind_a_proxy
from support.postgresql import Database, new_database, running_server
from support.tree import ROOT

PAGE = ROOT / "docs" / "explanation" / "guarantees.md"
BEGIN, END = "<!-- crash table: make guarantees -->", "<!-- end of crash table -->"
CUTS_BEGIN, CUTS_END = "<!-- table of cuts: make guarantees -->", "<!-- end of table of cuts -->"
#: The places in words for people, in the order of a message's way.
TITLES = {
    "parsed": "request read, nothing stored",
    "accepted": "stored, before the 202",
    "claimed": "chosen, before the mark",
    "marked": "after the mark, before the modem",
    "prompted": "at the prompt",
    "body:1": "a quarter of the PDU written",
    "body:2": "half of the PDU written",
    "body:3": "three quarters of the PDU written",
    "journaled": "journal line written, before Ctrl-Z",
    "ended": "after Ctrl-Z, before the answer",
    "answered": "answer read, not stored",
    "settled": "outcome stored",
}
TITLES |= {case: f"{TITLES[case.removesuffix(HELD)]}, port held" for case in CASES if case.endswith(HELD)}
NETWORK = {"ok": "takes it, reports", "refused": "refuses it", "silence": "takes it, never answers nor reports"}
_HEAD = "| {} | cases | lost | sent twice unasked | uncertain | told wrong |"
_RULE = "|---|---|---|---|---|---|"
Words = Mapping[Cell, str | None]


def every_cell(place: str) -> list[Cell]:
    """All answers of the network and all policies."""
    return [Cell(place, outcome, policy) for policy in POLICIES for outcome in OUTCOMES]


def totals(verdicts: Mapping[Cell, Verdict]) -> str:
    """One line for each place of death."""
    lines = [_HEAD.format("killed"), _RULE]
    for place in CASES:
        found = [verdict for cell, verdict in verdicts.items() if cell.place == place]
        lines.append(_line(f"{ID_OF[place]}: {TITLES[place]}", found))
    return "\n".join(lines)


def cuts(found: Mapping[str, Sequence[Verdict]]) -> str:
    """One line for each way to be cut off from the database."""
    return "\n".join([_HEAD.format("PostgreSQL"), _RULE, *[_line(what, each) for what, each in found.items()]])


def _line(what: str, verdicts: Sequence[Verdict]) -> str:
    tally = counted(verdicts)
    words = ("messages", "lost", "duplicated", "uncertain", "misclassified")
    return f"| {what} | " + " | ".join(str(tally.counted[word]) for word in words) + " |"


def last_words(words: Words) -> str:
    """The last word of each cell; places that do not differ share their lines."""
    lines = ["| killed | the network | `hold` | `resend` | `never` |", "|---|---|---|---|---|"]
    for group in _groups(words):
        title = TITLES[group[0]] if len(group) == 1 else f"{TITLES[group[0]]}, to: {TITLES[group[-1]]}"
        for outcome in OUTCOMES:
            found = [words[Cell(group[0], outcome, policy)] for policy in POLICIES]
            cells = " | ".join("not stored" if word is None else f"`{word}`" for word in found)
            lines.append(f"| {title} | {NETWORK[outcome]} | {cells} |")
    return "\n".join(lines)


def _groups(words: Words) -> list[list[str]]:
    """Neighbouring places whose cells end alike."""
    groups: list[list[str]] = []
    for place in CASES:
        mine = [words[cell] for cell in every_cell(place)]
        if groups and mine == [words[cell] for cell in every_cell(groups[-1][0])]:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def written(page: str, marks: tuple[str, str], tables: Sequence[str]) -> str:
    """The page with these tables between its marks."""
    begin, end = marks
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return "\n\n".join([before + begin, *tables, end]) + after


async def _measure() -> dict[Cell, Verdict]:
    found: dict[Cell, Verdict] = {}
    for place in CASES:
        with tempfile.TemporaryDirectory() as folder:
            found |= await run_cells(Path(folder), every_cell(place))
        print(f"{place}: done", flush=True)  # noqa: T201 - told to the person at the terminal
    return found


async def _measure_cuts(database: Database) -> dict[str, Sequence[Verdict]]:
    """Everything that is done to the way to the database, each on a gateway of its own."""
    found: dict[str, Sequence[Verdict]] = {}
    for name, (options, run) in CUTS.items():
        database.empty()
        with tempfile.TemporaryDirectory() as folder:
            async with rig_behind_a_proxy(Path(folder), database, *options) as (rig, proxy):
                found[name] = await run(rig, proxy, database)
        print(f"{name}: done", flush=True)  # noqa: T201 - as above
    return found


def main() -> None:
    verdicts = asyncio.run(_measure())
    with running_server() as server:
        found = asyncio.run(_measure_cuts(new_database(server, "tocsin")))
    words = {cell: verdict.status for cell, verdict in verdicts.items()}
    page = PAGE.read_text(encoding="utf-8")
    page = written(page, (BEGIN, END), [totals(verdicts), last_words(words)])
    PAGE.write_text(written(page, (CUTS_BEGIN, CUTS_END), [cuts(found)]), encoding="utf-8")


if __name__ == "__main__":
    main()
