"""A gateway that is killed while it rings many people: everybody is rung once, nobody is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.crash import CrashRig, crash_rig
from support.daemon import client_of
from support.waiting import eventually

PEOPLE = [f"+336399{at:05}" for at in range(510)]


async def _ring(rig: CrashRig) -> None:
    async with client_of(rig.gateway.url, rig.gateway.token) as client:
        client.key = "evacuation"
        await client.ok("POST", "/v1/alerts", {"to": PEOPLE, "text": "Evacuation", "expect": ["OK"]})


@pytest.mark.parametrize(
    ("place", "promised"),
    [("ring_written 1", False), ("ring_written 2", True), ("rung_some 3", True)],
)
async def test_whoever_is_rung_is_rung_once_whatever_breaks(
    tmp_path: Path, tell: Callable[[str], None], place: str, promised: bool
) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        rig.arm(place)
        with pytest.raises(Exception):  # noqa: B017, PT011 - the connection ends in one of many ways
            await _ring(rig)
        await rig.died()
        before = Counter(row[0] for row in rig.rows("SELECT recipient_id FROM message"))
        await rig.gateway.start()
        if not promised:
            # Nobody was told anything, so nobody is rung; who asks again begins anew.
            assert before.total() == 0
            await _ring(rig)

        async def everybody() -> bool:
            return rig.rows("SELECT count(*) FROM message")[0][0] >= len(PEOPLE)

        await eventually(everybody, 60, "everybody rung")
        # Whoever asks again with the key hears of the same alert.
        await _ring(rig)
        counts = Counter(row[0] for row in rig.rows("SELECT recipient_id FROM message"))
        rung = [row[0] for row in rig.rows("SELECT count(*) FROM ring WHERE status = 'ringing'")]
    tell(f"alert, killed at {place}: {before.total()} of {len(PEOPLE)} rung before, {counts.total()} in all, each once")
    assert set(counts.values()) == {1}
    assert len(counts) == len(PEOPLE)
    assert rung == [1]
