"""kill -9 at every place of a message's way, with every answer of the network and every policy: C01 to C14."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.checker import Tally
from support.crash import OUTCOMES, POLICIES, number_of
from support.crash_cells import CASES, ID_OF, Cell, expected, run_cells
from support.crash_table import PAGE, TITLES, every_cell, last_words
from support.database_cases import CUTS

#: Whether Ctrl-Z was written is not known to a process that died here: the policies differ.
UNKNOWN = ("journaled", "ended")
AT_EVERY_PLACE = pytest.mark.parametrize("place", [pytest.param(each, id=f"{ID_OF[each]}-{each}") for each in CASES])


def _quick(place: str) -> list[Cell]:
    """The cells that differ from each other; `make test-long` runs the rest."""
    if place == "parsed":
        return [Cell(place, "ok", "hold")]
    policies = POLICIES if place in UNKNOWN else ("hold",)
    return [Cell(place, outcome, policy) for policy in policies for outcome in OUTCOMES]


async def _check(folder: Path, cells: list[Cell]) -> Tally:
    verdicts = await run_cells(folder, cells)
    assert {cell: verdict for cell, verdict in verdicts.items() if not verdict.sound} == {}
    assert {cell: verdicts[cell].status for cell in cells} == {cell: expected(cell) for cell in cells}
    tally = Tally()
    for verdict in verdicts.values():
        tally.add(verdict)
    return tally


@AT_EVERY_PLACE
async def test_killed_at(place: str, tmp_path: Path, tell: Callable[[str], None]) -> None:
    tally = await _check(tmp_path, _quick(place))
    tell(f"{ID_OF[place]}: killed at {place}: {tally}")


@pytest.mark.long
@AT_EVERY_PLACE
async def test_killed_at_with_every_policy(place: str, tmp_path: Path, tell: Callable[[str], None]) -> None:
    tally = await _check(tmp_path, every_cell(place))
    tell(f"{ID_OF[place]}: killed at {place}, every policy: {tally}")


def test_every_recipient_plays_one_part() -> None:
    numbers = {number_of(outcome, policy) for outcome in OUTCOMES for policy in POLICIES}
    assert len(numbers) == len(OUTCOMES) * len(POLICIES)


def test_the_guarantees_show_what_is_expected_here() -> None:
    words = {cell: expected(cell) for place in CASES for cell in every_cell(place)}
    page = PAGE.read_text(encoding="utf-8")
    assert last_words(words) in page, "make guarantees"
    titles = tuple(f"| {ID_OF[case]}: {TITLES[case]} | 9 |" for case in CASES)
    rows = [line.split(" | ")[2:] for line in page.splitlines() if line.startswith(titles)]
    assert [(lost, twice, wrong) for lost, twice, _, wrong in rows] == [("0", "0", "0 |")] * len(CASES)


def test_the_guarantees_show_every_cut() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith(tuple(f"| {what} | " for what in CUTS))]
    # Lost, sent twice, uncertain, told wrong.
    assert [row[2:] for row in rows] == [["0", "0", "0", "0 |"]] * len(CUTS)
