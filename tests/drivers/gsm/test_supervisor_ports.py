"""Ports that vanish at every step and come back, and modems in trouble beside others that are well."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.driven import Drive, Driven
from support.rigs import LoopbackRig, Rig, SerialRig, TcpRig
from support.scripted_modem import PLAIN, Answer, ScriptedModem
from support.waiting import eventually

from drivers.errors import ModemNotReady, SubmitUncertain
from drivers.events import ModemState, SubmitResult
from drivers.gsm.settings import Deadlines
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings
from drivers.tpdu import Address, SmsSubmit, build_submits, join_text, segment
from drivers.transport.base import Receiver, Transport

TO = Address.from_text("+33639982001")
HOW = ("before", "half", "after")


def tpdu(text: str) -> bytes:
    return build_submits(segment(text), TO, reference=0, validity=None)[0].to_bytes()


def left(rig: Rig) -> list[str]:
    return [join_text([SmsSubmit.from_bytes(entry.tpdu)]) for entry in rig.simulated.submissions]


# --- at every step


class Cut:
    """A line that is pulled at the `at`-th write: before the modem has it, in its middle, or before any answer."""

    def __init__(self, rig: LoopbackRig, at: int, how: str) -> None:
        self.rig = rig
        self.at = at
        self.how = how
        self.writes = 0
        self.done = asyncio.Event()

    async def write(self, inner: Transport, data: bytes) -> None:
        self.writes += 1
        if self.writes != self.at:
            await inner.write(data)
            return
        if self.how != "before":
            await inner.write(data if self.how == "after" else data[: len(data) // 2])
        self.done.set()
        await self.rig.unplug()
        if self.how == "before":
            await inner.write(data)


class CutLine:
    def __init__(self, cut: Cut, inner: Transport) -> None:
        self._cut = cut
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    async def open(self, receiver: Receiver) -> None:
        await self._inner.open(receiver)

    async def write(self, data: bytes) -> None:
        await self._cut.write(self._inner, data)

    async def close(self) -> None:
        await self._inner.close()


@dataclass
class Outcome:
    """Of one life with one cut. `known` says of each text whether it is known to have left, `left` what has."""

    writes: int
    cut: bool
    known: dict[str, bool]
    left: list[str]
    seconds: float


async def submitted(modem: ModemSupervisor, text: str) -> bool:
    """Given to the modem until it has left or may have; whether that is known. So does whoever owns a message."""
    while True:
        await asyncio.wait_for(modem.wait_ready(), 20)
        try:
            await modem.submit(tpdu(text))
        except ModemNotReady:
            continue
        except SubmitUncertain:
            return False
        return True


async def plug_again(cut: Cut, modem: ModemSupervisor) -> float:
    await cut.done.wait()
    await eventually(lambda: modem.status().state is ModemState.ABSENT, 20)
    began = asyncio.get_running_loop().time()
    await cut.rig.plug()
    await asyncio.wait_for(modem.wait_ready(), 20)
    return asyncio.get_running_loop().time() - began


async def life(at: int, how: str) -> Outcome:
    rig = LoopbackRig(SimSettings(report_delay=60.0))
    cut = Cut(rig, at, how)
    rig._wrap = lambda inner: CutLine(cut, inner)
    await rig.plug()
    modem = rig.supervise()
    back = asyncio.create_task(plug_again(cut, modem))
    await modem.start()
    known = {text: await submitted(modem, text) for text in ("one", "two", "three")}
    seconds = await asyncio.wait_for(back, 20) if cut.done.is_set() else 0.0
    back.cancel()
    outcome = Outcome(cut.writes, cut.done.is_set(), known, left(rig), seconds)
    await asyncio.wait_for(modem.stop(), 10)
    await rig.close()
    return outcome


@pytest.mark.parametrize("how", HOW)
async def test_a_port_that_vanishes_at_each_step(how: str, tell: Callable[[str], None]) -> None:
    steps = (await life(10**9, how)).writes
    assert steps > 25
    outcomes: list[Outcome] = []
    for begin in range(1, steps + 1, 16):
        outcomes += await asyncio.gather(*(life(at, how) for at in range(begin, min(begin + 16, steps + 1))))
    assert all(outcome.cut for outcome in outcomes)
    for outcome in outcomes:
        counts = {text: outcome.left.count(text) for text in outcome.known}
        assert sum(counts.values()) == len(outcome.left), "a text left that nobody wrote"
        assert all(count <= 1 for count in counts.values()), "a message left twice"
        assert all(counts[text] == 1 for text, known in outcome.known.items() if known), "a message is lost"
    uncertain = sum(not known for outcome in outcomes for known in outcome.known.values())
    # There are three Ctrl-Z in a life; of what was cut before one nothing is uncertain.
    assert uncertain == (0 if how == "before" else 3)
    slowest = max(outcome.seconds for outcome in outcomes)
    tell(
        f"M06: pulled {how} each of {steps} writes: 0 lost, 0 twice, 0 wrong, {uncertain} uncertain; "
        f"ready at most {slowest:.2f} s after the port was back, with pauses of a twentieth"
    )


@pytest.mark.parametrize("kind", ["serial", "tcp", "loopback"])
async def test_sending_resumes_within_five_seconds(kind: str, tmp_path: Path, tell: Callable[[str], None]) -> None:
    """With the pauses that are in use."""
    settings = SimSettings(report_delay=0.01)
    rig = {"serial": lambda: SerialRig(settings, tmp_path), "tcp": lambda: TcpRig(settings)}.get(
        kind, lambda: LoopbackRig(settings)
    )()
    await rig.plug()
    modem = rig.supervise(Deadlines())
    await modem.start()
    await asyncio.wait_for(modem.wait_ready(), 20)
    took: list[float] = []
    for text in ("one", "two", "three", "four"):
        await rig.unplug()
        await eventually(lambda: modem.status().state is ModemState.ABSENT, 20)
        began = asyncio.get_running_loop().time()
        await rig.plug()
        assert await submitted(modem, text)
        took.append(asyncio.get_running_loop().time() - began)
    tell(f"M06: {kind}: sent {max(took):.1f} s after the port was back, at most of {len(took)}")
    assert max(took) < 5
    assert left(rig) == ["one", "two", "three", "four"]
    await asyncio.wait_for(modem.stop(), 10)
    await rig.close()


# --- at its prompt


async def test_a_prompt_that_was_left_with_half_a_message(drive: Drive) -> None:
    modem = ScriptedModem()
    driven = drive(modem)
    await driven.ready()
    modem.payload_breaker = lambda: asyncio.ensure_future(driven.line.unplug())
    with pytest.raises((ModemNotReady, SubmitUncertain)) as caught:
        await driven.supervisor.submit(tpdu("the old one"))
    assert modem.submitted == []
    before = len(modem.received)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    new = tpdu("the new one")
    if caught.type is ModemNotReady:
        # ESC comes first, and Ctrl-Z only at the end of the next message.
        assert bytes(modem.received[before:]).startswith(b"\x1b")
    assert await driven.supervisor.submit(new) == SubmitResult(7)
    assert modem.submitted == ["00" + new.hex().upper()]


@pytest.mark.parametrize("kind", ["serial", "tcp"])
async def test_the_next_gateway_leaves_the_prompt_by_esc(kind: str, tmp_path: Path) -> None:
    """A process that died with half a PDU written: the modem still waits for the rest."""
    settings = SimSettings(report_delay=0.01, latency=0.0)
    rig = SerialRig(settings, tmp_path) if kind == "serial" else TcpRig(settings)
    await rig.plug()
    old = tpdu("the old one")
    rig.simulated.receive_data(b"ATE0\rAT+CMGF=0\r")
    rig.simulated.receive_data(f"AT+CMGS={len(old)}\r".encode() + b"00" + old.hex().upper()[:30].encode())
    modem = rig.supervise()
    await modem.start()
    assert await submitted(modem, "the new one")
    assert left(rig) == ["the new one"]
    await asyncio.wait_for(modem.stop(), 10)
    await rig.close()


# --- beside others

TROUBLES: dict[str, dict[str, Answer]] = {
    "silent": dict.fromkeys(PLAIN),
    "no SIM": {**PLAIN, "AT+CPIN?": "+CME ERROR: 10"},
    "PUK": {**PLAIN, "AT+CPIN?": "+CPIN: SIM PUK\nOK"},
    "no network": {**PLAIN, "AT+CREG?": "+CREG: 1,2\nOK"},
    "text mode": {**PLAIN, "AT+CMGF=0": "ERROR", "AT+CMGF?": "+CMGF: 1\nOK"},
    "noise": PLAIN,
    "missing": PLAIN,
    "our mistakes": PLAIN,
}
EACH = 10


async def busy(driven: Driven, times: list[float]) -> None:
    for _ in range(EACH):
        await driven.supervisor.wait_ready()
        began = time.perf_counter()
        assert await driven.supervisor.submit(tpdu("one")) == SubmitResult(7)
        times.append(time.perf_counter() - began)


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)] * 1000


async def test_eight_modems_in_trouble_do_not_disturb_the_others(drive: Drive, tell: Callable[[str], None]) -> None:
    well = [drive() for _ in range(56)]
    ill = {name: drive(ScriptedModem(answers=dict(answers))) for name, answers in TROUBLES.items()}
    ill["missing"].away = True
    ill["our mistakes"].mistakes = 10**9
    await asyncio.gather(*(driven.ready() for driven in well))
    calm: list[float] = []
    await asyncio.gather(*(busy(driven, calm) for driven in well))
    for driven in ill.values():
        await driven.start()
    noisy = asyncio.create_task(make_noise(ill["noise"]))
    await eventually(
        lambda: all(driven.states and driven.states[-1] != ModemState.READY for driven in ill.values()), 20
    )
    troubled: list[float] = []
    await asyncio.gather(*(busy(driven, troubled) for driven in well))
    noisy.cancel()
    assert [driven.states for driven in well] == [[ModemState.READY]] * 56
    assert all(len(driven.modem.submitted) == 2 * EACH for driven in well)
    assert all(driven.modem.submitted == [] for driven in ill.values())
    tell(
        f"M06: 56 modems beside 8 in trouble: {len(troubled)} submits, p99 {p99(troubled):.0f} ms, "
        f"and {p99(calm):.0f} ms before the trouble"
    )


async def make_noise(driven: Driven) -> None:
    while True:
        driven.modem.write(b"\xaa" * 60_000)
        await asyncio.sleep(0.01)
