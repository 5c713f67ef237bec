"""A modem that starts anew: what it forgets, and a port that goes away meanwhile and comes back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.rigs import LoopbackRig, Rig, SerialRig, TcpRig
from support.waiting import eventually

from drivers.errors import PortMissing, TransportError, TransportLost
from drivers.events import ModemState, ModemStateChanged
from drivers.sim import SIM_PROFILES, PtyEnd, SimSettings, SimulatedModem, SimulatedPort, TcpEnd
from drivers.transport.serial import SerialTransport
from drivers.transport.tcp import TcpTransport

SENDER = "+33612345678"
RESETS = [(name, command) for name, profile in SIM_PROFILES.items() for command in profile.resets]


class Line:
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost: TransportLost | None = None

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def transport_lost(self, error: TransportLost) -> None:
        self.lost = error


@pytest.mark.parametrize(("profile", "command"), RESETS)
async def test_every_reset_command_starts_it_anew(terminal_for, profile: str, command: str):
    terminal = terminal_for(profile=profile, restart_seconds=0.001, start_seconds=0, chatter_every=0, pin="1234")
    terminal.command('AT+CPIN="1234"')
    await eventually(lambda: terminal.modem.station.start_up.over)
    terminal.command("AT+CMEE=2;+CSMS=1")
    terminal.heard()
    terminal.command(f"AT{command}")
    boot = SIM_PROFILES[profile].boot
    if boot:
        said: list[str] = []
        await eventually(lambda: said.extend(terminal.heard()) or boot[-1] in said)
    await eventually(lambda: terminal.say("AT+CPIN?\r")[:1] == ["+CPIN: SIM PIN"])
    assert terminal.say("AT+CMEE?\r") == ["+CMEE: 0", "OK"]


async def test_nobody_hears_it_while_it_starts(terminal_for):
    terminal = terminal_for(profile="wavecom", restart_seconds=0.05, start_seconds=0, chatter_every=0)
    terminal.modem.restart()
    terminal.heard()
    assert terminal.say("AT\r") == []
    terminal.modem.inject_sms(SENDER, "Hello")
    assert terminal.modem.waiting == 1
    said: list[str] = []
    await eventually(lambda: said.extend(terminal.heard()) or "+WIND: 4" in said)
    assert terminal.modem.waiting == 0
    assert terminal.say("AT\r") == ["OK"]


@pytest.fixture
async def modem() -> AsyncIterator[SimulatedModem]:
    modem = SimulatedModem(SimSettings(profile="quectel", restart_seconds=0.05, start_seconds=0, echo=False))
    yield modem
    modem.close()


async def test_a_pseudo_terminal_goes_and_comes_back_as_another(modem: SimulatedModem, tmp_path: Path):
    end, line = PtyEnd(modem, tmp_path / "modem"), Line()
    await end.open()
    before = (tmp_path / "modem").readlink()
    held = os.open(before, os.O_RDWR | os.O_NOCTTY)
    port = SerialTransport(end.name)
    await port.open(line)
    await port.write(b"AT+CFUN=1,1\r")
    await eventually(lambda: line.lost is not None)
    assert b"\r\nOK\r\n" in line.heard, "the answer was heard"
    await port.close()
    with pytest.raises(TransportError):
        await SerialTransport(end.name).open(Line())
    await eventually((tmp_path / "modem").exists)
    assert (tmp_path / "modem").readlink() != before
    again, line = SerialTransport(end.name), Line()
    await again.open(line)
    await again.write(b"AT\r")
    await eventually(lambda: line.heard.endswith(b"OK\r\n"))
    await again.close()
    await end.close()
    os.close(held)


async def test_a_tcp_port_goes_and_comes_back(modem: SimulatedModem):
    end, line = TcpEnd(modem, "127.0.0.1", 0), Line()
    await end.open()
    port = TcpTransport(end.name)
    await port.open(line)
    await port.write(b"AT+CFUN=1,1\r")
    await eventually(lambda: line.lost is not None)
    await port.close()

    async def reopened() -> TcpTransport | None:
        again = TcpTransport(end.name)
        try:
            await again.open(line)
        except TransportError:
            return None
        return again

    again = await eventually(reopened)
    await eventually(lambda: b"+QIND: PB DONE" in line.heard)
    await again.close()
    await end.close()


async def test_a_port_in_this_process_goes_and_comes_back(modem: SimulatedModem):
    line, port = Line(), SimulatedPort(modem)
    await port.open(line)
    await port.write(b"AT+CFUN=1,1\r")
    await eventually(lambda: line.lost is not None)
    await port.close()
    with pytest.raises(PortMissing):
        await SimulatedPort(modem).open(Line())

    async def reopened() -> SimulatedPort | None:
        again = SimulatedPort(modem)
        try:
            await again.open(line)
        except TransportError:
            return None
        return again

    again = await eventually(reopened)
    await eventually(lambda: b"RDY" in line.heard)
    await again.close()


async def test_an_end_that_is_closed_meanwhile_stays_closed(modem: SimulatedModem, tmp_path: Path):
    end = PtyEnd(modem, tmp_path / "modem")
    await end.open()
    modem.restart()
    await eventually(lambda: not (tmp_path / "modem").is_symlink())
    await end.close()
    other = PtyEnd(modem, tmp_path / "other")
    await other.open()
    assert not (tmp_path / "modem").is_symlink()
    await other.close()


@pytest.fixture(params=["serial", "tcp", "loopback"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    settings = SimSettings(profile="huawei", restart_seconds=0.05, start_seconds=0)
    rigs = {"serial": lambda: SerialRig(settings, tmp_path), "tcp": lambda: TcpRig(settings)}
    made = rigs.get(request.param, lambda: LoopbackRig(settings))()
    await made.plug()
    yield made
    await made.close()


async def test_the_driver_finds_it_again(rig: Rig):
    supervisor = rig.supervise()
    states: list[ModemState] = []

    async def listen() -> None:
        async for event in supervisor.events():
            match event:
                case ModemStateChanged(state):
                    states.append(state)

    listening = asyncio.create_task(listen())
    await supervisor.start()
    try:
        await supervisor.wait_ready()
        rig.simulated.restart()
        # By what it tells: the loss may be over before anybody looks.
        await eventually(lambda: states.count(ModemState.READY) == 2)
        assert states[-2] is not ModemState.READY
    finally:
        await supervisor.stop()
        await listening
