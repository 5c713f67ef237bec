"""`/metrics`: names that would break its text, and a gateway that does not have it."""

from __future__ import annotations

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.routes.metrics import _Told
from gateway.config.settings import ApiSettings, ListenAddress
from gateway.measures import Measures
from gateway.services.metrics import Figures

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = ['a"b', "a\\", "a\nb", '"} 1\ntocsin_modem_up{modem="forged', "é€🚨", "#", "{", " ", "\u2028", "\\n"]


async def test_no_name_breaks_out_of_its_label():
    told = Figures(Measures(), dict.fromkeys(HOSTILE, True), store_answers=True)
    told.queue = {("held", name): 1 for name in HOSTILE}
    told.held = {(name, name): 1 for name in HOSTILE}
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(told))
    found = {each.name: each for each in text_string_to_metric_families(generate_latest(registry).decode())}
    for name, label in (
        ("tocsin_modem_up", "modem"),
        ("tocsin_queue_messages", "category"),
        ("tocsin_held_messages", "rule"),
    ):
        assert {each.labels[label] for each in found[name].samples} == set(HOSTILE), name
        assert len(found[name].samples) == len(HOSTILE)


async def test_it_can_be_taken_away(serve, session: aiohttp.ClientSession):
    for metrics, status in ((False, 404), (True, 200)):
        url = await serve(ApiSettings((ListenAddress("127.0.0.1", 0),), (), (), metrics=metrics))
        async with session.get(url + "/metrics") as answer:
            assert answer.status == status
