"""A client that got no answer asks again with the same key: C01 and C02."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.checker import Sent
from support.crash import CrashRig, crash_rig
from support.daemon import client_of

PERSON = "+33639984102"


async def _repeat(rig: CrashRig, sent: Sent) -> str:
    """Send the same again, and return the id that is answered."""
    async with client_of(rig.gateway.url, rig.gateway.token) as client:
        client.key = sent.key
        body = {"to": sent.to, "text": sent.text, "category": "emergency", "on_uncertain": sent.policy}
        return (await client.ok("POST", "/v1/messages", body))["id"]


@pytest.mark.parametrize(("case", "place", "stored"), [("C01", "parsed", 0), ("C02", "accepted", 1)])
async def test_a_request_that_is_repeated_with_its_key_after_a_kill_is_one_message(
    tmp_path: Path, tell: Callable[[str], None], case: str, place: str, stored: int
) -> None:
    async with crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        sent = Sent(PERSON, "once", "hold", key="order 7")
        rig.arm(place)
        await rig.send(sent)
        await rig.died()
        assert sent.id is None, "nobody was told anything"
        before = [row[0] for row in rig.rows("SELECT id FROM message")]
        await rig.gateway.start()
        answered = [await _repeat(rig, sent) for _ in range(3)]
        rows = [row[0] for row in rig.rows("SELECT id FROM message")]
        sent.id = answered[0]
        await rig.until(sent, "delivered")
        assert await rig.gateway.end() == 0
        copies = len(rig.ledger())
    tell(f"{case}: {len(before)} row after the kill, {len(rows)} after three repeats, {copies} copy")
    tell(f"H08: killed with the request {place}: {len(rows)} row after three repeats of its key")
    assert len(before) == stored
    assert answered == rows * 3
    assert before in ([], rows)
    assert copies == 1
