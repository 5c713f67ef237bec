"""The clock over HTTP: how it stands, a person's word, and what is told while it is doubted."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from support.clock import START_US, ManualClock
from support.http import Api
from support.settings import category, settings_in
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339
from gateway.daemon import running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERSON = "+33639980142"
YEAR_US = 365 * 24 * 3600 * SECOND_US


async def test_a_doubted_clock_holds_what_needs_it_until_a_person_says_that_it_is_right(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    clock = ManualClock()
    settings = settings_in(tmp_path, categories=(category("timed", windows=("mon-sun 00:00-24:00",)),))
    async with running_gateway(settings, clock) as gateway:
        api = Api(session, gateway.url, gateway.admin_token)
        state = (await api.get("/v1/clock")).document
        assert state["trusted"] is True
        assert (state["wall"], state["now"], state["reason"], state["since"]) == (
            rfc3339(START_US), rfc3339(START_US), None, None,
        )  # fmt: skip
        assert (state["synchronized"], state["database_ahead_s"]) == (False, None)
        clock.set_wall(START_US + YEAR_US)
        held = (await api.post("/v1/messages", {"to": PERSON, "text": "x", "category": "timed"})).document
        assert (held["status"], held["hold"]["rule"], held["hold"]["until"]) == ("held", "paused", None)
        assert held["hold"]["detail"] == "the clock cannot be trusted: it was set forward"
        alert = (await api.post("/v1/messages", {"to": PERSON, "text": "y", "category": "emergency"})).document

        async def left(message_id: str) -> bool:
            return (await api.get(f"/v1/messages/{message_id}")).document["status"] in {"sent", "delivered"}

        await eventually(lambda: left(alert["id"]), what="the alert to leave")
        state = (await api.get("/v1/clock")).document
        assert (state["trusted"], state["reason"], state["wall"]) == (
            False, "jumped_forward", rfc3339(START_US + YEAR_US),
        )  # fmt: skip
        assert state["now"] == rfc3339(START_US)
        ready = (await api.get("/readyz")).document
        assert (ready["ready"], ready["reasons"]) == (True, ["the clock cannot be trusted: it was set forward"])
        assert not await left(held["id"])
        confirmed = (await api.post("/v1/clock/confirm", {})).document
        assert (confirmed["trusted"], confirmed["now"]) == (True, rfc3339(START_US + YEAR_US))
        await eventually(lambda: left(held["id"]), what="the other to leave")
