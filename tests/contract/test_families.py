"""What the driver makes of each family that the simulated modem can play: two readings of the same facts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from contract.test_modem_contract import Listener, running, tpdu
from support.rigs import LoopbackRig
from support.waiting import eventually

from drivers.events import CallMissed, ModemState
from drivers.gsm.profiles import PROFILES
from drivers.sim import SimSettings

CALLER = "+33639981235"
CREDIT = "Your credit is 5 EUR"
OTHER_SIM = "8933990000000000025"


def callers(listener: Listener) -> list[str | None]:
    return [event.caller for event in listener.events if isinstance(event, CallMissed)]


@pytest.fixture(params=sorted(PROFILES))
async def rig(request: pytest.FixtureRequest) -> Any:
    settings: dict[str, Any] = {"profile": request.param, "ussd": {"*123#": CREDIT}}
    made = LoopbackRig(SimSettings(report_delay=0.01, **settings))
    await made.plug()
    yield made
    await made.close()


async def test_each_family_is_known_and_served(rig: Any) -> None:
    async with running(rig) as (modem, listener):
        await asyncio.wait_for(modem.wait_ready(), 20)
        status = modem.status()
        assert status.profile == rig.simulated.settings.profile
        assert status.iccid == rig.simulated.settings.iccid
        assert status.smsc == rig.simulated.settings.smsc
        assert status.storage_total
        await modem.submit(tpdu())
        await eventually(listener.reports)
        rig.simulated.inject_sms("+33639981234", "hello in")
        await eventually(lambda: "hello in" in listener.texts())
        rig.simulated.call(CALLER)
        await eventually(lambda: callers(listener) == [CALLER])
        supervisor: Any = modem
        assert await supervisor.ussd("*123#", 5) == CREDIT
        assert (await supervisor.converse("AT+CSQ", 5))[-1] == "OK"


async def test_a_swapped_sim_is_noticed_in_each_family(rig: Any) -> None:
    async with running(rig, poll_seconds=0.5) as (modem, _):
        await asyncio.wait_for(modem.wait_ready(), 20)
        rig.simulated.remove_sim()
        await eventually(lambda: modem.status().state is not ModemState.READY)
        rig.simulated.insert_sim(iccid=OTHER_SIM)
        await eventually(lambda: modem.status().iccid == OTHER_SIM, 20)
        await asyncio.wait_for(modem.wait_ready(), 20)
        await modem.submit(tpdu())
