"""Recorded dialogues as tests: traces are played to the real driver and its parser, and what comes of them is frozen.

`tests/vectors/transcripts` holds two kinds. `real-*` are lines that modems were seen to say, by the sources named in
them, in dialogues with other programs: they are fed to the parser, and answer the driver's commands where they can.
`sim-*` are whole traces of our driver, as a field trace is: they are replayed octet by octet, so the driver must say
the same again. Between ``# any order`` and ``# in order`` its commands may come in any order.

When the driver rightly says something else, record and freeze anew, and look at the difference:
``PYTHONPATH=.:tests .venv/bin/python -m support.replay``
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from support.replay_lines import PROMPTED, RecordedModem, Replaying
from support.rigs import QUICK, LoopbackRig
from support.waiting import eventually

from drivers.at.commands import AtCommand
from drivers.at.connection import AtConnection
from drivers.at.events import AtEvent, Echo, InformationText, Late, Prompt, Urc
from drivers.at.framing import Mark
from drivers.at.results import FinalResult
from drivers.at.state import Dialogue
from drivers.errors import SubmitRefused, SubmitUncertain
from drivers.events import (
    CallMissed,
    DeliverReceived,
    ModemEvent,
    ModemState,
    ModemStateChanged,
    PduUndecodable,
    StatusReportReceived,
)
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings, SimulatedModem
from drivers.sim.profiles import SIM_PROFILES
from drivers.tpdu import Address, build_submits, join_text, segment
from drivers.trace.recorder import Recorder
from drivers.trace.records import Direction, TraceRecord, parse_trace

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "transcripts"
FROZEN = FOLDER / "frozen.json"
_STAMP = datetime(2026, 11, 22, 12, 34, tzinfo=UTC)
# Nothing more follows from what a modem said when the driver has asked nothing for so long, in seconds.
_QUIET = 0.3


def transcript(name: str) -> list[TraceRecord]:
    """The records of one file."""
    return parse_trace((FOLDER / f"{name}.trace").read_text("ascii"))


def names(prefix: str) -> list[str]:
    """The transcripts of one kind."""
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}-*.trace"))


# --- the parser


@dataclass
class Parsed:
    """What the parser made of a dialogue: every event, each command's answer as octets, and what belongs to none."""

    events: list[str] = field(default_factory=list[str])
    answers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    spontaneous: bytes = b""


def parse(records: Sequence[TraceRecord]) -> Parsed:
    """Feed a dialogue to the parser, each command begun as the driver begins it."""
    connection, parsed = AtConnection(), Parsed()
    connection.vouch()
    command = ""
    for record in records:
        if record.direction is Direction.SENT:
            text = record.octets.decode("latin-1").strip("\r\x1a")
            command = _begin(connection, text, command)
            parsed.events.append(f"> {text}")
        elif record.direction is Direction.RECEIVED:
            running = connection.state is not Dialogue.IDLE
            connection.receive_data(record.octets)
            while not isinstance(event := connection.next_event(), Mark):
                parsed.events.append(_told(event))
            if running:
                parsed.answers[command] = parsed.answers.get(command, b"") + record.octets
            else:
                parsed.spontaneous += record.octets
    return parsed


def _begin(connection: AtConnection, text: str, command: str) -> str:
    if connection.state is Dialogue.PROMPTED:
        connection.send_payload(text)
        return command
    if connection.state is not Dialogue.IDLE:
        connection.abandon()
        connection.vouch()
    begin = connection.send_prompted_command if PROMPTED.search(text) else connection.send_command
    begin(AtCommand(text))
    return text


def _told(event: AtEvent) -> str:
    match event:
        case Urc(name, line, pdu):
            return f"urc {name} {line!r}" + (f" {pdu}" if pdu else "")
        case InformationText(line):
            return f"text {line!r}"
        case FinalResult(kind, line, code):
            return f"final {kind.name} {line!r} {code}"
        case Late(line):
            return f"late {line!r}"
        case Prompt() | Echo():
            return type(event).__name__.lower()
        case _:
            return repr(event)


# --- the driver on a modem that answers as it was heard to


async def drive(parsed: Parsed) -> dict[str, object]:
    """What the driver knows of the modem when it is ready, what it tells when the modem has spoken by itself, and asks.

    What it asks is each command once, in the order of asking.
    """
    lines: list[RecordedModem] = []
    asked: list[str] = []

    def line() -> RecordedModem:
        lines.append(RecordedModem(parsed.answers, asked))
        return lines[-1]

    supervisor = ModemSupervisor(ModemSettings("m", "recorded:", deadlines=QUICK), line)

    def settled() -> bool:
        return supervisor.status().state is ModemState.READY and lines[-1].silent_for > _QUIET

    async with _running(supervisor) as told:
        await eventually(settled, 10, "the modem of the dialogue is ready")
        status = supervisor.status()
        lines[-1].say(parsed.spontaneous)
        await eventually(settled, 10, "the modem of the dialogue is ready again")
    known = {name: getattr(status, name) for name in ("manufacturer", "model", "imei", "registration", "signal_dbm")}
    return {**known, "events": told, "asked": list(dict.fromkeys(asked))}


