"""A disk that is full, that cannot be written, and that heals: F01 to F05, on file systems of the test's own."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from support.checker import Sent
from support.crash import CrashRig, crash_rig
from support.crash_load import all_settled
from support.daemon import client_of
from support.storage import Filler, disk_image, small_disk
from support.waiting import eventually

PERSON = "+33639984301"
#: So many messages are tried until the mark of one finds no room.
MESSAGES = 5
#: After space has returned everything works again within this, without a restart.
RECOVERY_S = 30

#: The gateway waits for space, or is killed before there is some.
WAITING_AND_KILLED = pytest.mark.parametrize(
    "killed", [pytest.param(False, id="waits", marks=pytest.mark.long), pytest.param(True, id="killed")]
)


@asynccontextmanager
async def rig_on_a_small_disk(folder: Path, *options: str) -> AsyncIterator[tuple[CrashRig, Filler]]:
    """A gateway whose state lies on two megabytes."""
    with small_disk(folder / "state", "2m") as filler:
        async with crash_rig(folder, *options) as rig:
            yield rig, filler


async def _post(rig: CrashRig, text: str) -> tuple[int, dict[str, str], str]:
    """Send a message; the status, the header fields, and the id or the code of the answer."""
    headers = {"Authorization": f"Bearer {rig.gateway.token}"}
    body = {"to": PERSON, "text": text}
    async with (
        aiohttp.ClientSession() as session,
        session.post(rig.gateway.url + "/v1/messages", json=body, headers=headers) as answer,
    ):
        said = await answer.json()
        return answer.status, dict(answer.headers), said.get("id") or said["code"]


async def _until_full(rig: CrashRig) -> tuple[list[str], dict[str, str]]:
    """Send until it is refused; what was accepted, and the header fields of the refusal."""
    accepted: list[str] = []
    while True:
        status, headers, word = await _post(rig, "x" * 1000 + str(len(accepted)))
        if status != 202:
            assert (status, word) == (507, "storage_full")
            return accepted, headers
        accepted.append(word)


async def _works_again(rig: CrashRig) -> float:
    """Seconds until the gateway calls itself ready."""
    began = time.monotonic()
    await eventually(rig.is_ready, RECOVERY_S, "a gateway that recovers by itself")
    return time.monotonic() - began


@pytest.mark.long
async def test_f01_a_disk_that_fills_while_accepting(tmp_path: Path, tell: Callable[[str], None]) -> None:
    async with rig_on_a_small_disk(tmp_path) as (rig, filler):
        await rig.gateway.start()
        async with client_of(rig.gateway.url, rig.gateway.token) as client:
            await client.ok("POST", "/v1/pause")
            filler.fill(leave=400_000)
            accepted, headers = await _until_full(rig)
            assert int(headers["Retry-After"]) >= 1
            assert not await rig.is_ready()
            assert (await client.call("GET", "/v1/messages"))[0] == 200
            kept = {row[0] for row in rig.rows("SELECT id FROM message")}
            filler.free()
            healed = await _works_again(rig)
            status, _, _ = await _post(rig, "there is space again")
        assert await rig.gateway.end() == 0
    tell(f"F01: full after {len(accepted)} messages, {len(set(accepted) - kept)} lost, {healed:.1f} s to recover")
    assert kept == set(accepted)
    assert status == 202


async def test_f02_full_exactly_at_the_mark_nothing_is_handed_to_the_modem(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """A small transaction may still find room where a larger one found none: then the next message is looked at."""
    async with rig_on_a_small_disk(tmp_path) as (rig, filler):
        await rig.gateway.start()
        sent: list[Sent] = []
        marks = 1
        while marks and len(sent) < MESSAGES:
            sent.append(Sent(PERSON, f"not without a mark {len(sent)}", "hold"))
            await rig.halt_at_the_mark(sent[-1])
            filler.fill()
            rig.signal(signal.SIGCONT)
            await eventually(lambda: _refused(rig), 10, "a commit that was refused")
            marks = len(rig.rows("SELECT 1 FROM attempt WHERE message_id = ?", sent[-1].id))
            copies = len([copy for copy in rig.ledger() if copy.text == sent[-1].text])
            assert copies <= marks
            filler.free()
            healed = await _works_again(rig)
            await rig.resume()
            await rig.until(sent[-1], "delivered", timeout=RECOVERY_S)
        verdicts = rig.verdicts(sent)
        assert await rig.gateway.end() == 0
    tell(f"F02: {copies} copies and {marks} marks while the disk was full, {healed:.1f} s to recover")
    assert (copies, marks) == (0, 0)
    assert all(verdict.sound and verdict.copies == 1 for verdict in verdicts)


async def _refused(rig: CrashRig) -> bool:
    return not await rig.is_ready()


@WAITING_AND_KILLED
async def test_f03_full_exactly_at_the_result_the_outcome_is_not_lost(
    tmp_path: Path, tell: Callable[[str], None], killed: bool
) -> None:
    """The sender keeps it; and the wire journal, whose space was taken at the start, has it for the next process."""
    async with rig_on_a_small_disk(tmp_path, "--report-delay", "60m") as (rig, filler):
        await rig.gateway.start()
        sent = Sent(PERSON, "sent, and nowhere to write it", "hold")
        rig.arm("answered 1 stop")
        await rig.send(sent)
        await rig.halted()
        filler.fill()
        rig.signal(signal.SIGCONT)
        await eventually(lambda: _refused(rig), 10, "a result that was refused")
        assert [row[0] for row in rig.rows("SELECT state FROM attempt")] == ["submitting"]
        if killed:
            await rig.gateway.end(signal.SIGKILL)
            await _refuses_to_start(rig)
            filler.free()
            await rig.gateway.start()
        else:
            filler.free()
        healed = await _works_again(rig)
        await rig.until(sent, "sent", timeout=RECOVERY_S)
        verdict = rig.verdict(sent, rig.ledger())
        references = rig.rows("SELECT tp_mr FROM attempt")
        assert await rig.gateway.end() == 0
    tell(f"F03: {'killed while full' if killed else 'no restart'}: outcome kept, {healed:.1f} s to recover")
    assert (verdict.sound, verdict.copies, verdict.recorded_uncertain) == (True, 1, False)
    assert references[0][0] is not None


async def _refuses_to_start(rig: CrashRig) -> None:
    """While the disk is full the result cannot be written, and without it nothing may be sent."""
    process = await rig.gateway.spawn()
    assert process.stdout is not None
    assert await asyncio.to_thread(process.wait, 20) == 1
    process.stdout.close()
    said = (rig.gateway.folder / "stderr.log").read_text().splitlines()[-1]
    assert "full" in said, said
    assert "Traceback" not in said


@WAITING_AND_KILLED
async def test_f04_a_stop_that_cannot_be_written_stays_on_the_modem(
    tmp_path: Path, tell: Callable[[str], None], killed: bool
) -> None:
    async with rig_on_a_small_disk(tmp_path) as (rig, filler):
        await rig.gateway.start()
        await rig.ready()
        filler.fill()
        await rig.hear("STOP", PERSON)
        await eventually(lambda: _refused(rig), 10, "a STOP that was refused")
        assert rig.rows("SELECT 1 FROM inbox") == []
        if killed:
            await rig.gateway.end(signal.SIGKILL)
            filler.free()
            await rig.gateway.start()
        else:
            filler.free()
        began = time.monotonic()
        await eventually(lambda: len(rig.rows("SELECT 1 FROM optout")) == 1, RECOVERY_S, "the opt-out")
        applied = time.monotonic() - began
        status, _, message = await _post(rig, "to somebody who said stop")
        assert status == 202
        (row,) = rig.rows("SELECT status FROM message WHERE id = ?", message)
        heard = [each[0] for each in rig.rows("SELECT text FROM inbox")]
        await eventually(lambda: all_settled(rig), 10, "the confirmation")
        assert await rig.gateway.end() == 0
    tell(f"F04: {'killed while full' if killed else 'no restart'}: STOP applied {applied:.1f} s after space returned")
    assert row[0] == "suppressed"
    assert heard == ["STOP"]


@pytest.mark.long
async def test_f05_a_store_that_may_not_be_written_any_more_is_read_and_heals(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    with disk_image(tmp_path) as image:
        (tmp_path / "state").symlink_to(image.folder, target_is_directory=True)
        async with crash_rig(tmp_path) as rig:
            await rig.gateway.start()
            await rig.ready()
            first = await _post(rig, "before")
            files = [str(image.folder / name) for name in ("tocsin.db", "tocsin.db-wal")]
            # Root may write whatever the mode says; nobody may write what is immutable.
            await asyncio.to_thread(subprocess.run, ["chattr", "+i", *files], check=True)
            try:
                status, headers, word = await _post(rig, "meanwhile")
                reads = await _reads(rig)
                refused = await _refused(rig)
            finally:
                await asyncio.to_thread(subprocess.run, ["chattr", "-i", *files], check=True)
            healed = await _works_again(rig)
            again = await _post(rig, "after")
            await eventually(lambda: all_settled(rig), RECOVERY_S, "everything sent")
            texts = sorted(copy.text for copy in rig.ledger())
            assert await rig.gateway.end() == 0
    tell(f"F05: permission lost: {status} {word}, {healed:.1f} s to recover")
    assert (first[0], status, again[0]) == (202, 507, 202)
    assert int(headers["Retry-After"]) >= 1
    assert (reads, refused) == (200, True)
    assert texts == ["after", "before"]


async def _reads(rig: CrashRig) -> int:
    async with client_of(rig.gateway.url, rig.gateway.token) as client:
        return (await client.call("GET", "/v1/messages"))[0]


@pytest.mark.long
async def test_f05_a_file_system_that_turned_read_only_is_read(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """Only a new mount makes it whole again, so the gateway is started anew then."""
    with disk_image(tmp_path, errors="remount-ro") as image:
        (tmp_path / "state").symlink_to(image.folder, target_is_directory=True)
        async with crash_rig(tmp_path) as rig:
            await rig.gateway.start()
            await rig.ready()
            sent = Sent(PERSON, "before", "hold")
            await rig.send(sent)
            await rig.until(sent, "delivered")
            image.fail()
            status, _, word = await _post(rig, "meanwhile")
            reads, refused = await _reads(rig), await _refused(rig)
            await rig.gateway.end(signal.SIGKILL)
            image.repair()
            await rig.gateway.start()
            await rig.ready()
            kept = [row[0] for row in rig.rows("SELECT text FROM message ORDER BY id")]
            assert await rig.gateway.end() == 0
    tell(f"F05: read-only file system: {status} {word}, after a repair {len(kept)} of 1 message kept")
    assert (status, reads, refused) == (507, 200, True)
    assert kept == ["before"]
