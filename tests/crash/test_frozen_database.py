"""One gateway on PostgreSQL whose database, or the way to it, freezes: connections stay open, and nothing comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.crash import CrashRig, Sent
from support.crash_load import counted
from support.daemon import client_of
from support.database_cases import NUMBERS, freeze_at_the_mark, rig_behind_a_proxy, settled
from support.database_proxy import Cut
from support.postgresql import Database
from support.waiting import eventually

#: In use it is 10 s for a trip, and 5 s for a connection.
TRIP_S = 1.0
#: A trip, a connection that does not come about, and what a busy machine adds.
BOUND_S = 6.0


@pytest.mark.parametrize("how", Cut, ids=lambda cut: cut.name.lower())
async def test_d06_no_octet_leaves_while_the_database_is_frozen_at_the_commit_of_the_mark(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None], how: Cut
) -> None:
    async with rig_behind_a_proxy(tmp_path, postgresql_database, trip_seconds=TRIP_S) as (rig, proxy):
        verdict, left = await freeze_at_the_mark(rig, proxy, how)
    tell(f"D06: frozen, {how.value}: {left} copies while in doubt; {counted([verdict])}")
    assert (left, verdict.sound, verdict.copies, list(verdict.attempts)) == (0, True, 1, ["delivered"])


async def test_everybody_is_refused_in_time_readiness_says_so_and_it_goes_on_by_itself(
    tmp_path: Path, postgresql_database: Database, tell: Callable[[str], None]
) -> None:
    async with rig_behind_a_proxy(tmp_path, postgresql_database, trip_seconds=TRIP_S) as (rig, proxy):
        sent = [Sent(NUMBERS[70 + number], f"frozen {number}", "hold") for number in range(2)]
        await rig.send(sent[0])
        await rig.until(sent[0], "delivered")
        proxy.freeze()
        began = time.monotonic()
        asked = [("POST", "/v1/messages", {"to": NUMBERS[72], "text": str(number)}) for number in range(5)]
        asked += [("GET", "/v1/messages", None), ("GET", "/v1/inbox", None)] * 5 + [("POST", "/v1/pause", None)]
        answers = await asyncio.gather(*[_asked(rig, *each) for each in asked])
        longest = time.monotonic() - began
        await eventually(lambda: _not_ready(rig), BOUND_S, "readiness that is gone")
        proxy.thaw()
        await rig.ready()
        await eventually(lambda: _resumed(rig), 10, "sending that goes on")
        await rig.send(sent[1])
        await rig.until(sent[1], "delivered")
        verdicts = await settled(rig, sent)
    tell(f"frozen, a trip of {TRIP_S:g} s: {len(answers)} requests refused within {longest:.1f} s; {counted(verdicts)}")
    assert {status for status, _ in answers} == {503}
    assert all(int(retry_after) >= 1 for _, retry_after in answers)
    assert longest < BOUND_S
    assert [verdict for verdict in verdicts if not verdict.sound or verdict.copies != 1] == []


async def _asked(rig: CrashRig, method: str, path: str, body: Any) -> tuple[int, str]:
    """The status of the answer, and its `Retry-After`."""
    headers = {"Authorization": f"Bearer {rig.gateway.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, rig.gateway.url + path, json=body, headers=headers) as answer,
    ):
        return answer.status, answer.headers.get("Retry-After", "0")


async def _not_ready(rig: CrashRig) -> bool:
    return not await rig.is_ready()


async def _resumed(rig: CrashRig) -> bool:
    """Also if the pause was in doubt, and took place."""
    async with client_of(rig.gateway.url, rig.gateway.token) as client:
        return (await client.call("POST", "/v1/resume"))[0] == 200
