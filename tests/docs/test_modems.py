"""The page about modems in trouble tells what the table of the drivers holds, row by row."""

from __future__ import annotations

import pytest
from support.markdown import page

from drivers.events import ModemState
from drivers.gsm.ladder import LADDER, Pace, RepairPolicy, Rung, Trouble
from drivers.gsm.repair import in_words
from drivers.gsm.settings import Deadlines

PAGE = page("docs/explanation/modems.md")
POLICY, FIRST = RepairPolicy(), Deadlines().reopen


def pauses(pace: Pace) -> str:
    """The first and the longest pause, and what lies between if that is not plain doubling."""
    first, second, longest = (POLICY.pause(pace, FIRST, before) for before in (0, 1, 100))
    if first == longest:
        return f"{in_words(first)}"
    if second > 2 * first:
        return f"{in_words(first)}, then {in_words(second)} to {in_words(longest)}"
    return f"{in_words(first)} to {in_words(longest)}"


def row(trouble: Trouble) -> str:
    told = LADDER[trouble]
    rungs = ", ".join(rung.value for rung in told.rungs)
    counts = str(told.strikes) if told.strikes else "–"
    return f"| {trouble.value} | {rungs} | {pauses(told.pace)} | {counts} | `{told.shown.value}` | {told.advice} |"


@pytest.mark.parametrize("trouble", Trouble)
def test_the_ladder_is_on_the_page_as_it_is(trouble: Trouble) -> None:
    assert row(trouble) in PAGE.section("The ladder").splitlines()


def test_no_row_is_of_another_ladder() -> None:
    lines = [line for line in PAGE.section("The ladder").splitlines() if line.startswith("| ")]
    assert lines[1:] == [row(trouble) for trouble in Trouble]


@pytest.mark.parametrize("rung", Rung)
def test_each_rung_is_explained(rung: Rung) -> None:
    assert f"| {rung.value} | " in PAGE.section("The rungs")


@pytest.mark.parametrize("state", ModemState)
def test_each_state_is_explained(state: ModemState) -> None:
    assert f"| `{state.value}` | " in PAGE.section("What you see")


@pytest.mark.parametrize(
    "figure",
    [
        f"{POLICY.strikes} in a row",
        f"{in_words(POLICY.rest)}, doubling to {in_words(POLICY.longest_rest)}",
        f"{in_words(POLICY.calm)} of readiness",
        f"{POLICY.unanswered} submits in a row within {in_words(POLICY.unanswered_window)}",
        f"{POLICY.restarts} repairs within {in_words(POLICY.restart_window)}",
    ],
)
def test_the_figures_are_those_in_use(figure: str) -> None:
    assert figure in PAGE.prose.replace("\n", " ")
