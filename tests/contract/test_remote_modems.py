"""Modems behind a serial server: the connection is cut anywhere, goes dead without a word, or begins with a banner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from support.looker import Looker
from support.rigs import QUICK
from support.serial_server import SerialServer
from support.waiting import eventually

from drivers.catalogue import build_modem
from drivers.errors import ModemNotReady, SubmitUncertain
from drivers.events import (
    DeliverReceived,
    ModemState,
    ModemStateChanged,
    StatusReportReceived,
    SubmitAnsweredLate,
    WireWitness,
)
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings, SimulatedModem
from drivers.tpdu import Address, SmsSubmit, build_submits, join_text, segment

TO, FROM = "+33639981299", "+33612345678"
BANNER = b"\r\nser2net port 4001 device /dev/ttyUSB2 [115200 N81] (Debian GNU/Linux)\r\nOK\r\n> ERROR\r\n\r\n"


class Remote:
    """A modem far away, and the driver here."""

    def __init__(self) -> None:
        self.modem = SimulatedModem(SimSettings(start_seconds=0.0))
        self.server = SerialServer(self.modem)
        self.texts: list[str] = []
        self.driver: ModemSupervisor
        self._listening: asyncio.Task[None]

    async def start(self) -> None:
        await self.server.open()
        await self.start_driver()

    async def start_driver(self) -> None:
        self.driver = build_modem(ModemSettings("m", self.server.url, deadlines=QUICK))
        self._listening = asyncio.create_task(self._listen())
        await self.driver.start()

    async def _listen(self) -> None:
        async for event in self.driver.events():
            if isinstance(event, DeliverReceived | StatusReportReceived):
                if isinstance(event, DeliverReceived):
                    self.texts.append(join_text([event.deliver]))
                await self.driver.acknowledge(event.receipt)
            else:
                assert isinstance(event, ModemStateChanged | SubmitAnsweredLate)

    async def ready(self) -> None:
        await asyncio.wait_for(self.driver.wait_ready(), 10)

    async def submit(self, text: str, witness: WireWitness | None = None) -> int:
        submits = build_submits(
            segment(text), Address.from_text(TO), reference=1, validity=timedelta(hours=1), status_report=False
        )
        return (await self.driver.submit(submits[0].to_bytes(), witness)).reference

    def sent(self, text: str) -> int:
        """How often the modem has sent it."""
        return sum(SmsSubmit.from_bytes(one.tpdu).tp_ud.text == text for one in self.modem.submissions)

    async def close(self) -> None:
        await asyncio.wait_for(self.driver.stop(), 20)
        await self._listening
        await self.server.close()
        self.modem.close()


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    made = Remote()
    yield made
    await made.close()


async def test_a_banner_does_no_harm(remote: Remote) -> None:
    remote.server.banner = BANNER
    await remote.start()
    await remote.ready()
    assert await remote.submit("Hello") == remote.modem.submissions[-1].tp_mr
    remote.modem.inject_sms(FROM, "in")
    await eventually(lambda: remote.texts == ["in"])
    status = remote.driver.status()
    assert status.imei == remote.modem.settings.imei
    assert status.manufacturer == "Tocsin"


@pytest.mark.parametrize("step", [pytest.param(4, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
async def test_the_connection_is_cut_at_every_octet_of_a_submit(
    remote: Remote, tell: Callable[[str], None], step: int
) -> None:
    await remote.start()
    certain = uncertain = untouched = 0
    places = range(1, 50, step)
    for octets in places:
        text = f"cut after {octets}"
        await remote.ready()
        remote.server.cut_after = octets
        try:
            reference = await remote.submit(text)
        except SubmitUncertain:
            uncertain += 1
            assert remote.sent(text) <= 1
        except ModemNotReady:
            untouched += 1
            assert remote.sent(text) == 0
        else:
            certain += 1
            assert remote.sent(text) == 1
            assert reference == remote.modem.submissions[-1].tp_mr
        remote.server.cut_after = None
    await remote.ready()
    await remote.submit("the end")
    assert remote.sent("the end") == 1
    assert certain
    assert uncertain
    assert untouched
    figures = f"{certain} sent, {uncertain} uncertain, {untouched} not sent, wrong 0"
    tell(f"remote: a connection cut at {len(places)} octets of a submit: {figures}")


async def test_a_message_that_came_while_the_connection_was_gone_is_told_once(remote: Remote) -> None:
    await remote.start()
    await remote.ready()
    remote.server.refusing = True
    remote.server.hang_up()
    await eventually(lambda: remote.driver.status().state in {ModemState.ABSENT, ModemState.REPAIRING})
    remote.modem.inject_sms(FROM, "meanwhile")
    await eventually(lambda: remote.server.refused >= 1, 10)
    remote.server.refusing = False
    await remote.ready()
    await eventually(lambda: remote.texts == ["meanwhile"])
    assert await remote.submit("after") == remote.modem.submissions[-1].tp_mr
    assert remote.texts == ["meanwhile"]


async def test_a_connection_that_is_half_open_is_found_by_a_deadline(remote: Remote) -> None:
    await remote.start()
    await remote.ready()
    remote.server.abandon()  # no FIN and no RST: as after a power cut at the other end
    with pytest.raises((SubmitUncertain, ModemNotReady)):
        await remote.submit("into the void")
    assert remote.sent("into the void") == 0
    await remote.ready()
    assert remote.server.clients == 2
    await remote.submit("again")
    assert remote.sent("again") == 1


async def test_a_connection_goes_dead_while_the_answer_is_awaited(remote: Remote) -> None:
    object.__setattr__(remote.modem.settings, "latency", 0.2)
    await remote.start()
    await remote.ready()
    witness = Looker()
    submit = asyncio.create_task(remote.submit("on its way", witness))
    await asyncio.wait_for(witness.ended.wait(), 5)
    await eventually(lambda: remote.server.passed.endswith(b"\x1a"))
    remote.server.abandon()
    with pytest.raises(SubmitUncertain) as caught:
        await submit
    assert caught.value.cause == "timeout"
    await eventually(lambda: remote.server.clients == 2, 15)
    await remote.ready()
    await eventually(lambda: remote.sent("on its way") == 1)


async def test_who_holds_the_line_is_waited_for(remote: Remote) -> None:
    await remote.server.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", remote.server.port)
    await eventually(lambda: remote.server.clients == 1)
    await remote.start_driver()
    await eventually(lambda: remote.server.refused >= 2, 10)
    assert remote.driver.status().state in {ModemState.REPAIRING, ModemState.ABSENT}
    writer.close()
    await reader.read()
    await remote.ready()
    assert await remote.submit("my turn") == remote.modem.submissions[-1].tp_mr
