"""A SIM that is swapped for another while messages are sent, in each family, whatever the family says of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from contract.test_modem_contract import running, tpdu
from support.rigs import LoopbackRig
from support.waiting import eventually

from drivers.errors import DriverError
from drivers.events import ModemState
from drivers.gsm.profiles import PROFILES
from drivers.sim import SimSettings

OTHER_SIM = "8933990000000000025"
# The look that is taken by itself comes too late to help.
SELDOM = 3600.0


@pytest.fixture(params=sorted(PROFILES))
async def rig(request: pytest.FixtureRequest) -> Any:
    made = LoopbackRig(SimSettings(profile=request.param))
    await made.plug()
    yield made
    await made.close()


async def swap(modem: Any, rig: Any, seconds: float, *, quietly: bool) -> None:
    """Begin to swap it; `quietly` when nothing is sent before the modem has told of it: no refusal shows it then."""
    rig.simulated.remove_sim()
    asyncio.get_running_loop().call_later(seconds, rig.simulated.insert_sim, OTHER_SIM)
    if quietly:
        await eventually(lambda: modem.status().state is not ModemState.READY)


async def send_meanwhile(modem: Any, rig: Any, sent: list[tuple[str | None, str]]) -> None:
    """Submit without a pause; of each one that went, by which SIM the gateway meant it to go, and by which it went."""
    while True:
        await modem.wait_ready()
        meant, before = modem.status().iccid, len(rig.simulated.submissions)
        try:
            await modem.submit(tpdu())
        except DriverError:
            await asyncio.sleep(0)
        if len(rig.simulated.submissions) > before:
            sent.append((meant, rig.simulated.station.card.iccid))


@pytest.mark.parametrize("quietly", [True, False])
@pytest.mark.parametrize("seconds", [0.2, pytest.param(0.8, marks=pytest.mark.long)])
async def test_nothing_goes_through_a_sim_that_is_not_known(rig: Any, seconds: float, quietly: bool, tell: Any) -> None:
    async with running(rig, poll_seconds=SELDOM) as (modem, _):
        await asyncio.wait_for(modem.wait_ready(), 20)
        sent: list[tuple[str | None, str]] = []
        await swap(modem, rig, seconds, quietly=quietly)
        sender = asyncio.create_task(send_meanwhile(modem, rig, sent))
        try:
            await eventually(lambda: sum(went == OTHER_SIM for _, went in sent) >= 3, 30)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        wrong = sum(meant != went for meant, went in sent)
        family = rig.simulated.settings.profile
        tell(f"M07: {family}: a SIM swapped in {seconds} s: {wrong} of {len(sent)} parts through one that is not known")
        assert wrong == 0


@pytest.mark.parametrize("quietly", [True, False])
@pytest.mark.parametrize("seconds", [0.2, pytest.param(0.8, marks=pytest.mark.long)])
async def test_a_sim_that_is_not_the_configured_one_sends_nothing(rig: Any, seconds: float, quietly: bool) -> None:
    async with running(rig, poll_seconds=SELDOM, iccid=rig.simulated.settings.iccid) as (modem, _):
        await asyncio.wait_for(modem.wait_ready(), 20)
        sent: list[tuple[str | None, str]] = []
        await swap(modem, rig, seconds, quietly=quietly)
        sender = asyncio.create_task(send_meanwhile(modem, rig, sent))
        try:
            await eventually(lambda: modem.status().state is ModemState.PARKED, 30)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        assert [went for _, went in sent if went == OTHER_SIM] == []
