"""M08: unsolicited lines between any two octets of a dialogue, for every family.

Where they stand between lines the dialogue is unharmed. Within a line they are damage, and nothing wrong may come of
it: the right result, an uncertain one, or none. The news itself is never lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from support.injecting import Injecting, framed, is_inside_a_line
from support.pdus import deliver
from support.rigs import QUICK, LoopbackRig
from support.scripted_modem import PLAIN, ScriptedLine, ScriptedModem
from support.waiting import eventually

from drivers.at.codes import CmsError
from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import (
    CallMissed,
    DeliverReceived,
    ModemEvent,
    ModemStateChanged,
    PduUndecodable,
    StatusReportReceived,
    SubmitAnsweredLate,
)
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings
from drivers.sim.profiles import SIM_PROFILES
from drivers.tpdu import Address, SmsDeliver, SmsStatusReport, SmsSubmit, build_submits, join_text, segment

TO, FROM = "+33639981299", "+33612345678"
FAMILIES = sorted(SIM_PROFILES)
KEPT = 11
EVERY = 10**9
#: All modems are at work at once, on a machine that may have much else to do: for what has no time of its own.
PATIENCE_S = 120


@dataclass
class Figures:
    """What came of it."""

    positions: int = 0
    inside: int = 0
    certain: int = 0
    uncertain: int = 0
    later: int = 0
    lost_news: int = 0

    def told(self) -> str:
        return (
            f"{self.positions} positions, {self.inside} of them within a line: {self.certain} certain and right, "
            f"{self.uncertain} uncertain, {self.later} at the next look, wrong 0, lost news {self.lost_news}"
        )


@dataclass
class Bench:
    """One family's modem with the driver on it, what it told, and the line between them."""

    family: str
    rig: LoopbackRig = field(init=False)
    lines: list[Injecting] = field(default_factory=list[Injecting])
    events: list[ModemEvent] = field(default_factory=list[ModemEvent])
    texts: list[str] = field(default_factory=list[str])
    reported: set[str] = field(default_factory=set[str])
    modem: ModemSupervisor = field(init=False)
    figures: Figures = field(default_factory=Figures)
    serial: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        settings = SimSettings(profile=self.family, start_seconds=0.0, chatter_every=EVERY)
        self.rig = LoopbackRig(settings, self._wrap)

    def _wrap(self, inner: object) -> Injecting:
        self.lines.append(Injecting(inner))  # type: ignore[arg-type]
        self.line.arm(EVERY, b"")
        return self.line

    @property
    def line(self) -> Injecting:
        return self.lines[-1]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.rig.plug()
        try:
            async with self.driven():
                await self.ready()
                yield
        finally:
            await self.rig.close()

    @contextlib.asynccontextmanager
    async def driven(self) -> AsyncIterator[None]:
        """A driver, from its start to its stop."""
        self.modem = self.rig.supervise(QUICK, poll_seconds=3600.0)
        listening = asyncio.create_task(self._listen())
        await self.modem.start()
        try:
            yield
        finally:
            await asyncio.wait_for(self.modem.stop(), PATIENCE_S)
            await asyncio.wait_for(listening, PATIENCE_S)

    async def _listen(self) -> None:
        async for event in self.modem.events():
            self.events.append(event)
            assert not isinstance(event, PduUndecodable), (self.family, event)
            if isinstance(event, ModemStateChanged | SubmitAnsweredLate | CallMissed):
                continue
            if isinstance(event, StatusReportReceived):
                self.reported.add(event.report.tp_ra.value)
            elif isinstance(event, DeliverReceived):
                self.texts.append(join_text([event.deliver]))
                if self.texts[-1].startswith("kept"):
                    continue
            await self.modem.acknowledge(event.receipt)

    async def ready(self) -> None:
        try:
            await asyncio.wait_for(self.modem.wait_ready(), PATIENCE_S)
        except TimeoutError:
            states = [event for event in self.events if isinstance(event, ModemStateChanged)]
            raise AssertionError(f"{self.family} is not ready: {states[-3:]}") from None

    async def settled(self) -> None:
        """Whatever an earlier round has left to do is done."""
        await self.ready()
        await self.modem.submit(submit_of("in between"))
        await eventually(lambda: self.line.silent_for > 0.05, PATIENCE_S)

    # --- news of which is known whether it was heard

    def report(self) -> tuple[bytes, Callable[[], bool]]:
        """A report that is handed over, of a number of its own; and whether it was told."""
        number = f"3363998{next(self.serial):04}"
        stamp = SmsDeliver.from_bytes(bytes.fromhex(deliver("x", smsc=False))).tp_scts
        report = SmsStatusReport(7, Address.from_text("+" + number), stamp, stamp, 0).to_bytes()
        news = framed(f"+CDS: {len(report)}") + report.hex().upper().join(("00", "\r\n")).encode()
        return news, lambda: number in self.reported

    def chatter(self) -> tuple[bytes, Callable[[], bool]]:
        """What the family says by itself, one line after another; nobody is told of it."""
        profile = SIM_PROFILES[self.family]
        lines = (*profile.chatter, *profile.calls.ring, "RING", "+CREG: 1", '+CLIP: "+33612345678",145')
        return framed(lines[next(self.serial) % len(lines)]), lambda: True

    async def heard(self, was_heard: Callable[[], bool]) -> None:
        try:
            await eventually(was_heard, 3)
        except AssertionError:
            self.figures.lost_news += 1

    def count(self, position: int) -> bool:
        """Count a position; whether it was within a line."""
        inside = is_inside_a_line(bytes(self.line.output), position)
        self.figures.positions += 1
        self.figures.inside += inside
        return inside


