"""Automations over HTTP: a rule, an event, and the moment at which its message really leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from support.moved_gateway import Moved, instant_us, moved_gateway
from support.waiting import eventually

from gateway.clock import SECOND_US

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUTOMATIONS = "/v1/automations"
A, B = "+33639980541", "+33639980542"
HOUR_US = 3600 * SECOND_US


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def g(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Moved]:
    async with moved_gateway(tmp_path_factory.mktemp("automations")) as moved:
        yield moved


async def _told(g: Moved, name: str, to: str, **event: Any) -> Any:
    return (await g.ok("POST", f"{AUTOMATIONS}/{name}/trigger", {"to": to, **event}))["message"]


async def _becomes(g: Moved, message: Any, status: str) -> Any:
    async def reached() -> Any:
        found = await g.ok("GET", f"/v1/messages/{message['id']}")
        return found if found["status"] == status else None

    return await eventually(reached, 20, f"a message that is {status}")


async def test_a_reminder_a_day_before_leaves_then_and_not_earlier(g: Moved) -> None:
    rule = {
        "name": "reminder",
        "text": "Tomorrow at {{ hour }}, {{ name }}",
        "before": "24h",
        "variables": {"hour": "9"},
    }
    made = await g.ok("POST", AUTOMATIONS, rule)
    assert (made["texts"], made["before"], made["after"]) == ({"": "Tomorrow at {{ hour }}, {{ name }}"}, "1d", None)
    assert [each["name"] for each in (await g.api.get(AUTOMATIONS)).items] == ["reminder"]
    await g.ok("POST", "/v1/contacts", {"number": A, "name": "Ada"})
    at = g.later(hours=30)
    sent = await _told(g, "reminder", A, at=at, reference="a17")
    assert (sent["text"], sent["status"], sent["hold"]["rule"]) == ("Tomorrow at 9, Ada", "held", "scheduled")
    assert (sent["send_at"], sent["expires_at"], sent["reference"]) == (g.later(hours=6), at, "reminder:a17")
    # The same event, and the same with another time and back.
    assert (await _told(g, "reminder", A, at=at, reference="a17"))["id"] == sent["id"]
    moved = await _told(g, "reminder", A, at=g.later(hours=40), reference="a17")
    assert (await _becomes(g, sent, "canceled"))["sent_at"] is None
    back = await _told(g, "reminder", A, at=at, reference="a17")
    await _becomes(g, moved, "canceled")
    g.advance(hours=5, minutes=59)
    quick = await _told(g, "reminder", B, at=g.later(hours=2), variables={"name": "Bo", "hour": "12"})
    assert (await _becomes(g, quick, "delivered"))["text"] == "Tomorrow at 12, Bo"
    assert (await g.ok("GET", f"/v1/messages/{back['id']}"))["status"] == "held"
    g.advance(minutes=1)
    left = await _becomes(g, back, "delivered")
    assert instant_us(left["sent_at"]) >= instant_us(at) - 24 * HOUR_US


async def test_the_day_before_at_six_where_the_person_is(g: Moved) -> None:
    await g.ok("PUT", f"{AUTOMATIONS}/evening", {"text": "Tomorrow", "days_before": 1, "at": "18:00"})
    await g.ok("POST", "/v1/contacts", {"number": B, "timezone": "Indian/Reunion"})
    for to, utc in ((A, "17:00"), (B, "14:00")):
        sent = await _told(g, "evening", to, at="2026-01-20T12:00:00+01:00")
        assert sent["send_at"] == f"2026-01-19T{utc}:00.000Z"
    # In summer it is still six on the clock's face.
    assert (await _told(g, "evening", A, at="2026-07-20T12:00:00+02:00"))["send_at"] == "2026-07-19T16:00:00.000Z"
    assert (await g.api.post(f"{AUTOMATIONS}/evening/trigger", {"to": A, "at": "2026-01-02T12:00:00Z"})).status == 422


async def test_a_parcel_that_has_left_is_told_a_while_after(g: Moved) -> None:
    rule = {"text": "Parcel {{ parcel }} has left", "after": "5m", "expect": ["OK"]}
    await g.ok("PUT", f"{AUTOMATIONS}/shipped", rule)
    first = await _told(g, "shipped", A, variables={"parcel": 17}, reference="parcel-17")
    again = await _told(g, "shipped", A, variables={"parcel": 17}, reference="parcel-17")
    other = await _told(g, "shipped", A, variables={"parcel": 18}, reference="parcel-18")
    assert (first["send_at"], again["id"]) == (g.later(minutes=5), first["id"])
    off = await g.ok("POST", f"{AUTOMATIONS}/shipped/trigger", {"to": A, "reference": "parcel-18", "cancel": True})
    assert off == {"message": None, "canceled": 1}
    g.advance(minutes=5)
    assert (await _becomes(g, first, "delivered"))["text"] == "Parcel 17 has left"
    assert (await g.ok("GET", f"/v1/messages/{other['id']}"))["status"] == "canceled"
    # What it has queued stays as it was told when the rule says something else, and when there is none any more.
    waiting = await _told(g, "shipped", B, variables={"parcel": 19})
    await g.ok("PUT", f"{AUTOMATIONS}/shipped", {"text": "At once, {{ parcel }}"})
    assert (await _becomes(g, await _told(g, "shipped", A, variables={"parcel": 20}), "delivered"))["send_at"] is None
    assert (await g.ok("DELETE", f"{AUTOMATIONS}/shipped"))["name"] == "shipped"
    assert (await g.api.get(f"{AUTOMATIONS}/shipped")).status == 404
    g.advance(minutes=5)
    assert (await _becomes(g, waiting, "delivered"))["text"] == "Parcel 19 has left"


async def test_a_stop_ends_what_an_automation_has_queued(g: Moved) -> None:
    await g.ok("PUT", f"{AUTOMATIONS}/later", {"text": "Later", "after": "1h"})
    sent = await _told(g, "later", "+33639980543")
    await g.ok("POST", "/v1/modems/sim1/simulate", {"from": "+33639980543", "text": "STOP"})
    assert (await _becomes(g, sent, "suppressed"))["error"]["code"] == "opt_out"
    told = await _told(g, "later", "+33639980543")
    assert (told["status"], told["error"]["code"]) == ("suppressed", "opt_out")
