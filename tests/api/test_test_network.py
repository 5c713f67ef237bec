"""The network of test tokens: nine people who take messages in nine ways, beside a real modem that is not touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.http import Api
from support.settings import settings_in
from support.waiting import eventually

from gateway.clock import SECOND_US, SystemClock, rfc3339
from gateway.daemon import running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Nobody listens there: a modem that is not simulated, and absent.
REAL = "socket://127.0.0.1:9"
#: What becomes of a message to +33 6 39 98 00 0N, and the code of its error.
OUTCOMES = {
    1: ("delivered", None),
    2: ("undelivered", "tp_st_46"),
    3: ("sent", None),
    4: ("delivered", None),
    5: ("delivered", None),
    6: ("uncertain", "cms_332"),
    7: ("held", None),
    8: ("sent", None),
    9: ("failed", "cms_1"),
}


def number_of(last: int) -> str:
    return f"+3363998000{last}"


@pytest.mark.parametrize("others", [{}, {"sim1": "simulated:"}], ids=["alone", "beside a simulated modem"])
async def test_each_of_the_nine_plays_its_part(
    tmp_path: Path, session: aiohttp.ClientSession, others: dict[str, str]
) -> None:
    async with running_gateway(settings_in(tmp_path, ports={"real": REAL, **others})) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)
        made = await admin.post("/v1/tokens", {"name": "trial", "scopes": ["send", "read"], "test": True})
        trial = admin.with_token(made.document["token"])
        sent: dict[int, Any] = {}
        for last in [*OUTCOMES, 99]:
            to = number_of(last) if last in OUTCOMES else "+33639980199"
            answer = await trial.post("/v1/messages", {"to": to, "text": "Bonjour"})
            assert (answer.status, answer.document["simulated"]) == (202, True)
            sent[last] = answer.document["id"]

        async def found() -> dict[int, tuple[str, str | None]]:
            messages = {last: (await trial.get(f"/v1/messages/{each}")).document for last, each in sent.items()}
            codes = {last: each["error"] and each["error"]["code"] for last, each in messages.items()}
            return {last: (each["status"], codes[last]) for last, each in messages.items()}

        wanted = {**OUTCOMES, 99: ("delivered", None)}

        async def played() -> bool:
            return {last: word for last, (word, _) in (await found()).items()} == {
                last: word for last, (word, _) in wanted.items()
            }

        await eventually(played, 20)
        assert await found() == wanted
        full = (await trial.get(f"/v1/messages/{sent[7]}")).document
        assert full["hold"]["rule"] == "sim_limit"
        assert full["hold"]["until"] > full["created_at"]
        assert [each["id"] for each in (await trial.get("/v1/messages?status=held")).items] == [sent[7]]
        inbox = (await admin.get("/v1/inbox")).items
        assert {(each["from"], each["text"]) for each in inbox} == {(number_of(4), "STOP"), (number_of(5), "OUI")}
        assert {each["name"] for each in (await admin.get("/v1/modems")).items} == {"real", *others}
        # Whoever stopped is not written to any more; what confirms it went through the same network.
        again = (await trial.post("/v1/messages", {"to": number_of(4), "text": "Encore"})).document
        assert (again["status"], again["error"]["code"]) == ("suppressed", "opt_out")
        replies = [each for each in (await admin.get("/v1/messages")).items if each["id"] not in {*sent.values()}]
        assert [each["simulated"] for each in replies if each["id"] != again["id"]] == [True]


async def test_it_makes_no_gateway_ready(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with running_gateway(settings_in(tmp_path, ports={"real": REAL})) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)
        await admin.post("/v1/tokens", {"name": "trial", "scopes": ["send"], "test": True})
        assert (await admin.get("/readyz")).status == 503


async def test_what_waits_leaves_after_the_last_test_token_is_gone(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    settings = settings_in(tmp_path, ports={"real": REAL})
    async with running_gateway(settings) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)
        made = await admin.post("/v1/tokens", {"name": "trial", "scopes": ["send", "read"], "test": True})
        later = {"to": number_of(1), "text": "Bonjour", "send_at": rfc3339(SystemClock().now_us() + 2 * SECOND_US)}
        sent = (await admin.with_token(made.document["token"]).post("/v1/messages", later)).document
        assert (await admin.delete("/v1/tokens/trial")).status == 200
    async with running_gateway(settings) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)

        async def arrived() -> bool:
            return (await admin.get(f"/v1/messages/{sent['id']}")).document["status"] == "delivered"

        await eventually(arrived, 20)
