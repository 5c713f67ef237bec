"""gammu-smsd and smstools on the same simulated modems, where they are installed: two rows of the table, by `--peers`.

Their settings are the quickest that they take; what they have of their own is a folder of files.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, spread
from bench.plan import Plan
from bench.processes import modems, process
from bench.tapped import tapped_modem
from bench.waiting import until
from bench.wire import TEXT

_NUMBER = "33612345678"
# Daemons live in sbin, which an ordinary user's PATH leaves out.
_SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
_REST_S = 1.5


@dataclass(frozen=True, slots=True)
class Peer:
    """A program: how it is set up for a port, how it is started, how a message is given to it."""

    name: str
    program: str
    folders: Sequence[str]
    settings: str
    arguments: Sequence[str]
    queue: Callable[[Path, int], None]


def _queue_gammu(folder: Path, number: int) -> None:
    stamp = f"OUTC20260101_000000_00_{_NUMBER}_sms{number}.txt"
    _put(folder / "outbox" / stamp, TEXT)


def _queue_smstools(folder: Path, number: int) -> None:
    _put(folder / "outgoing" / f"message{number}", f"To: {_NUMBER}\n\n{TEXT}")


def _put(path: Path, text: str) -> None:
    """Whole or not at all: the daemon may look at any moment."""
    scratch = path.parent.parent / f"new-{path.name}"
    scratch.write_text(text, encoding="ascii")
    scratch.rename(path)


PEERS: Sequence[Peer] = (
    Peer(
        "gammu-smsd", "gammu-smsd", ("inbox", "outbox", "sent", "errors"),
        """[gammu]
device = {port}
connection = at
[smsd]
service = files
logfile = {folder}/smsd.log
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/errors/
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
commtimeout = 1
receivefrequency = 3600
statusfrequency = 0
loopsleep = 0
""",
        ("-c", "{settings}"), _queue_gammu,
    ),
    Peer(
        "smstools", "smsd", ("outgoing", "checked", "incoming", "sent", "failed"),
        """devices = modem0
logfile = {folder}/smsd.log
infofile = {folder}/smsd.working
pidfile = {folder}/smsd.pid
outgoing = {folder}/outgoing
checked = {folder}/checked
incoming = {folder}/incoming
sent = {folder}/sent
failed = {folder}/failed
delaytime = 1
delaytime_mainprocess = 1
terminal = yes
[modem0]
device = {port}
incoming = no
report = no
check_memory_method = 0
""",
        ("-c{settings}",), _queue_smstools,
    ),
)  # fmt: skip


async def measure(plan: Plan) -> list[Figure]:
    """Two figures for each peer that is installed; none unless they are asked for."""
    if not plan.peers:
        return []
    found: list[Figure] = []
    for peer in PEERS:
        program = shutil.which(peer.program, path=_SEARCH_PATH)
        if program is None:
            continue
        found.append(await _rate(plan, peer, program))
        found.append(await _latency(plan, peer, program))
    return found


def _started(peer: Peer, program: str, folder: Path, port: Path) -> AbstractAsyncContextManager[Process]:
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "settings"
    settings.write_text(peer.settings.format(port=port, folder=folder), encoding="utf-8")
    for name in peer.folders:
        (folder / name).mkdir(exist_ok=True)
    arguments = [one.format(settings=settings) for one in peer.arguments]
    return process(program, *arguments, log=folder / "words")


async def _rate(plan: Plan, peer: Peer, program: str) -> Figure:
    folder = plan.folder / f"{peer.program}-rate"
    async with modems(folder / "modems", 1) as simulated, _started(peer, program, folder, simulated.ports[0]):
        for number in range(plan.peer_messages):
            peer.queue(folder, number)
        began = await until(lambda: simulated.sent() > 0, step_s=0.005)
        first = simulated.sent()
        ended = await until(lambda: simulated.sent() >= plan.peer_messages, step_s=0.005)
    return Figure(f"submits/s, latency 0, 1 modem: {peer.name}", "1/s", (plan.peer_messages - first) / (ended - began))


async def _latency(plan: Plan, peer: Peer, program: str) -> Figure:
    folder = plan.folder / f"{peer.program}-latency"
    samples: list[float] = []
    async with tapped_modem(folder / "modems") as (modem, port), _started(peer, program, folder, port):
        peer.queue(folder, 0)
        await modem.submit()
        for number in range(1, plan.peer_samples + 1):
            # Not in step with the daemon's own sleeps.
            await asyncio.sleep(_REST_S + 0.17 * number)
            submit = asyncio.ensure_future(modem.submit())
            await asyncio.sleep(0)
            began = time.monotonic()
            peer.queue(folder, number)
            samples.append(1000 * (await submit - began))
    return spread(f"accepted to AT+CMGS, idle: {peer.name}", "ms", samples, note="from its file in the folder")
