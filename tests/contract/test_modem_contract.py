"""What every modem driver has to do for the gateway, over every kind of line.

The modem is the simulated one in all of them, as each family of modems; the lines differ, and on one of them each octet
comes alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.looker import Looker
from support.rigs import LoopbackRig, OctetWise, Rig, SerialRig, TcpRig
from support.waiting import eventually

from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import (
    CallMissed,
    DeliverReceived,
    ModemEvent,
    ModemState,
    ModemStateChanged,
    StatusReportReceived,
    SubmitAnsweredLate,
    SubmitResult,
    WireWitness,
)
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings
from drivers.sim.profiles import SIM_PROFILES
from drivers.tpdu import Address, build_submits, join_text, segment

TO = "+33639981299"


def tpdu(text: str = "Hello", *, to: str = TO) -> bytes:
    return parts(text, to=to)[0]


def parts(text: str, *, to: str = TO) -> list[bytes]:
    submits = build_submits(segment(text), Address.from_text(to), reference=7, validity=timedelta(hours=6))
    return [submit.to_bytes() for submit in submits]


class Listener:
    """Collects a modem's events, and acknowledges them unless told not to."""

    def __init__(self, modem: ModemSupervisor, *, acknowledging: bool = True) -> None:
        self._modem = modem
        self._acknowledging = acknowledging
        self.events: list[ModemEvent] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for event in self._modem.events():
            self.events.append(event)
            if self._acknowledging and not isinstance(event, ModemStateChanged | SubmitAnsweredLate | CallMissed):
                await self._modem.acknowledge(event.receipt)

    async def finish(self) -> None:
        await asyncio.wait_for(self._task, 5)

    def delivers(self) -> list[DeliverReceived]:
        return [event for event in self.events if isinstance(event, DeliverReceived)]

    def texts(self) -> list[str]:
        return [join_text([event.deliver]) for event in self.delivers()]

    def reports(self) -> list[StatusReportReceived]:
        return [event for event in self.events if isinstance(event, StatusReportReceived)]

    def states(self) -> list[ModemState]:
        return [event.state for event in self.events if isinstance(event, ModemStateChanged)]


@contextlib.asynccontextmanager
async def running(
    rig: Rig, *, acknowledging: bool = True, **more: object
) -> AsyncIterator[tuple[ModemSupervisor, Listener]]:
    modem = rig.supervise(**more)
    listener = Listener(modem, acknowledging=acknowledging)
    await modem.start()
    try:
        yield modem, listener
    finally:
        await asyncio.wait_for(modem.stop(), 10)
        await listener.finish()


async def ready(modem: ModemSupervisor) -> None:
    await asyncio.wait_for(modem.wait_ready(), 5)


async def handed_over(modem: ModemSupervisor, octets: bytes, witness: WireWitness | None = None) -> SubmitResult:
    """Submit as the gateway does: what surely did not leave is handed over again once the modem is ready.

    Families say by themselves that something is about the SIM, and nothing is sent until it has been looked at.
    """
    for _ in range(50):
        await ready(modem)
        with contextlib.suppress(ModemNotReady):
            return await modem.submit(octets, witness)
    raise AssertionError("never ready")


LINES = ("serial", "tcp", "loopback", "octets")
# Every family over every line. On each change each family over one line, each line with several families, and the
# generic modem over all; the rest in the long run.
RIGS = [
    pytest.param(
        (line, profile),
        id=f"{line}-{profile}",
        marks=() if profile == "generic" or LINES[at % len(LINES)] == line else pytest.mark.long,
    )
    for at, profile in enumerate(sorted(SIM_PROFILES))
    for line in LINES
]


def rig_on(line: str, settings: SimSettings, folder: Path) -> Rig:
    """A simulated modem at the end of this kind of line."""
    match line:
        case "serial":
            return SerialRig(settings, folder)
        case "tcp":
            return TcpRig(settings)
        case "loopback":
            return LoopbackRig(settings)
        case _:
            return LoopbackRig(settings, OctetWise)


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    line, profile = request.param
    settings = SimSettings(report_delay=0.01, start_seconds=0.01, chatter_every=0.5, profile=profile)
    made = rig_on(line, settings, tmp_path)
    await made.plug()
    yield made
    await made.close()


def slowly(rig: Rig, seconds: float) -> None:
    """Let the network take so long for each message from now on."""
    object.__setattr__(rig.simulated.settings, "latency", seconds)


