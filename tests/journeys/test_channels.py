"""Channels, whole: that a modem is parked is told through the other one, and what SMS could not bring goes by mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.daemon import client_of, ledger_of, simulated_modems
from support.locked_sim import locked_sim
from support.mail import mail_server
from support.settings import settings_in
from support.waiting import eventually

from gateway.config.settings import ChannelSettings
from gateway.daemon import running_gateway

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CHIEF, REFUSED, AWAY, LATE = (f"+3363998015{at}" for at in range(4))
ANNA = ["mailto:anna@example.org"]


async def test_a_parked_modem_and_what_could_not_arrive(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    refuse = ("--refuse", f"{REFUSED}=1")
    async with (
        locked_sim(tmp_path / "locked", "2846") as locked,
        simulated_modems(tmp_path / "sim", *refuse) as other,
        mail_server() as box,
    ):
        settings = settings_in(
            tmp_path / "state", ports={"locked": str(locked.port), "other": str(other / "modem0")}, language="en"
        )
        settings = replace(
            settings,
            alarms=(f"sms:{CHIEF}", "mailto:ops@example.org"),
            channels=ChannelSettings(mail=box.url),
        )
        async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
            await client.ok("POST", "/v1/optouts", {"number": AWAY})
            failed = await client.send(REFUSED, "Come at nine", fallback=["email", *ANNA])
            suppressed = await client.send(AWAY, "Not for you", fallback=ANNA)
            await client.until(failed["id"], "failed")
            # Nothing leaves any more; what has to be said in time goes the other way.
            await client.ok("POST", "/v1/pause", {"categories": ["transactional"]})
            soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
            late = await client.send(LATE, "The door is open", fallback=ANNA, expires_at=soon)
            unknown = await client.send(LATE, "Nobody", fallback=["email"], expires_at=soon)
            assert [each["code"] for each in unknown["warnings"]] == ["fallback_unreachable"]
            assert (failed["warnings"], suppressed["status"]) == ([], "suppressed")
            alarm = "Tocsin test-1: modem locked needs a person"
            await eventually(lambda: len(box.mails) >= 3, 60, "the mails")
            await eventually(lambda: alarm in ledger_of(tmp_path / "sim"), 60, "the alarm")
            told = sorted((to, text) for (to, _), text in zip(box.mails, box.texts, strict=True))
            assert told == [
                ("anna@example.org", "Come at nine"),
                ("anna@example.org", "The door is open"),
                ("ops@example.org", alarm),
            ]

            async def words(message_id: str) -> list[str]:
                timeline = await client.ok("GET", f"/v1/messages/{message_id}/timeline")
                assert not any("@" in str(item) for item in timeline["items"])
                return [item["event"].removeprefix("message.") for item in timeline["items"] if "fall" in item["event"]]

            for each, word in ((failed, "fallback_sent"), (late, "fallback_sent"), (unknown, "fallback_failed")):
                await eventually(lambda each=each: words(each["id"]), 10, word)
                assert await words(each["id"]) == [word]
            assert await words(suppressed["id"]) == []
