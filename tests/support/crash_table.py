"""Runs every cell of the crash model and writes what was found into the page of what is promised: `make guarantees`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.crash import OUTCOMES, PLACES, POLICIES, Tally, Verdict
from support.crash_cells import Cell, run_cells
from support.tree import ROOT

PAGE = ROOT / "docs" / "explanation" / "guarantees.md"
BEGIN, END = "<!-- crash table: make guarantees -->", "<!-- end of crash table -->"
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
NETWORK = {"ok": "takes it, reports", "refused": "refuses it", "silence": "takes it, never answers nor reports"}
Words = Mapping[Cell, str | None]


def every_cell(place: str) -> list[Cell]:
    """All answers of the network and all policies."""
    return [Cell(place, outcome, policy) for policy in POLICIES for outcome in OUTCOMES]


def totals(verdicts: Mapping[Cell, Verdict]) -> str:
    """One line for each place of death."""
    lines = ["| killed | cases | lost | sent twice unasked | uncertain | told wrong |", "|---|---|---|---|---|---|"]
    for place in PLACES:
        tally = Tally()
        for cell, verdict in verdicts.items():
            if cell.place == place:
                tally.add(verdict)
        words = ("messages", "lost", "duplicated", "uncertain", "misclassified")
        lines.append(f"| {TITLES[place]} | " + " | ".join(str(tally.counted[word]) for word in words) + " |")
    return "\n".join(lines)


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
    for place in PLACES:
        mine = [words[cell] for cell in every_cell(place)]
        if groups and mine == [words[cell] for cell in every_cell(groups[-1][0])]:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def written(page: str, tables: Sequence[str]) -> str:
    """The page with these tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n\n".join([before + BEGIN, *tables, END]) + after


async def _measure() -> dict[Cell, Verdict]:
    found: dict[Cell, Verdict] = {}
    for place in PLACES:
        with tempfile.TemporaryDirectory() as folder:
            found |= await run_cells(Path(folder), every_cell(place))
        print(f"{place}: done", flush=True)  # noqa: T201 - told to the person at the terminal
    return found


def main() -> None:
    verdicts = asyncio.run(_measure())
    words = {cell: verdict.status for cell, verdict in verdicts.items()}
    page = written(PAGE.read_text(encoding="utf-8"), [totals(verdicts), last_words(words)])
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