def test_every_family_over_every_line(tell: Callable[[str], None]) -> None:
    together = {parameter.values for parameter in RIGS}
    assert together == {((line, profile),) for line in LINES for profile in SIM_PROFILES}
    always = [parameter for parameter in RIGS if not parameter.marks]
    tests = [name for name in dir(TestModemContract) if name.startswith("test_")]
    tell(
        f"contract: {len(tests)} tests on {len(SIM_PROFILES)} families × {len(LINES)} lines, "
        f"{len(always)} of the {len(RIGS)} pairs on every change"
    )


class TestModemContract:
    async def test_it_becomes_ready_and_says_what_it_is(self, rig: Rig) -> None:
        async with running(rig) as (modem, listener):
            assert modem.status().state is ModemState.STARTING
            await ready(modem)
            status = modem.status()
            assert status.state is ModemState.READY
            assert status.reason is None
            assert status.imei == rig.simulated.settings.imei
            assert status.iccid == rig.simulated.settings.iccid
            assert status.operator == rig.simulated.settings.operator
            assert status.registration == "home"
            assert status.signal_dbm == -113 + 2 * rig.simulated.settings.rssi
            assert status.manufacturer
            assert status.model
            await eventually(lambda: ModemState.READY in listener.states())

    async def test_a_submit_gives_the_networks_reference(self, rig: Rig) -> None:
        async with running(rig) as (modem, _):
            await ready(modem)
            results = [await handed_over(modem, octets) for octets in parts("x" * 400)]
            assert all(isinstance(result, SubmitResult) and not result.duplicate for result in results)
            assert len(rig.simulated.submissions) == 3
            assert [result.reference for result in results] == [one.tp_mr for one in rig.simulated.submissions]

    async def test_reports_come_with_the_reference_of_their_submit(self, rig: Rig) -> None:
        async with running(rig) as (modem, listener):
            await ready(modem)
            references = [(await handed_over(modem, tpdu(f"number {count}"))).reference for count in range(5)]
            await eventually(lambda: len(listener.reports()) == 5)
            assert [event.report.tp_mr for event in listener.reports()] == references
            assert {event.report.tp_ra.text for event in listener.reports()} == {TO}

    async def test_what_arrives_is_told_once_and_freed_once_acknowledged(self, rig: Rig) -> None:
        async with running(rig) as (modem, listener):
            await ready(modem)
            rig.simulated.inject_sms("+33612345678", "STOP")
            rig.simulated.inject_sms("Clinic", "é" * 200)
            await eventually(lambda: len(listener.delivers()) == 3)
            first, *rest = listener.delivers()
            assert first.deliver.tp_oa.text == "+33612345678"
            assert join_text([first.deliver]) == "STOP"
            assert join_text([event.deliver for event in rest]) == "é" * 200
        async with running(rig) as (modem, listener):
            await ready(modem)
            rig.simulated.inject_sms("+33612345678", "last")
            await eventually(listener.delivers)
            assert listener.texts() == ["last"]

    async def test_what_was_not_acknowledged_is_told_again_after_a_restart(self, rig: Rig) -> None:
        rig.simulated.inject_sms("+33612345678", "while nobody was there")
        for acknowledging in (False, True):
            async with running(rig, acknowledging=acknowledging) as (modem, listener):
                await ready(modem)
                await eventually(listener.delivers)
                rig.simulated.inject_sms("+33612345678", "more")
                await eventually(lambda: listener.texts()[-1] == "more")
                assert listener.texts()[0] == "while nobody was there"

    async def test_nothing_is_told_twice_while_it_waits_to_be_acknowledged(self, rig: Rig) -> None:
        rig.simulated.inject_sms("+33612345678", "once")
        async with running(rig, acknowledging=False, poll_seconds=0.05) as (modem, listener):
            await ready(modem)
            for count in range(2, 6):
                rig.simulated.inject_sms("+33612345678", f"number {count}")
                await eventually(lambda count=count: len(listener.delivers()) >= count)
            texts = listener.texts()
            assert texts == ["once", "number 2", "number 3", "number 4", "number 5"]

    async def test_many_arrive_while_many_leave(self, rig: Rig) -> None:
        async with running(rig) as (modem, listener):
            await ready(modem)
            for count in range(60):  # more than the SIM has room for
                rig.simulated.inject_sms("+33612345678", f"in {count}")
            results = [await handed_over(modem, tpdu(f"out {count}")) for count in range(60)]
            assert len({result.reference for result in results}) == 60
            await eventually(lambda: len(listener.delivers()) == 60 and len(listener.reports()) == 60, 10)
            texts = sorted(listener.texts())
            assert texts == sorted(f"in {count}" for count in range(60))

    @pytest.mark.parametrize("memory", ["SM", "ME", "MT"])
    async def test_more_at_once_than_there_is_room_for_come_once_each_in_their_order(
        self, rig: Rig, memory: str
    ) -> None:
        equipment = rig.simulated.station.equipment
        if memory not in equipment.storages:
            memory = "SM"  # a family with one memory
        equipment.command_settings.memories = [memory] * 3
        texts = [f"number {count}" for count in range(3 * equipment.storages["SM"].capacity)]
        async with running(rig) as (modem, listener):
            await ready(modem)
            for text in texts:
                rig.simulated.inject_sms("+33612345678", text)
            await eventually(lambda: len(listener.delivers()) >= len(texts), 20)
            await eventually(lambda: equipment.storages[memory].used == 0)
            assert listener.texts() == texts

    async def test_a_port_that_vanishes_during_a_submit(self, rig: Rig) -> None:
        async with running(rig) as (modem, listener):
            await ready(modem)
            slowly(rig, 0.3)
            looker = Looker()
            submit = asyncio.create_task(handed_over(modem, tpdu(), looker))
            await asyncio.wait_for(looker.ended.wait(), 5)
            await rig.unplug()
            with pytest.raises(SubmitUncertain) as caught:
                await submit
            assert caught.value.may_have_left
            with pytest.raises(ModemNotReady) as refused:
                await modem.submit(tpdu())
            assert not refused.value.may_have_left
            slowly(rig, 0)
            await rig.plug()
            await ready(modem)
            assert isinstance(await handed_over(modem, tpdu("again")), SubmitResult)
            await eventually(lambda: listener.states().count(ModemState.READY) == 2)

    async def test_an_absent_port_is_told_and_found_again(self, rig: Rig) -> None:
        await rig.unplug()
        async with running(rig) as (modem, _):
            await eventually(lambda: modem.status().state is ModemState.ABSENT)
            assert modem.status().reason
            await rig.plug()
            await ready(modem)
            assert modem.status().state is ModemState.READY

    async def test_an_answer_that_comes_too_late_is_nobody_elses(self, rig: Rig) -> None:
        async with running(rig) as (modem, _):
            await ready(modem)
            slowly(rig, 0.6)
            with pytest.raises(SubmitUncertain) as caught:
                await handed_over(modem, tpdu("late"))
            assert caught.value.cause == "timeout"
            slowly(rig, 0)
            await ready(modem)
            result = await handed_over(modem, tpdu("next"))
            assert result.reference == rig.simulated.submissions[-1].tp_mr

    async def test_stopping_lets_a_submit_finish(self, rig: Rig) -> None:
        async with running(rig) as (modem, _):
            await ready(modem)
            slowly(rig, 0.2)
            submit = asyncio.create_task(handed_over(modem, tpdu()))
            await eventually(lambda: modem.status().state is ModemState.BUSY)
            await modem.stop()
            assert isinstance(await submit, SubmitResult)
            with pytest.raises(ModemNotReady):
                await modem.submit(tpdu())

    async def test_a_paused_modem_sends_nothing_and_receives(self, rig: Rig) -> None:
        async with running(rig) as (modem, listener):
            await ready(modem)
            modem.set_paused(True)
            assert modem.status().state is ModemState.PAUSED
            with pytest.raises(ModemNotReady):
                await modem.submit(tpdu())
            rig.simulated.inject_sms("+33612345678", "in")
            await eventually(listener.delivers)
            modem.set_paused(False)
            await ready(modem)
            assert isinstance(await handed_over(modem, tpdu()), SubmitResult)

    async def test_octets_that_are_no_submit_are_refused_and_never_leave(self, rig: Rig) -> None:
        async with running(rig) as (modem, _):
            await ready(modem)
            with pytest.raises((SubmitRefused, ModemNotReady)) as caught:
                await modem.submit(b"\x01\x00\x0b\x91")
            assert not caught.value.may_have_left
            assert not rig.simulated.submissions
            await ready(modem)
            assert isinstance(await handed_over(modem, tpdu()), SubmitResult)
