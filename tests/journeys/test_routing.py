"""Several modems and a long queue, whole: who goes first when everything waits, and what each modem takes."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from support.daemon import Client, client_of
from support.settings import settings_in
from support.waiting import eventually

from gateway.config.limits import SimLimits
from gateway.daemon import running_gateway

MODEMS = 4
QUEUED = 1000


def _marks(folder: Path) -> list[tuple[str, str]]:
    """Message and modem of every mark, in their order."""
    with sqlite3.connect(folder / "tocsin.db") as store:
        return store.execute("SELECT message_id, modem FROM attempt ORDER BY id").fetchall()


async def _campaign(client: Client, count: int, category: str) -> None:
    messages = [{"to": f"+336{at:08}", "text": "News", "category": category} for at in range(count)]
    await client.ok("POST", "/v1/messages/batch", {"messages": messages})


async def test_an_emergency_overtakes_a_thousand_and_a_campaign_delays_nobody(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ports={f"sim{at}": "simulated:" for at in range(1, MODEMS + 1)})
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        ward_token = (await client.ok("POST", "/v1/tokens", {"name": "ward", "scopes": ["send"]}))["token"]
        ward = Client(client.session, client.url, ward_token)
        await client.ok("POST", "/v1/pause", {})
        await _campaign(client, QUEUED, "promotional")
        single = await ward.send("+33700000001", "Your appointment", category="promotional")
        alert = await ward.send("+33700000002", "Fire", category="emergency")
        await client.ok("POST", "/v1/resume")
        for each in (single, alert):
            await client.until(each["id"], "sent", "delivered")
        await client.ok("POST", "/v1/pause", {})
    order = [message_id for message_id, _ in _marks(tmp_path)]
    assert order[0] == alert["id"]
    # At most a part of the campaign for each modem, and one for whoever is in turn.
    assert order.index(single["id"]) <= MODEMS + 1


async def test_each_modem_takes_what_it_is_for_and_no_more_than_its_limit(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ports=dict.fromkeys(("belgian", "alarm", "small", "large"), "simulated:"))
    keys = {
        "belgian": {"prefixes": ("+32",)},
        "alarm": {"categories": ("emergency",)},
        "small": {"prefixes": ("+33",), "limits": SimLimits(per_day=7)},
        "large": {"prefixes": ("+33",)},
    }
    modems = {name: replace(settings.modems[name], **written) for name, written in keys.items()}  # type: ignore[arg-type]
    settings = replace(settings, modems=modems)
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        await _campaign(client, 60, "transactional")
        there = await client.send("+32470123456", "Bonjour")
        status, problem = await client.call("POST", "/v1/messages", {"to": "+4915112345678", "text": "Hallo"})
        assert (status, problem["code"]) == (422, "no_route")
        await client.send("+4915112345678", "Feuer", category="emergency")

        async def done() -> bool:
            return not (await client.ok("GET", "/v1/messages", status="queued,sending,held"))["items"]

        await eventually(done, 30, "everything sent")
    marks = _marks(tmp_path)
    by_modem = {name: [message for message, modem in marks if modem == name] for name in keys}
    assert by_modem["belgian"] == [there["id"]]
    assert len(by_modem["alarm"]) == 1
    assert len(by_modem["small"]) <= 7
    assert len(marks) == 62
