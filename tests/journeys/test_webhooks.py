"""Webhooks of a whole gateway: told of a message, also over a death between its commit and the telling."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from standardwebhooks import Webhook
from support.checker import Sent
from support.crash import crash_rig
from support.daemon import client_of
from support.receiving import receiver
from support.waiting import eventually

PERSON = "+33639984101"


async def test_c14_what_was_committed_is_told_after_a_death(tmp_path: Path, tell: Callable[[str], None]) -> None:
    async with receiver() as told, crash_rig(tmp_path) as rig:
        await rig.gateway.start()
        await rig.ready()
        async with client_of(rig.gateway.url, rig.gateway.token) as client:
            made = await client.ok("POST", "/v1/webhooks", {"url": told.url, "types": ["message.*"]})
            tried = await client.ok("POST", f"/v1/webhooks/{made['id']}/test", {})
        assert (tried["ok"], tried["status"], told.told.pop().document["type"]) == (True, 200, "webhook.test")
        sent = Sent(PERSON, "told all the same", "hold")
        rig.arm("followed")
        await rig.send(sent)
        await rig.died()
        before = len(told.told)
        await rig.gateway.start()
        await rig.until(sent, "delivered")
        await eventually(lambda: any(each.document["type"] == "message.delivered" for each in told.told), 20)
        words = list(dict.fromkeys(each.document["type"] for each in told.told))
        assert await rig.gateway.end() == 0
    ids = {each.headers["webhook-id"] for each in told.told}
    tell(
        f"C14: killed after the commit and before its telling: {before} told before, then {len(ids)} events, none lost"
    )
    assert before == 0
    assert words[0] == "message.queued"
    assert words[-1] == "message.delivered"
    data = told.told[-1].document["data"]
    assert (data["to"], data["text"], data["status"]) == (PERSON, "told all the same", "delivered")
    for each in told.told:
        Webhook(made["secret"]).verify(each.body, each.headers)
    assert json.loads(told.told[0].body)["timestamp"].endswith("Z")
