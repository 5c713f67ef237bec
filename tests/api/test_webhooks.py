"""`/v1/webhooks`, and `callback_url` of a message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook
from support.http import Api
from support.receiving import Receiver, receiver
from support.settings import settings_in
from support.waiting import eventually

from gateway.daemon import running_gateway
from gateway.notify.shares import OF_CALLBACKS, OF_TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="session")
URL = "http://192.0.2.7/hook"


async def test_an_endpoint_is_made_changed_and_removed(api: Api):
    made = await api.post("/v1/webhooks", {"url": URL, "types": ["message.*", "modem.down"], "description": "till"})
    assert made.status == 201
    assert made.document["secret"].startswith("whsec_")
    path = f"/v1/webhooks/{made.document['id']}"
    shown = (await api.get(path)).document
    assert "secret" not in shown
    assert (await api.get("/v1/webhooks")).items[0] == shown
    assert (await api.get(path + "/secret")).document == {"secret": made.document["secret"]}
    rotated = (await api.post(path + "/rotate")).document
    assert rotated["secret"] != made.document["secret"]
    changed = await api.ask("PATCH", path, json={"types": ["*"], "disabled": True, "description": ""})
    assert (changed.document["types"], changed.document["description"]) == (["*"], None)
    assert changed.document["disabled_reason"] == "by hand"
    assert (await api.post(path + "/enable")).document["disabled_at"] is None
    assert (await api.get(path + "/deliveries?state=dead")).items == []
    assert (await api.post(path + "/replay", {})).document == {"replayed": 0}
    assert (await api.delete(path)).document["url"] == URL
    for gone in (
        await api.get(path),
        await api.delete(path),
        await api.post(path + "/test"),
        await api.get("/v1/webhooks/x"),
    ):
        assert (gone.status, gone.code) == (404, "webhook_not_found")


async def test_every_wrong_field_is_named(api: Api):
    body = {"url": "http://169.254.169.254/", "types": ["message.delivred", "modem.*"], "description": "a" * 300}
    refused = await api.post("/v1/webhooks", body)
    assert (refused.status, refused.code) == (422, "webhook_invalid")
    assert refused.pointers == ["/types/0", "/description", "/url"]
    assert "did you mean message.delivered?" in refused.document["detail"]


async def test_only_an_admin_has_endpoints_and_everybody_who_sends_a_secret(api: Api, holder):
    sender, other = await holder("send"), await holder("send")
    assert (await sender.get("/v1/webhooks")).status == 403
    secrets = {(await each.get("/v1/webhooks/secret")).document["secret"] for each in (sender, other)}
    assert len(secrets) == 2
    assert {len(each) for each in secrets} == {len("whsec_") + 44}


async def test_a_callback_that_is_not_allowed_is_refused_wherever_it_stands(api: Api):
    body = {"to": "+33612345678", "text": "hello", "callback_url": "http://192.0.2.7/news"}
    for path in ("/v1/messages", "/v1/messages/preview"):
        refused = await api.post(path, body)
        assert (refused.status, refused.code, refused.pointers) == (422, "callback_not_allowed", ["/callback_url"])
        assert '`allow = ["192.0.2.7/32"]` in the table [webhooks]' in refused.document["detail"]
    batch = await api.post("/v1/messages/batch", {"messages": [body, {**body, "callback_url": "http://u@192.0.2.7/"}]})
    assert (batch.status, batch.pointers) == (422, ["/messages/0/callback_url", "/messages/1/callback_url"])
    both = await api.post("/v1/messages", {**body, "text": ""})
    assert both.pointers == ["/text", "/callback_url"]


async def _silent_callbacks_slow_no_endpoint(api: Api, silent: Receiver, told: Receiver) -> None:
    """Forty servers that never answer, named by one token: it has its share under way, and endpoints do not wait."""

    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    silent.answer = never
    port = silent.url.rpartition(":")[2]
    lines = [
        {"to": "+33612345680", "text": f"at {at}", "callback_url": f"http://127.0.1.{at}:{port}/"}
        for at in range(1, 41)
    ]
    await api.post("/v1/messages/batch", {"messages": lines})
    await eventually(lambda: len(silent.asked) == OF_TOKEN, 10)
    assert (await api.post("/v1/webhooks", {"url": told.url + "/hook", "types": ["queue.*"]})).status == 201
    paused = await api.post("/v1/pause", {"categories": ["promotional"]})
    assert paused.status == 200, paused
    await eventually(lambda: told.told and told.told[-1].path == "/hook", 5)
    assert len(silent.asked) == OF_TOKEN


async def test_a_callback_is_told_of_its_message_and_of_no_other(tmp_path: Path, session: aiohttp.ClientSession):
    settings = replace(settings_in(tmp_path), webhook_networks=("127.0.0.0/8",))
    async with receiver() as told, receiver("0.0.0.0") as silent, running_gateway(settings) as gateway:
        api = Api(session, gateway.url, gateway.admin_token)
        plain, called = {"to": "+33612345678", "text": "plain"}, {"to": "+33612345679", "text": "called"}
        await api.post("/v1/messages", plain)
        lines = await api.post("/v1/messages/batch", {"messages": [{**called, "callback_url": told.url + "/news?a=1"}]})
        message_id = lines.document["items"][0]["id"]
        secret = (await api.get("/v1/webhooks/secret")).document["secret"]
        await eventually(lambda: told.told and told.told[-1].document["type"] == "message.delivered", 20)
        news = list(told.told)
        await _silent_callbacks_slow_no_endpoint(api, silent, told)
    assert {each.document["data"]["id"] for each in news} == {message_id}
    assert list(news[-1].document["data"])[:3] == ["id", "to", "text"]
    for each in news:
        Webhook(secret).verify(each.body, each.headers)
    statuses = [each.document["data"]["status"] for each in news]
    assert statuses == list(dict.fromkeys(statuses))
    assert statuses[-1] == "delivered"


async def test_callbacks_of_four_tokens_that_hang_leave_a_place_to_the_fifth(
    tmp_path: Path, session: aiohttp.ClientSession
):
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    settings = replace(settings_in(tmp_path), webhook_networks=("127.0.0.0/8",))
    async with receiver() as told, receiver("0.0.0.0") as silent, running_gateway(settings) as gateway:
        admin, silent.answer = Api(session, gateway.url, gateway.admin_token), never
        port = silent.url.rpartition(":")[2]
        for number in range(5):
            made = await admin.post("/v1/tokens", {"name": f"caller-{number}", "scopes": ["send"]})
            caller = admin.with_token(made.document["token"])
            if number < OF_CALLBACKS // OF_TOKEN:
                urls = [f"http://127.0.{number + 1}.{at}:{port}/" for at in range(1, OF_TOKEN + 3)]
                lines = [{"to": "+33612345680", "text": url, "callback_url": url} for url in urls]
                assert (await caller.post("/v1/messages/batch", {"messages": lines})).status == 202
                await eventually(lambda wanted=(number + 1) * OF_TOKEN: len(silent.asked) == wanted, 10)
            else:
                body = {"to": "+33612345681", "text": "told", "callback_url": told.url}
                assert (await caller.post("/v1/messages", body)).status == 202
        await eventually(lambda: told.told, 10)
        assert len(silent.asked) == OF_CALLBACKS
