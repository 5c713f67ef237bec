"""A tap on a real driver's line: the file that it writes, its bounds, and that nothing of it reaches the modem."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.rigs import LoopbackRig
from support.waiting import eventually

from drivers.events import DeliverReceived, SubmitResult
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings
from drivers.tpdu import Address, build_submits, segment
from drivers.trace.files import TraceFile
from drivers.trace.records import Direction, parse_trace
from drivers.trace.tap import WireTap

TO, FROM = "+33639981299", "+33612345678"
TEXT = "the code is secret"
PIN = "2846"


@pytest.fixture
def tap() -> WireTap:
    return WireTap("sim1", "tocsin 0.0")


@pytest.fixture
async def modem(tap: WireTap) -> AsyncIterator[ModemSupervisor]:
    rig = LoopbackRig(SimSettings(pin=PIN, report_delay=0.01), tap.wrap)
    await rig.plug()
    made = rig.supervise(pin=PIN)
    made.simulator = rig.simulated
    yield made
    await made.stop()
    await rig.close()
    await tap.stop()


async def dialogue(modem: ModemSupervisor) -> None:
    """Start, send, receive."""
    await modem.start()
    await asyncio.wait_for(modem.wait_ready(), 5)
    (submit,) = build_submits(segment(TEXT), Address.from_text(TO), reference=1)
    assert isinstance(await modem.submit(submit.to_bytes()), SubmitResult)
    assert modem.simulator is not None
    modem.simulator.inject_sms(FROM, TEXT)
    async for event in modem.events():
        if isinstance(event, DeliverReceived):
            assert event.deliver.tp_ud.text == TEXT
            return


async def test_a_dialogue_is_recorded_without_its_people(modem: ModemSupervisor, tap: WireTap, tmp_path: Path) -> None:
    path = tmp_path / "traces" / "sim1.trace"
    tap.start(path)
    await dialogue(modem)
    await tap.stop()
    text = path.read_text("ascii")
    records = parse_trace(text)
    assert records[0].direction is Direction.SECTION
    assert "redacted, tocsin 0.0, modem sim1, port loopback:" in records[0].text
    shown = [record.text for record in records]
    assert "AT+CPIN=" + '"0000"<CR>' in shown
    assert any("+CMGS=" in record for record in shown)
    assert any("+CMTI: " in record for record in shown)
    for canary in (TO[1:], FROM[1:], "12345678", "336199", TEXT, PIN, "21436587F"):
        assert canary not in text
    times = [record.seconds for record in records if record.seconds is not None]
    assert times == sorted(times)
    assert len(times) == len(records)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_trace_begun_later_says_what_the_modem_is(modem: ModemSupervisor, tap: WireTap, tmp_path: Path) -> None:
    tap.about = lambda: modem.status().model or ""
    await dialogue(modem)
    tap.start(tmp_path / "late.trace")
    modem.set_paused(True)
    assert modem.simulator is not None
    modem.simulator.inject_sms(FROM, "more")
    await eventually(lambda: tap.path is not None)
    await tap.stop()
    first, note, *_ = parse_trace((tmp_path / "late.trace").read_text())
    assert first.direction is Direction.SECTION
    assert (note.direction, note.text) == (Direction.NOTE, f"modem {modem.status().model}")


async def test_a_disk_that_takes_nothing_ends_the_trace_and_nothing_else(
    modem: ModemSupervisor, tap: WireTap, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tap.start(Path("/dev/full"))
    await dialogue(modem)
    await eventually(lambda: tap.path is None)
    said = [record.getMessage() for record in caplog.records if record.name == "drivers.trace.tap"]
    assert said == ["the trace of modem sim1 cannot be written (No space left on device): it ends"]
    await dialogue_again(modem)


async def dialogue_again(modem: ModemSupervisor) -> None:
    (submit,) = build_submits(segment("again"), Address.from_text(TO), reference=2)
    assert isinstance(await modem.submit(submit.to_bytes()), SubmitResult)


async def test_files_stay_within_their_bound(tmp_path: Path) -> None:
    failures: list[str] = []
    file = TraceFile(tmp_path / "t.trace", failures.append, max_octets=1000)
    for round_ in range(20):
        for count in range(10):
            file.write(f"{round_} {count} " + "x" * 20)
        await file.close()
    assert not failures
    assert file.path.stat().st_size <= 1300
    assert file.old.stat().st_size <= 1300
    assert {file.path.name, file.old.name} == {"t.trace", "t.trace.1"}
    assert not file.old.with_name("t.trace.1.1").exists()
    assert file.path.read_text().endswith("19 9 " + "x" * 20 + "\n")


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "t.trace").symlink_to(target)
    failures: list[str] = []
    file = TraceFile(tmp_path / "t.trace", failures.append)
    file.write("line")
    await file.close()
    assert failures
    assert target.read_text() == "mine"


async def test_lines_that_a_slow_disk_cannot_take_are_counted(tmp_path: Path) -> None:
    file = TraceFile(tmp_path / "t.trace", lambda _: None)
    for count in range(25_000):
        file.write(str(count))
    await file.close()
    file.write("after")
    await file.close()
    lines = file.path.read_text().splitlines()
    assert len(lines) == 20_002
    assert lines[-2:] == ["# 5000 lines left out: the disk was too slow", "after"]
