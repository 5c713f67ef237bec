"""A network that takes its time, by the deadlines of the product: what comes within 120 s is the result (M02), and what
comes after it corrects what was unknown (M03). TS 27.005 names no time; the deadline is the product's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from support.driven import Driven
from support.scripted_modem import ScriptedModem
from support.skipping import in_skipped_time, pass_time
from support.waiting import eventually

from drivers.at.commands import SUBMIT_SECONDS
from drivers.errors import SubmitUncertain
from drivers.events import SubmitAnsweredLate, SubmitResult, WireStage
from drivers.gsm.settings import Deadlines

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
WITHIN = (5, 30, 59, 60, 61, 90, 119)
AFTER = (121, 150)

Tell = Callable[[str], None]


class Tagged:
    """A witness with a tag."""

    tag = "first"

    def on_wire(self, stage: WireStage) -> None:
        pass

    def on_line(self, line: str) -> None:
        pass


@asynccontextmanager
async def slow(seconds: float) -> AsyncIterator[Driven]:
    """A ready modem whose network answers so many seconds after the PDU."""
    modem = ScriptedModem(memories={"SM": {}})

    def answer(_: str) -> None:
        asyncio.get_running_loop().call_later(seconds, modem.say, "+CMGS: 9\nOK")

    modem.on_submit = answer
    driven = Driven(modem, deadlines=Deadlines())
    await driven.ready()
    try:
        yield driven
    finally:
        await driven.stop()


async def answered(seconds: float) -> tuple[float, int]:
    """Seconds until the result, and how many PDUs the modem was given within ten minutes."""
    loop = asyncio.get_running_loop()
    async with slow(seconds) as driven:
        began = loop.time()
        assert await driven.supervisor.submit(TPDU, Tagged()) == SubmitResult(9)
        took = loop.time() - began
        await pass_time(600)
        assert not [event for event in driven.events if isinstance(event, SubmitAnsweredLate)]
        assert driven.supervisor.status().state == "ready"
        return took, len(driven.modem.submitted)


async def given_up(seconds: float) -> tuple[float, float, int]:
    """Seconds until it was unknown and until it was known, and how many PDUs the modem was given."""
    loop = asyncio.get_running_loop()
    async with slow(seconds) as driven:
        began = loop.time()
        with pytest.raises(SubmitUncertain) as caught:
            await driven.supervisor.submit(TPDU, Tagged())
        unknown = loop.time() - began
        assert caught.value.cause == "timeout"

        def late() -> list[SubmitAnsweredLate]:
            return [event for event in driven.events if isinstance(event, SubmitAnsweredLate)]

        await eventually(late, 60)
        known = loop.time() - began
        await pass_time(600)
        assert late() == [SubmitAnsweredLate("first", SubmitResult(9))]
        return unknown, known, len(driven.modem.submitted)


def test_m02_an_answer_within_the_deadline_is_the_result(tell: Tell) -> None:
    found = {seconds: in_skipped_time(answered(seconds)) for seconds in WITHIN}
    assert all(took == pytest.approx(seconds, abs=0.5) for seconds, (took, _) in found.items())
    copies = [count for _, count in found.values()]
    tell(f"M02: +CMGS {', '.join(map(str, WITHIN))} s after Ctrl-Z: {len(found)} sent, {sum(copies)} PDUs given")
    assert copies == [1] * len(WITHIN)


def test_m03_an_answer_after_it_corrects_what_was_unknown(tell: Tell) -> None:
    found = {seconds: in_skipped_time(given_up(seconds)) for seconds in AFTER}
    for seconds, (unknown, known, copies) in found.items():
        assert unknown == pytest.approx(SUBMIT_SECONDS, abs=0.5)
        assert known == pytest.approx(seconds, abs=1.0)
        when = f"unknown at {unknown:.0f} s, sent at {known:.0f} s"
        tell(f"M03: +CMGS {seconds} s after Ctrl-Z: {when}, {copies} PDU given")
        assert copies == 1
