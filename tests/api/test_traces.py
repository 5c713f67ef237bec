"""Wire traces over HTTP, and by the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.clock import START_US, ManualClock
from support.http import Api
from support.settings import settings_in
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339
from gateway.daemon import Gateway, running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_trace_is_a_file_of_the_gateways(api: Api) -> None:
    answer = await api.post("/v1/modems/sim1/trace", {"seconds": 60})
    assert answer.status == 200
    trace = answer.document
    assert list(trace) == ["file", "offset", "until", "redacted"]
    assert (trace["until"], trace["redacted"]) == (rfc3339(START_US + 60 * SECOND_US), True)
    assert Path(trace["file"]).parts[-2:] == ("traces", "sim1.trace")
    assert (await api.post("/v1/modems/sim1/simulate", {"from": "Clinic", "text": "x"})).status == 202
    await eventually(lambda: "+CMG" in Path(trace["file"]).read_text())
    stopped = await api.delete("/v1/modems/sim1/trace")
    assert (stopped.status, stopped.document) == (200, {})
    again = await api.post("/v1/modems/test-1:sim1/trace", {"seconds": 60})
    assert again.document["offset"] > trace["offset"]
    assert (await api.delete("/v1/modems/sim1/trace")).status == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/seconds"), ({"seconds": 0}, "/seconds"), ({"seconds": 86401}, "/seconds"), ({"seconds": "9"}, "/seconds")],
)
async def test_how_long_is_said_and_bounded(api: Api, body: dict[str, object], pointer: str) -> None:
    answer = await api.post("/v1/modems/sim1/trace", body)
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_no_such_modem(api: Api) -> None:
    assert (await api.post("/v1/modems/other:sim1/trace", {"seconds": 1})).code == "modem_not_found"
    assert (await api.delete("/v1/modems/sim9/trace")).code == "modem_not_found"


async def test_only_for_administrators(holder: Any) -> None:
    sender = await holder("send", "read:all", "contacts")
    assert (await sender.post("/v1/modems/sim1/trace", {"seconds": 1})).status == 403
    assert (await sender.delete("/v1/modems/sim1/trace")).status == 403


async def test_the_whole_start_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_TRACE", "1")
    settings = settings_in(tmp_path)
    async with running_gateway(settings, ManualClock()) as gateway:
        assert isinstance(gateway, Gateway)
    text = (settings.gateway.state_dir / "traces" / "sim1.trace").read_text()
    assert text.split("\n")[0].endswith("port simulated:")
    assert " > AT+CMGF?<CR>" in text
    assert text.splitlines()[-2].endswith("! closed")
    assert text.splitlines()[-1].endswith("! the trace ends")
