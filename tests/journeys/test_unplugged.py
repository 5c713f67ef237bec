"""A stick is pulled out in the middle of everything and comes back as another tty: the whole gateway, over HTTP.

What the simulated network took is the truth: each text once, none missing, and none through another SIM.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.daemon import Client, client_of
from support.settings import settings_in
from support.usb import Stick, Trap, Usb
from support.waiting import eventually

from drivers.sim import SimSettings, SimulatedModem
from drivers.sim.network import SimulatedNetwork
from drivers.sim.settings import numbered
from drivers.tpdu import SmsSubmit
from gateway import failpoints
from gateway.daemon import running_gateway

PERSON = "+33639984301"
OTHER = "+33639984302"
#: What is promised: the modem sends again so soon after its port is back.
SOON_S = 5.0


@dataclass
class Scene:
    """One stick, a gateway that names it, and a client."""

    usb: Usb
    stick: Stick
    client: Client
    plugged: float = 0.0

    async def state(self, *words: str, name: str = "m1") -> None:
        async def reached() -> bool:
            modems = (await self.client.ok("GET", "/v1/modems"))["items"]
            return any(modem["name"] == name and modem["state"] in words for modem in modems)

        await eventually(reached, 30, f"{name} in {words}")

    def texts(self, stick: Stick | None = None) -> list[str]:
        return texts_of(stick or self.stick)

    def pull(self) -> None:
        if self.stick.lines:
            self.usb.unplug(self.stick)

    async def back(self, first_tty: int = 10) -> None:
        """Plugged in under other numbers, once it has been missed."""
        await self.state("absent")
        self.usb.plug(self.stick, "1-1.4", first_tty)
        self.plugged = time.monotonic()

    async def sends(self, text: str) -> float:
        """How long after its return the stick has sent this text, in seconds."""
        await eventually(lambda: text in self.texts(), 30, "the next text on the air")
        return time.monotonic() - self.plugged


def texts_of(stick: Stick) -> list[str]:
    return [SmsSubmit.from_bytes(one.tpdu).tp_ud.text or "" for one in stick.modem.submissions]


def sticks_on(network: SimulatedNetwork, count: int, **more: object) -> list[Stick]:
    template = SimSettings(**more)  # type: ignore[arg-type]
    return [Stick(SimulatedModem(numbered(template, index), network)) for index in range(count)]


@pytest.fixture
async def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Usb]:
    made = Usb(tmp_path / "machine", udev=False)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@pytest.fixture
async def scene(usb: Usb, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    (stick,) = sticks_on(SimulatedNetwork(), 1, report_delay=0.5)
    form = getattr(request, "param", "imei")
    port = f"imei:{stick.modem.settings.imei}" if form == "imei" else "usb:1-1.4"
    settings = settings_in(tmp_path, ports={"m1": port})
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        yield Scene(usb, stick, client)


@pytest.fixture
def at_place() -> Iterator[Callable[[str, Callable[[], None]], None]]:
    """Calls something the first time that the daemon comes to a place."""

    def arm(place: str, act: Callable[[], None]) -> None:
        def reached(name: str) -> None:
            if name == place:
                failpoints.arm(lambda _name: None)
                act()

        failpoints.arm(reached)

    yield arm
    failpoints.arm(lambda _name: None)


STEPS = {
    "after AT+CMGS": Trap(b"+CMGS="),
    "at the prompt": Trap(b"\r\n> ", told=True),
    "in the answer": Trap(b"+CMGS:", told=True),
}


def told(tell: Callable[[str], None], step: str, seconds: float) -> None:
    tell(f"M06: unplugged {step}, back under another name: sending {seconds:.1f} s after, each text once")
    assert seconds < SOON_S


@pytest.mark.parametrize("scene", ["imei", "usb"], indirect=True)
async def test_m06_idle(scene: Scene, tell: Callable[[str], None]) -> None:
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    scene.pull()
    sent = await scene.client.send(PERSON, "while it is away")
    await scene.back()
    told(tell, "idle", await scene.sends("while it is away"))
    await scene.client.until(sent["id"], "delivered")
    assert scene.texts() == ["while it is away"]


@pytest.mark.parametrize("scene", ["imei"], indirect=True)
@pytest.mark.parametrize("step", ["after AT+CMGS", "at the prompt"])
async def test_m06_before_the_pdu(scene: Scene, step: str, tell: Callable[[str], None]) -> None:
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    trap = scene.stick.arm(replace(STEPS[step], sprung=asyncio.Event()))
    sent = await scene.client.send(PERSON, step)
    await asyncio.wait_for(trap.sprung.wait(), 20)
    await scene.back()
    told(tell, step, await scene.sends(step))
    await scene.client.until(sent["id"], "delivered")
    assert scene.texts() == [step]


@pytest.mark.parametrize("place", ["prompted", "journaled"])
async def test_m06_mid_pdu(
    scene: Scene, place: str, at_place: Callable[..., None], tell: Callable[[str], None]
) -> None:
    """At the prompt before the first octet, and with every octet typed but Ctrl-Z."""
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    at_place(place, scene.pull)
    sent = await scene.client.send(PERSON, "half typed", on_uncertain="hold")
    await scene.back()
    told(tell, f"mid-PDU ({place})", await scene.sends("half typed"))
    await scene.client.until(sent["id"], "delivered")
    assert scene.texts() == ["half typed"]


@pytest.mark.parametrize("scene", ["imei", "usb"], indirect=True)
@pytest.mark.parametrize("taken", [True, False])
async def test_m06_after_ctrl_z_before_the_answer(scene: Scene, taken: bool, tell: Callable[[str], None]) -> None:
    """Nobody can know whether the network has it: it is not sent again, and its report, if one comes, says so."""
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    trap = scene.stick.arm(Trap(b"\x1a", reaches=taken))
    sent = await scene.client.send(PERSON, "in doubt", on_uncertain="hold")
    await asyncio.wait_for(trap.sprung.wait(), 20)
    await scene.client.until(sent["id"], "uncertain")
    then = await scene.client.send(OTHER, "the next one")
    await scene.back()
    told(tell, f"after Ctrl-Z ({'taken' if taken else 'not taken'} by the network)", await scene.sends("the next one"))
    await scene.client.until(then["id"], "delivered")
    await scene.client.until(sent["id"], "delivered" if taken else "uncertain")
    assert scene.texts() == ["in doubt", "the next one"][0 if taken else 1 :]


async def test_m06_in_the_answer(scene: Scene, tell: Callable[[str], None]) -> None:
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    trap = scene.stick.arm(replace(STEPS["in the answer"], sprung=asyncio.Event()))
    sent = await scene.client.send(PERSON, "answered", on_uncertain="hold")
    await asyncio.wait_for(trap.sprung.wait(), 20)
    then = await scene.client.send(OTHER, "the next one")
    await scene.back()
    told(tell, "in the answer", await scene.sends("the next one"))
    for one in (sent, then):
        await scene.client.until(one["id"], "delivered")
    assert scene.texts() == ["answered", "the next one"]


async def test_m06_before_the_report(scene: Scene, tell: Callable[[str], None]) -> None:
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    sent = await scene.client.send(PERSON, "sent")
    await scene.client.until(sent["id"], "sent")
    scene.pull()
    then = await scene.client.send(OTHER, "the next one")
    await scene.back()
    told(tell, "before the report", await scene.sends("the next one"))
    for one in (sent, then):
        await scene.client.until(one["id"], "delivered")
    assert scene.texts() == ["sent", "the next one"]


@pytest.mark.parametrize("octets", [b"AT+CMGR", b"AT+CMGL", b"AT+CMGD"])
async def test_m06_reading_a_message(scene: Scene, octets: bytes, tell: Callable[[str], None]) -> None:
    """Before it is read, and before its slot is freed: it is in the inbox once."""
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await scene.state("ready")
    trap = scene.stick.arm(Trap(octets))
    scene.stick.modem.inject_sms(PERSON, "Oui")
    if octets == b"AT+CMGL":
        # What is read by its index is told; the list is asked for when the modem is set up.
        scene.pull()
        scene.usb.plug(scene.stick, "1-1.4", 5)
        scene.stick.arm(trap)
    await asyncio.wait_for(trap.sprung.wait(), 30)
    then = await scene.client.send(OTHER, "the next one")
    await scene.back()
    told(tell, f"at {octets.decode()}", await scene.sends("the next one"))

    async def inbox() -> list[str]:
        return [item["text"] for item in (await scene.client.ok("GET", "/v1/inbox"))["items"]]

    assert await eventually(inbox, 20, "the message in the inbox") == ["Oui"]
    await eventually(lambda: not [*scene.stick.modem.station.equipment.storages["MT"].items()], 20, "a free slot")
    await scene.client.until(then["id"], "delivered")
    assert await inbox() == ["Oui"]


@pytest.mark.parametrize("octets", [b"AT+CMEE", b"AT+CGSN", b"AT+CPIN?", b"AT+CMGF", b"AT+CPMS", b"AT+CNMI"])
async def test_m06_during_initialisation(scene: Scene, octets: bytes, tell: Callable[[str], None]) -> None:
    trap = scene.stick.arm(Trap(octets))
    scene.usb.plug(scene.stick, "1-1.4", 0)
    await asyncio.wait_for(trap.sprung.wait(), 20)
    sent = await scene.client.send(PERSON, "at last")
    await scene.back()
    told(tell, f"at {octets.decode()}", await scene.sends("at last"))
    await scene.client.until(sent["id"], "delivered")
    assert scene.texts() == ["at last"]


@pytest.fixture
async def pair(usb: Usb, tmp_path: Path) -> AsyncIterator[tuple[Scene, Stick, Stick]]:
    """Two sticks, named by IMEI, m1 and m2."""
    network = SimulatedNetwork()
    one, two = sticks_on(network, 2, report_delay=0.3)
    ports = {name: f"imei:{stick.modem.settings.imei}" for name, stick in {"m1": one, "m2": two}.items()}
    settings = settings_in(tmp_path, ports=ports)
    async with running_gateway(settings) as gateway, client_of(gateway.url, gateway.admin_token) as client:
        usb.plug(one, "1-1", 0)
        usb.plug(two, "1-2", 3)
        scene = Scene(usb, one, client)
        for name in ("m1", "m2"):
            await scene.state("ready", name=name)
        yield scene, one, two


async def imeis(client: Client) -> dict[str, tuple[str, str]]:
    return {item["name"]: (item["imei"], item["iccid"]) for item in (await client.ok("GET", "/v1/modems"))["items"]}


async def test_m07_the_numbers_of_two_sticks_are_swapped(
    pair: tuple[Scene, Stick, Stick], tell: Callable[[str], None]
) -> None:
    scene, one, two = pair
    before = await imeis(scene.client)
    for round_ in range(2):
        trap = one.arm(Trap(b"+CMGS="))
        waiting = await scene.client.send(PERSON, f"for m1 {round_}", modem="m1")
        await asyncio.wait_for(trap.sprung.wait(), 20)
        scene.usb.unplug(two)
        for name in ("m1", "m2"):
            await scene.state("absent", name=name)
        # Each has now the numbers and the socket that the other had.
        here, there = ("1-1", 0), ("1-2", 3)
        scene.usb.plug(one, *(there if round_ == 0 else here))
        scene.usb.plug(two, *(here if round_ == 0 else there))
        other = await scene.client.send(OTHER, f"for m2 {round_}", modem="m2")
        for message in (waiting, other):
            await scene.client.until(message["id"], "delivered", timeout=30)
    assert await imeis(scene.client) == before
    assert (texts_of(one), texts_of(two)) == (["for m1 0", "for m1 1"], ["for m2 0", "for m2 1"])
    tell("M07: two sticks swapped sockets and numbers twice: 0 of 4 texts through the wrong SIM, each once")


async def test_m07_the_sims_of_two_sticks_are_swapped(
    pair: tuple[Scene, Stick, Stick], tell: Callable[[str], None]
) -> None:
    """What is known of a SIM stays with it: its reports settle its own parts, whichever modem it is in."""
    scene, one, two = pair
    before = await imeis(scene.client)
    trap = one.arm(Trap(b"\x1a", reaches=False))
    doubtful = await scene.client.send(PERSON, "in doubt", modem="m1", on_uncertain="hold")
    await asyncio.wait_for(trap.sprung.wait(), 20)
    await scene.client.until(doubtful["id"], "uncertain")
    scene.usb.unplug(two)
    for name in ("m1", "m2"):
        await scene.state("absent", name=name)
    kept = {stick: stick.modem for stick in (one, two)}
    swap_sims(one, two)
    scene.usb.plug(one, "1-1", 0)
    scene.usb.plug(two, "1-2", 3)
    # The same person, the same reference, a minute later, by the other SIM in the same modem.
    then = await scene.client.send(PERSON, "by the other SIM", modem="m1")
    await scene.client.until(then["id"], "delivered", timeout=30)
    await scene.state("ready", name="m2")
    after = await imeis(scene.client)
    assert {name: imei for name, (imei, _) in after.items()} == {name: imei for name, (imei, _) in before.items()}
    assert (after["m1"][1], after["m2"][1]) == (before["m2"][1], before["m1"][1])
    message = await scene.client.ok("GET", f"/v1/messages/{doubtful['id']}")
    assert message["status"] == "uncertain"
    assert [texts_of(one), texts_of(two)] == [["by the other SIM"], []]
    assert all(not modem.submissions for modem in kept.values())
    tell("M07: two SIMs swapped with a part in doubt: the report of the new SIM settles nothing of the old one")


def swap_sims(one: Stick, two: Stick) -> None:
    """Into each modem goes the SIM of the other: number, IMSI, ICCID, and what the network knows of it."""
    network = one.modem.network
    settings = one.modem.settings, two.modem.settings
    for stick in (one, two):
        stick.modem.close()
    for stick, mine, sim in ((one, settings[0], settings[1]), (two, settings[1], settings[0])):
        swapped = replace(mine, number=sim.number, imsi=sim.imsi, iccid=sim.iccid)
        stick.modem = SimulatedModem(swapped, network)