News = Callable[[Bench], Callable[[], tuple[bytes, Callable[[], bool]]]]
NEWS: tuple[News, ...] = (lambda bench: bench.report, lambda bench: bench.chatter)


# --- a submit


def submit_of(text: str, to: str = TO) -> bytes:
    (submit,) = build_submits(
        segment(text), Address.from_text(to), reference=7, validity=timedelta(hours=6), status_report=False
    )
    return submit.to_bytes()


async def submit_with_news(bench: Bench, position: int, news: bytes) -> None:
    """One submit; its outcome must be what the modem's own ledger says, or be left open."""
    text = f"position {position}"
    before = len(bench.rig.simulated.submissions)
    await bench.ready()
    bench.line.arm(position, news, b"+CMGS=")
    line = bench.line
    outcome: int | None = None
    try:
        outcome = (await bench.modem.submit(submit_of(text))).reference
    except SubmitUncertain:
        bench.figures.uncertain += 1
    except (ModemNotReady, SubmitRefused):
        outcome = -1
    sent = bench.rig.simulated.submissions[before:]
    if not line.injected:
        line.say(news)
    inside = bench.count(position) if line is bench.line else True
    assert all(SmsSubmit.from_bytes(one.tpdu).tp_ud.text == text for one in sent)
    assert len(sent) <= 1
    if outcome is None:
        assert inside, (bench.family, position, bytes(line.output))
        return
    bench.figures.certain += 1
    if outcome == -1:
        assert inside
        assert not sent
    else:
        assert [outcome] == [one.tp_mr for one in sent], (bench.family, position, bytes(line.output))


async def submit_everywhere(bench: Bench, news_of: News) -> None:
    async with bench.running():
        for _ in range(9):  # so that a reference has two digits, and half of one is another
            await bench.modem.submit(submit_of("before"))
        bench.line.arm(EVERY, b"", b"+CMGS=")
        await bench.modem.submit(submit_of("the measure"))
        for position in range(len(bench.line.output) + 1):
            news, was_heard = news_of(bench)()
            await submit_with_news(bench, position, news)
            await bench.heard(was_heard)


async def refused_everywhere(bench: Bench, news_of: News, step: int) -> None:
    """An error is told as it is, or left open: never as another one, whose first digits are the same."""
    refused = bench.rig.simulated.settings.refused
    async with bench.running():
        for code, number in ((CmsError.UNKNOWN_ERROR, "+33639980500"), (CmsError.SC_BUSY, "+33639980192")):
            object.__setattr__(bench.rig.simulated.settings, "refused", {**refused, number: code})
            said = f"\r\n+CMGF: 0\r\n\r\n> \r\n+CMS ERROR: {int(code)}\r\n"
            for position in range(0, len(said) + 1, step):
                news, was_heard = news_of(bench)()
                await bench.ready()
                line = bench.line
                line.arm(position, news, b"+CMGS=")
                with pytest.raises((SubmitUncertain, SubmitRefused)) as caught:
                    await bench.modem.submit(submit_of("refused", to=number))
                inside = bench.count(position)
                await bench.heard(was_heard)
                if isinstance(caught.value, SubmitUncertain):
                    bench.figures.uncertain += 1
                    assert inside or caught.value.cause == f"cms_{int(code)}"
                else:
                    bench.figures.certain += 1
                    # Where the mode in front of the prompt was torn, nothing was handed over.
                    assert code is CmsError.SC_BUSY or (inside and caught.value.local)
                    assert caught.value.retryable


