"""Cases of the catalogue that need a modem with bad habits, each with its figures."""

import asyncio
import tracemalloc
from collections.abc import Callable

import pytest
from support.driven import Drive, Driven
from support.pdus import deliver
from support.rigs import LoopbackRig, OctetWise
from support.scripted_modem import ScriptedModem
from support.waiting import eventually

from drivers.at.connection import AtConnection
from drivers.at.framing import Mark, Noise
from drivers.errors import SubmitUncertain
from drivers.events import CallMissed, DeliverReceived
from drivers.sim import SimSettings
from drivers.tpdu import Address, build_submits, segment

Tell = Callable[[str], None]

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
NOISE = 100 * 1024 * 1024
PIECE = 64 * 1024


def received(driven: Driven) -> list[str | None]:
    return [event.deliver.tp_ud.text for event in driven.events if isinstance(event, DeliverReceived)]


async def test_ok_without_a_reference(drive: Drive, tell: Tell) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: "OK"))
    await driven.ready()
    causes: list[str] = []
    for _ in range(20):
        with pytest.raises(SubmitUncertain) as raised:
            await driven.supervisor.submit(TPDU)
        causes.append(raised.value.cause)
    tell(f"M01: OK after Ctrl-Z without +CMGS: {causes.count('bare_ok')} of {len(causes)} are uncertain")
    assert set(causes) == {"bare_ok"}


class NewsBetween(ScriptedModem):
    """A modem that tells of a message after the octet of a dialogue whose turn it is."""

    at: int = -1
    seen: int = 0
    told: int = 0

    def _take(self, octet: bytes) -> None:
        super()._take(octet)
        self.seen += 1
        if self.seen == self.at:
            self.told += 1
            self.memories["SM"][self.told] = 0, deliver(f"news {self.told}")
            self.say(f'^RSSI: 11\n+CMTI: "SM",{self.told}\n+CREG: 1\nRING')


async def test_news_between_every_two_octets_of_a_dialogue(drive: Drive, tell: Tell) -> None:
    modem = NewsBetween(memories={"SM": {}})
    driven = drive(modem, poll_seconds=3600.0)
    await driven.ready()
    octets = len(f"AT+CMGS={len(TPDU)}\r") + len("00") + 2 * len(TPDU) + 1
    references: list[int] = []
    for at in range(1, octets + 1):
        await eventually(lambda: len(received(driven)) == modem.told and modem.selected == "SM")
        modem.seen, modem.at = 0, at
        references.append((await driven.supervisor.submit(TPDU)).reference)
        modem.at = -1
    await eventually(lambda: len(received(driven)) == modem.told)
    lost = modem.told - len(set(received(driven)))
    tell(f"M08: news after each of {octets} octets of a submit: {octets - len(references)} harmed, {lost} news lost")
    assert references == [7] * octets
    assert modem.told == octets
    assert len(received(driven)) == octets
    await eventually(lambda: any(isinstance(event, CallMissed) for event in driven.events))


HABITS: tuple[dict[str, object], ...] = (
    {"echo": True},
    {"stubborn_echo": True},
    {"end": b"\r", "start": b""},
    {"start": b"\r\n\r\n", "end": b"\r\r\n"},
    {"start": b"\r\n\x00", "end": b"\x00\r\n"},
    {"prompt": b">"},
    {"prompt": b"\r\n>"},
)


async def test_manners_of_speaking(drive: Drive, tell: Tell) -> None:
    failures = 0
    for habits in HABITS:
        modem = ScriptedModem(memories={"SM": {1: (0, deliver("in"))}}, **habits)  # type: ignore[arg-type]
        driven = drive(modem)
        await driven.ready()
        await eventually(lambda driven=driven: received(driven) == ["in"])  # type: ignore[misc]
        failures += (await driven.supervisor.submit(TPDU)).reference != 7
    tell(f"M09: {len(HABITS)} manners of echo, line end and prompt: {failures} other results")
    assert failures == 0


async def test_noise_without_end(drive: Drive, tell: Tell) -> None:
    driven = drive()
    await driven.ready()
    connection, noise = AtConnection(), b"\xaa" * PIECE
    tracemalloc.start()
    try:
        before, dropped = tracemalloc.get_traced_memory()[0], 0
        for _ in range(NOISE // PIECE):
            connection.receive_data(noise)
            while not isinstance(event := connection.next_event(), Mark):
                dropped += event.octets if isinstance(event, Noise) else 0
        while driven.line.open_now:
            driven.modem.write(noise)
            await asyncio.sleep(0)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    await eventually(lambda: len(driven.lines) == 2)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    tell(f"M10: {dropped >> 20} MB of noise without a line end dropped, {peak / 1e6:.1f} MB kept, port opened anew")
    assert NOISE - dropped <= PIECE
    assert peak < 4_000_000
    assert (await driven.supervisor.submit(TPDU)).reference == 7


async def test_the_same_however_the_octets_are_cut(tell: Tell) -> None:
    results: list[list[int]] = []
    for wrapper in (None, OctetWise):
        settings = SimSettings(report_delay=0.01)
        rig = LoopbackRig(settings, wrapper) if wrapper else LoopbackRig(settings)
        await rig.plug()
        modem = rig.supervise()
        await modem.start()
        await asyncio.wait_for(modem.wait_ready(), 5)
        submits = build_submits(segment("x" * 400), Address.from_text("+33639981299"), reference=7)
        results.append([(await modem.submit(each.to_bytes())).reference for each in submits])
        await asyncio.wait_for(modem.stop(), 10)
        await rig.close()
    tell(f"M11: three parts with every octet by itself, and all at once: {int(results[0] != results[1])} differences")
    assert results[0] == results[1]
