"""A token that only tests touches no real modem, whatever its scopes."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from support.clock import ManualClock
from support.http import Api
from support.settings import settings_in
from support.waiting import eventually

from gateway.daemon import running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

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
        assert (await states(admin))["real"] != "paused"
        assert not (settings.gateway.state_dir / "traces" / "real.trace").exists()
        # The same on a simulated modem, and with a token that does not only test.
        for api, name in ((trial, "sim1"), (admin, "real")):
            found = await answers(api, name)
            assert 403 not in {status for status, _ in found.values()}, found
            assert found["POST pause"] == (200, "")