# --- a message that arrives


async def receive_with_news(bench: Bench, position: int, news: bytes) -> None:
    """One message, told, read and freed; if the news hid it, the next look finds it."""
    text = f"in {position} {next(bench.serial)}"
    await bench.settled()
    line = bench.line
    line.arm(position, news)
    bench.rig.simulated.inject_sms(FROM, text)

    def done() -> bool:
        return text in bench.texts and occupied(bench) == KEPT

    try:
        await eventually(done, 0.7)
        bench.figures.certain += 1
    except AssertionError:
        for _ in range(20):
            bench.line.say(framed("+CMTI: ,-1"))  # "stored nowhere": look everywhere, as the slow look does
            with contextlib.suppress(AssertionError):
                await eventually(done, 1)
                break
        assert done(), (bench.family, position, bytes(line.output))
        assert bench.count(position), (bench.family, position, bytes(line.output))
        bench.figures.later += 1
    else:
        if not line.injected:
            line.say(news)
        bench.count(position)
    line.disarm()
    told = bench.texts
    assert told.count(text) == 1, (bench.family, position, bytes(line.output), bench.events[-9:])
    assert len(told) == len(set(told))
    assert sum(one.startswith("kept") for one in told) == KEPT


def occupied(bench: Bench) -> int:
    storages = bench.rig.simulated.station.equipment.storages
    return sum(storages[name].used for name in ("SM", "ME") if name in storages)


async def receive_everywhere(bench: Bench, news_of: News, choose: Callable[[int], Sequence[int]]) -> None:
    async with bench.running():
        for number in range(KEPT):  # so that a slot has two digits, and half of one is another
            bench.rig.simulated.inject_sms(FROM, f"kept {number}")
        await eventually(lambda: len(bench.texts) == KEPT, PATIENCE_S)
        await bench.settled()
        bench.line.arm(EVERY, b"")
        bench.rig.simulated.inject_sms(FROM, "in the measure")
        await eventually(lambda: "in the measure" in bench.texts and occupied(bench) == KEPT, PATIENCE_S)
        for position in choose(len(bench.line.output)):
            news, was_heard = news_of(bench)()
            await receive_with_news(bench, position, news)
            await bench.heard(was_heard)


# --- initialisation


async def start_with_news(bench: Bench, position: int, news: bytes) -> None:
    """A driver that starts comes to a modem that can be used, and believes nothing wrong of it."""
    opened = len(bench.lines)
    wrap = bench.rig._wrap  # the first opening alone is disturbed

    def armed(inner: object) -> Injecting:
        line = wrap(inner)  # type: ignore[arg-type]
        assert isinstance(line, Injecting)
        if len(bench.lines) == opened + 1:
            line.arm(position, news)
        return line

    bench.rig._wrap = armed  # type: ignore[assignment]
    try:
        async with bench.driven():
            await bench.ready()
            first = bench.lines[opened]
            if not first.injected:
                bench.line.say(news)
            first.disarm()
            bench.figures.positions += 1
            bench.figures.inside += is_inside_a_line(bytes(first.output), position)
            status, settings = bench.modem.status(), bench.rig.simulated.settings
            profile = settings.family
            assert status.imei in {settings.imei, None}, position
            assert status.iccid in {settings.iccid, None}, position
            assert status.operator in {settings.operator, None}, position
            assert status.manufacturer in {profile.manufacturer.strip(), None}, (position, bytes(first.output))
            assert status.model in {profile.model.strip(), None}, (position, bytes(first.output))
            result = await bench.modem.submit(submit_of("after the start"))
            assert result.reference == bench.rig.simulated.submissions[-1].tp_mr
            bench.figures.certain += 1
    finally:
        bench.rig._wrap = wrap


async def start_everywhere(bench: Bench, news_of: News, choose: Callable[[int], Sequence[int]]) -> None:
    await bench.rig.plug()
    try:
        async with bench.driven():
            await bench.ready()
        async with bench.driven():
            await bench.ready()
            length = len(bench.line.output)
        for position in choose(length):
            news, was_heard = news_of(bench)()
            await start_with_news(bench, position, news)
            await bench.heard(was_heard)
    finally:
        await bench.rig.close()


