"""A token that only tests touches no real modem, whatever its scopes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from support.clock import ManualClock
from support.http import Api
from support.settings import category, settings_in
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339
from gateway.daemon import running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

LATER = "2026-02-01T10:00:00Z"
# Nobody listens there: a modem that is not simulated, and absent.
REAL = "socket://127.0.0.1:9"
ACTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("POST", "pause", {}),
    ("POST", "resume", {}),
    ("POST", "reset", {}),
    ("POST", "unlock", {}),
    ("POST", "at", {"command": "AT+CSQ"}),
    ("POST", "ussd", {"code": "#123#"}),
    ("POST", "trace", {"seconds": 60}),
    ("DELETE", "trace", {}),
    ("POST", "simulate", {"from": "Clinic", "text": "x"}),
)


async def test_a_test_token_does_nothing_to_a_real_modem(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    settings = settings_in(tmp_path, ports={"real": REAL, "sim1": "simulated:"})
    async with running_gateway(settings, ManualClock()) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)
        made = await admin.post("/v1/tokens", {"name": "trial", "scopes": ["admin"], "test": True})
        trial = admin.with_token(made.document["token"])

        async def states(api: Api) -> dict[str, str]:
            return {each["name"]: each["state"] for each in (await api.get("/v1/modems")).items}

        async def simulated_ready() -> bool:
            return (await states(trial))["sim1"] == "ready"

        await eventually(simulated_ready, 20)

        async def answers(api: Api, name: str) -> dict[str, tuple[int, str]]:
            found: dict[str, tuple[int, str]] = {}
            for method, path, body in ACTS:
                target = f"/v1/modems/{name}/{path}"
                answer = await (api.post(target, body) if method == "POST" else api.delete(target))
                found[f"{method} {path}"] = answer.status, answer.code if answer.status >= 400 else ""
            return found

        for name in ("real", "test-1:real"):
            assert set((await answers(trial, name)).values()) == {(403, "real_modem_refused")}
        await _refused_what_is_no_test(admin, trial)
        assert (await states(admin))["real"] != "paused"
        assert not (settings.gateway.state_dir / "traces" / "real.trace").exists()
        # The same on a simulated modem, and with a token that does not only test.
        for api, name in ((trial, "sim1"), (admin, "real")):
            found = await answers(api, name)
            assert 403 not in {status for status, _ in found.values()}, found
            assert found["POST pause"] == (200, "")


async def test_a_test_token_sees_and_changes_nothing_of_real_people(
    tmp_path: Path, session: aiohttp.ClientSession, tell
) -> None:
    """Whatever its scopes: messages, replies, opt-outs, consents, endpoints, events."""
    ports, news = {"real": REAL, "sim1": "simulated:"}, category("news", consent="opt_in")
    async with running_gateway(settings_in(tmp_path, ports=ports, categories=(news,)), ManualClock()) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)
        made = await admin.post("/v1/tokens", {"name": "trial", "scopes": ["admin"], "test": True})
        trial = admin.with_token(made.document["token"])
        person, nobody = "+33612345678", "+33639980004"
        consent = {"category": "news", "state": "given", "channel": "paper", "wording": "I agree"}
        live = (await admin.post("/v1/messages", {"to": person, "text": "x"})).document["id"]
        await admin.post("/v1/optouts", {"number": person})
        await admin.post("/v1/consents", {"number": person, **consent})
        hook = (await admin.post("/v1/webhooks", {"url": "https://192.0.2.1/hook"})).document["id"]
        refused = [
            await trial.post("/v1/optouts", {"number": "+33612345679"}),
            await trial.delete("/v1/optouts?number=%2B33612345678"),
            await trial.post("/v1/consents", {"number": person, **consent}),
            await trial.post("/v1/modems/sim1/simulate", {"from": person, "text": "STOP"}),
            await trial.post("/v1/webhooks", {"url": "https://192.0.2.1/mine"}),
            await trial.ask("PATCH", f"/v1/webhooks/{hook}", json={"url": "https://192.0.2.1/mine"}),
            await trial.delete(f"/v1/webhooks/{hook}"),
            await trial.get(f"/v1/webhooks/{hook}/secret"),
            *[await trial.post(f"/v1/webhooks/{hook}/{verb}") for verb in ("rotate", "enable", "test")],
            await trial.post(f"/v1/webhooks/{hook}/replay", {}),
            await trial.post("/v1/reviews/" + "0" * 32, {"as": "stop"}),
            await trial.post("/v1/clock/confirm"),
        ]
        assert {(each.status, each.code) for each in refused} == {(403, "test_token")}
        for path in (f"/v1/messages/{live}", f"/v1/messages/{live}/timeline"):
            assert (await trial.get(path)).status == 404
        # What it does to the people of the test network counts, and it sees that alone.
        await trial.post("/v1/modems/sim1/simulate", {"from": "Clinic", "text": "Hello"})
        assert (await trial.post("/v1/optouts", {"number": nobody})).status == 201
        assert (await trial.post("/v1/consents", {"number": nobody, **consent})).status == 201
        mine = (await trial.post("/v1/messages", {"to": person, "text": "x", "send_at": LATER})).document["id"]

        async def heard() -> bool:
            return [each["from"] for each in (await trial.get("/v1/inbox")).items] == ["Clinic"]

        await eventually(heard, 20)
        assert [each["id"] for each in (await trial.get("/v1/messages")).items] == [mine]
        for path in ("/v1/optouts", "/v1/consents"):
            assert {each["number"] for each in (await trial.get(path)).items} == {nobody}
            assert {each["number"] for each in (await admin.get(path)).items} == {nobody, person}
        assert (await trial.delete("/v1/optouts?number=%2B33639980004")).status == 200
        assert len((await admin.get("/v1/messages")).items) == 2
        tell(f"a test token with every scope: {len(refused)} ways to touch real people's state, all refused")


async def _refused_what_is_no_test(admin: Api, trial: Api) -> None:
    """What would make a real modem send, or keep it from that."""
    live = (await admin.post("/v1/messages", {"to": "+33612345678", "text": "x", "reference": "r"})).document["id"]
    message = f"/v1/messages/{live}"
    refused = [
        await trial.post("/v1/tokens", {"name": "more", "scopes": ["send"]}),
        await trial.delete("/v1/tokens/cli"),
        await trial.post("/v1/pause"),
        await trial.post("/v1/resume"),
        await trial.post(f"{message}/cancel"),
        await trial.post(f"{message}/resolve", {"as": "resend"}),
    ]
    assert {(each.status, each.code) for each in refused} == {(403, "test_token")}
    assert (await trial.delete("/v1/messages?reference=r")).items == []
    assert (await admin.get(message)).document["status"] == "queued"
    made = await trial.post("/v1/tokens", {"name": "less", "scopes": ["send"], "test": True})
    assert made.status == 201
    assert (await trial.delete("/v1/tokens/less")).status == 200
    mine = (await trial.post("/v1/messages", {"to": "+33612345678", "text": "x", "send_at": LATER})).document["id"]
    assert (await trial.post(f"/v1/messages/{mine}/cancel")).status == 200


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_a_token_expires_at_its_instant(
    tmp_path: Path, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, tell
) -> None:
    caplog.set_level("DEBUG")
    clock = ManualClock()
    async with running_gateway(settings_in(tmp_path), clock) as gateway:
        admin = Api(session, gateway.url, gateway.admin_token)
        until_us = clock.now_us() + 3600 * SECOND_US
        asked = {"name": "guest", "scopes": ["send", "read"], "expires_at": rfc3339(until_us), "rate": "2/1m"}
        secret = (await admin.post("/v1/tokens", asked)).document["token"]
        guest = admin.with_token(secret)
        body = {"to": "+33612345678", "text": "x", "send_at": LATER, "expires_at": "2026-03-01T00:00:00Z"}
        left = [(await guest.post("/v1/messages", body | {"text": f"{at}"})) for at in range(3)]
        assert [each.status for each in left] == [202, 202, 429]
        assert (left[2].code, left[2].headers["retry-after"]) == ("rate_limited", "60")
        clock.advance(timedelta(microseconds=3600 * SECOND_US - 1))
        assert (await guest.get("/v1/messages")).status == 200
        clock.advance(timedelta(microseconds=1))
        late = await guest.get("/v1/messages")
        assert (late.status, late.code) == (401, "unauthorized")
        (listed,) = [each for each in (await admin.get("/v1/tokens")).items if each["name"] == "guest"]
        assert (listed["expires_at"], listed["revoked_at"]) == (rfc3339(until_us), None)
        assert secret not in str(listed)
        # Of random octets, 16 at least.
        assert len(secret.removeprefix("tocsin_")) * 6 >= 128
        assert admin.token is not None
        places = _files(tmp_path)
        found = sum(secret.encode() in each for each in places) + (secret in caplog.text)
        assert len(places) > 3
        assert found + sum(admin.token.encode() in each for each in places) == 1, "cli.token alone"
        tell(f"A02: a token's secret in {len(places)} files (store, WAL, journals) and the log: {found} hits")
        # What it handed in leaves all the same.
        assert (await admin.get(f"/v1/messages/{left[0].document['id']}")).document["status"] == "held"