@contextlib.asynccontextmanager
async def _running(supervisor: ModemSupervisor) -> AsyncIterator[list[str]]:
    """What a modem tells from its start to its stop, in words."""
    told: list[str] = []
    listening = asyncio.create_task(_listen(supervisor, told))
    await supervisor.start()
    try:
        yield told
    finally:
        await supervisor.stop()
        await listening


async def _listen(modem: ModemSupervisor, told: list[str]) -> None:
    async for event in modem.events():
        text = event_in_words(event)
        if text:
            told.append(text)
        if isinstance(event, DeliverReceived | StatusReportReceived | PduUndecodable):
            await modem.acknowledge(event.receipt)


def event_in_words(event: ModemEvent) -> str:
    """An event without what may differ from run to run."""
    match event:
        case DeliverReceived():
            return f"deliver {event.deliver.tp_oa.text} {join_text([event.deliver])!r} {event.deliver.tp_scts.datetime}"
        case StatusReportReceived():
            return f"report {event.report.tp_mr} {event.report.tp_ra.text} {event.report.tp_st}"
        case PduUndecodable():
            return f"undecodable {event.raw}"
        case CallMissed(caller):
            return f"call {caller}"
        case ModemStateChanged(ModemState.REPAIRING, reason):
            return f"repairing: {reason}"
        case ModemStateChanged():
            return ""
        case _:
            return type(event).__name__


# --- the driver on its own trace


async def replay(records: Sequence[TraceRecord]) -> list[str]:
    """Run the driver on a trace to its end: what it told, and what came of each submit."""
    line = Replaying(records)
    supervisor = ModemSupervisor(ModemSettings("m", "replay:", deadlines=QUICK, poll_seconds=3600.0), lambda: line)

    async def until(reached: Callable[[], bool], what: str) -> None:
        await eventually(lambda: reached() or line.problem, 10, f"{what}; due is {line.due!r}")
        assert not line.problem, line.problem

    async with _running(supervisor) as told:
        await until(lambda: supervisor.status().state is ModemState.READY, "the modem is ready")
        status = supervisor.status()
        told.append(f"{status.manufacturer} / {status.model} / {status.imei} / {status.iccid} / {status.operator}")
        for tpdu in _submitted(records):
            await until(lambda: bool(PROMPTED.search(line.due.decode("latin-1"))), "the next submit of the trace")
            try:
                told.append(f"sent {(await supervisor.submit(tpdu)).reference}")
            except (SubmitRefused, SubmitUncertain) as error:
                told.append(f"{type(error).__name__} {error}")
        await until(lambda: not line.due, "the end of the trace")
    return told


def _submitted(records: Sequence[TraceRecord]) -> list[bytes]:
    """The TPDUs that the trace shows typed at a prompt, their empty service centre field left out."""
    typed = (record.octets for record in records if record.direction is Direction.SENT)
    return [bytes.fromhex(octets[:-1].decode())[1:] for octets in typed if octets.endswith(b"\x1a")]


# --- recording


async def record(profile: str) -> str:
    """A trace of the driver with one family's simulated modem: start, a submit with its report, an arrival."""
    lines: list[str] = []
    settings = SimSettings(profile=profile, start_seconds=0.0, report_delay=0.05, chatter_every=1e9)
    rig = LoopbackRig(settings)
    rig.simulated = SimulatedModem(settings, now=lambda: _STAMP)
    await rig.plug()
    try:
        await _life(rig, 0)  # the modem's own start is over when the trace begins
        # One second for each line: a trace in the repository says the same each time that it is made.
        recorder = Recorder(
            lines.append, lambda: float(len(lines)), title=f"simulated {profile}", about=lambda: "", redacted=True
        )
        rig.observer = recorder
        await _life(rig, 1)
    finally:
        await rig.close()
    return "\n".join(lines) + "\n"


async def _life(rig: LoopbackRig, submits: int) -> None:
    modem = rig.supervise(QUICK, poll_seconds=3600.0)
    async with _running(modem) as told:
        await asyncio.wait_for(modem.wait_ready(), 10)
        await asyncio.sleep(_QUIET)
        for count in range(submits):
            (submit,) = build_submits(segment(f"number {count}"), Address.from_text("+33639981299"), reference=1)
            await modem.submit(submit.to_bytes())
            await eventually(lambda: any(text.startswith("report") for text in told))
            await asyncio.sleep(_QUIET)
            rig.simulated.inject_sms("+33612345678", "Hello")
            await eventually(lambda: any(text.startswith("deliver") for text in told))
            await asyncio.sleep(_QUIET)


async def freeze() -> None:
    """Record the simulated families, and write down what comes of every transcript."""
    for profile in SIM_PROFILES:
        (FOLDER / f"sim-{profile}.trace").write_text(await record(profile), "ascii")
    frozen: dict[str, object] = {}
    for name in (*names("real"), *names("sim")):
        records = transcript(name)
        parsed = parse(records)
        try:
            driver = await (drive(parsed) if name.startswith("real-") else replay(records))
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
        frozen[name] = {"parsed": parsed.events, "driver": driver}
    FROZEN.write_text(json.dumps(frozen, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(freeze())