# --- all together


async def for_all(work: Callable[[Bench, News], Awaitable[None]]) -> Figures:
    """Every family and kind of news, side by side: most of the time is waiting for deadlines."""
    benches = [(Bench(family), news_of) for family in FAMILIES for news_of in NEWS]
    await asyncio.gather(*(work(bench, news_of) for bench, news_of in benches))
    whole = Figures()
    for bench, _ in benches:
        for name, value in vars(bench.figures).items():
            setattr(whole, name, getattr(whole, name) + value)
    return whole


def some(count: int, seed: int) -> Callable[[int], Sequence[int]]:
    """So many positions drawn from all, the first and the last among them."""
    chance = random.Random(seed)
    return lambda length: sorted({0, length, *chance.sample(range(length), min(count, length))})


async def test_between_any_two_octets_of_a_submit(tell: Callable[[str], None]) -> None:
    figures = await for_all(submit_everywhere)
    tell(f"M08: submit, {len(FAMILIES)} families × {len(NEWS)} kinds of news, {figures.told()}")
    assert figures.positions > 20 * len(FAMILIES)
    assert figures.lost_news == 0


@pytest.mark.parametrize("step", [pytest.param(3, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
async def test_between_any_two_octets_of_a_refusal(tell: Callable[[str], None], step: int) -> None:
    figures = await for_all(lambda bench, news_of: refused_everywhere(bench, news_of, step))
    tell(f"M08: refusal, {len(FAMILIES)} families × {len(NEWS)} kinds of news, {figures.told()}")
    assert figures.lost_news == 0


async def echoed_submit(position: int, figures: Figures) -> bool:
    """A submit to a modem that echoes whatever it is told; False when it says less than `position` octets."""
    modem = ScriptedModem(answers={**PLAIN, "ATE0": "OK"}, stubborn_echo=True, on_submit=lambda _: "+CMGS: 12\nOK")
    lines: list[Injecting] = []

    def line() -> Injecting:
        lines.append(Injecting(ScriptedLine(modem)))
        return lines[-1]

    # All positions at once: they keep each other waiting.
    patient = replace(QUICK, prompt=2.0, submit=2.0, factor=0.5)
    supervisor = ModemSupervisor(ModemSettings("m", "scripted:", deadlines=patient), line)
    await supervisor.start()
    await asyncio.wait_for(supervisor.wait_ready(), PATIENCE_S)
    # A modem that never stops echoing is asked for its mode before each submit.
    lines[-1].arm(position, framed("^RSSI: 17"), b"AT+CMGF?")
    outcome: int | None = None
    with contextlib.suppress(SubmitUncertain, ModemNotReady):
        outcome = (await supervisor.submit(submit_of("echoed"))).reference
    await supervisor.stop()
    if not lines[-1].injected:
        return False
    inside = is_inside_a_line(bytes(lines[-1].output), position)
    figures.positions += 1
    figures.inside += inside
    figures.certain += outcome is not None
    figures.uncertain += outcome is None
    assert outcome == 12 or (outcome is None and inside), position
    return True


async def test_between_any_two_octets_of_a_submit_that_is_echoed(tell: Callable[[str], None]) -> None:
    figures = Figures()
    done = await asyncio.gather(*(echoed_submit(position, figures) for position in range(120)))
    assert 40 < sum(done) < 120
    tell(f"M08: submit with echo, {figures.told()}")


@pytest.mark.parametrize("count", [pytest.param(12, id="some"), pytest.param(EVERY, id="all", marks=pytest.mark.long)])
async def test_between_any_two_octets_of_an_arrival(tell: Callable[[str], None], seed: int, count: int) -> None:
    choose = some(count, seed)
    figures = await for_all(lambda bench, news_of: receive_everywhere(bench, news_of, choose))
    tell(f"M08: arrival, {len(FAMILIES)} families × {len(NEWS)} kinds of news, {figures.told()}")
    assert figures.lost_news == 0


@pytest.mark.parametrize("count", [pytest.param(4, id="some"), pytest.param(150, id="many", marks=pytest.mark.long)])
async def test_between_any_two_octets_of_a_start(tell: Callable[[str], None], seed: int, count: int) -> None:
    choose = some(count, seed)
    figures = await for_all(lambda bench, news_of: start_everywhere(bench, news_of, choose))
    tell(f"M08: start, {len(FAMILIES)} families × {len(NEWS)} kinds of news, {figures.told()}")
    assert figures.lost_news == 0
