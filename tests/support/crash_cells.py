"""The cells of the crash model: a place of death, an answer of the network, a policy; and what must come of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.checker import Sent, Verdict
from support.crash import CASE_OF, PLACES, CrashRig, crash_rig, number_of, trouble

#: Behind a place: a service manager holds the port while the gateway is dead.
HELD = " held"
#: The places of death, and again those at which a port that is held makes a difference.
CASES = tuple(
    case for place in PLACES for case in ((place, place + HELD) if place in {"journaled", "ended"} else (place,))
)
#: What reliability work calls each of them.
ID_OF = {case: CASE_OF[case.removesuffix(HELD)] for case in CASES} | {"ended" + HELD: "C10, C11"}


@dataclass(frozen=True)
class Cell:
    """One case; `place` is one of `CASES`."""

    place: str
    outcome: str
    policy: str


def expected(cell: Cell) -> str | None:
    """The last word of the message.

    Before Ctrl-Z it is known that nothing left, so the message is sent as if nothing had happened. Between the
    journal's line and the answer nobody knows, unless a report comes, or the port was held: then the answer is read, or
    the modem found waiting for Ctrl-Z.
    """
    if cell.place == "parsed":
        return None
    known = (
        cell.place.endswith(HELD)
        or PLACES.index(cell.place) < PLACES.index("journaled")
        or cell.place in {"answered", "settled"}
    )
    if known or cell.place == "ended":
        words = {"ok": "delivered", "refused": "failed" if known else "uncertain", "silence": "uncertain"}
        return words[cell.outcome]
    # The line says Ctrl-Z, which was never written: only a further copy can come to anything.
    return "delivered" if cell.outcome == "ok" and cell.policy == "resend" else "uncertain"


async def run_cell(rig: CrashRig, cell: Cell) -> Sent:
    """Send one message to its death and the gateway back to life; the message ends with the word that is expected."""
    sent = Sent(number_of(cell.outcome, cell.policy), f"{cell.place} {cell.outcome} {cell.policy}", cell.policy)
    while True:
        rig.arm(cell.place.removesuffix(HELD))
        await rig.send(sent)
        await rig.died()
        await rig.gateway.start()
        # Accepted and chosen in one commit, it may have died with the kill before anybody was answered: once more.
        if cell.place == "parsed" or sent.id is not None or rig.message(sent) is not None:
            break
    await rig.until(sent, expected(cell))
    return sent


async def run_cells(folder: Path, cells: Sequence[Cell]) -> dict[Cell, Verdict]:
    """Run one after the other on one store and one network, then compare the histories of all.

    The port is held in all of them or in none.
    """
    async with crash_rig(folder, *trouble(), held=cells[0].place.endswith(HELD)) as rig:
        await rig.gateway.start()
        sent = {cell: await run_cell(rig, cell) for cell in cells}
        assert await rig.gateway.end() == 0
        ledger = rig.ledger()
        return {cell: rig.verdict(each, ledger) for cell, each in sent.items()}
