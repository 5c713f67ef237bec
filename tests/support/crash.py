"""A gateway that is killed at a chosen place, a modem whose radio ledger survives it, and the checker of both.

Three histories are compared: what the client was told, what went over the air, and what the store says in the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from support.daemon import TOCSIN, DaemonProcess, client_of, daemon, simulated_modems
from support.postgresql import Database, rows_of
from support.service_manager import PROGRAM as MANAGER
from support.service_manager import service_manager
from support.tree import ROOT
from support.waiting import eventually

from drivers.tpdu import SmsSubmit
from gateway.store.opening import KEY_NAME

#: Where the process dies, in the order of a message's way.
PLACES = (
    "parsed",
    "accepted",
    "claimed",
    "marked",
    "prompted",
    "body:1",
    "body:2",
    "body:3",
    "journaled",
    "ended",
    "answered",
    "settled",
)
#: How the test catalogue calls a death at each place (C01 to C14 of its crash points).
CASE_OF = {
    "parsed": "C01",
    "accepted": "C02",
    "claimed": "C04",
    "marked": "C06",
    "prompted": "C07",
    "body:1": "C08",
    "body:2": "C08",
    "body:3": "C08",
    "journaled": "C09",
    "ended": "C12",
    "answered": "C13",
    "settled": "C14",
}
OUTCOMES = ("ok", "refused", "silence")
POLICIES = ("hold", "resend", "never")
REFUSAL = 1  # unassigned number: a refusal for good

#: What a part is when its octets may have gone out.
_MAY_HAVE_LEFT = ("submitting", "sent", "delivered", "undelivered", "uncertain")
_UNFINISHED = ("queued", "held", "sending")
_ENDED_UNSENT = ("failed", "expired", "canceled", "suppressed", "queued", "held")
_CONFIG = """
[gateway]
country = "FR"
[api]
listen = ["127.0.0.1:0"]
[categories.emergency]
resend_after = "{resend_after}"
"""


def number_of(outcome: str, policy: str) -> str:
    """The recipient that plays this outcome; each cell has its own."""
    return f"+336399840{OUTCOMES.index(outcome)}{POLICIES.index(policy)}"


def trouble() -> list[str]:
    """Options of the simulation that make the recipients play their outcomes."""
    options: list[str] = []
    for policy in POLICIES:
        options += ["--refuse", f"{number_of('refused', policy)}={REFUSAL}", "--silent", number_of("silence", policy)]
    return options


@dataclass
class Copy:
    """One submission of the radio ledger."""

    to: str
    sequence: int
    text: str
    reference: int | None


@dataclass
class Verdict:
    """What the checker found about one message."""

    status: str | None
    copies: int
    attempts: Sequence[str]
    lost: bool
    duplicated: bool
    uncertain: bool
    misclassified: bool
    recorded_uncertain: bool

    @property
    def sound(self) -> bool:
        return not (self.lost or self.duplicated or self.misclassified)


@dataclass
class Sent:
    """What the client knows of one message: its answer, None where none came."""

    to: str
    text: str
    policy: str
    id: str | None = None
    #: The `Idempotency-Key` that it is sent with, if any.
    key: str = ""


@dataclass
class Tally:
    """Verdicts, counted."""

    counted: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.counted["messages"] += 1
        for word in ("lost", "duplicated", "uncertain", "misclassified"):
            self.counted[word] += bool(getattr(verdict, word))

    def __str__(self) -> str:
        words = ("messages", "lost", "duplicated", "uncertain", "misclassified")
        return ", ".join(f"{self.counted[word]} {word}" for word in words)


class CrashRig:
    """One gateway process and its modems."""

    def __init__(self, gateway: DaemonProcess, modems: Path, database: Database | None = None) -> None:
        self.gateway = gateway
        self.modems = modems
        self._database = database
        self._failpoint = gateway.folder / "failpoint"
        self._resuming: asyncio.Task[bool] | None = None

    # --- the process

    def arm(self, place: str) -> None:
        """Let the process die when it reaches `place` (`PLACE COUNT`, `PLACE COUNT stop`)."""
        scratch = self._failpoint.with_suffix(".new")
        scratch.write_text(place, encoding="ascii")
        scratch.rename(self._failpoint)

    async def died(self) -> None:
        """Wait until the kill came."""
        process = self.gateway.process
        assert process is not None
        assert await asyncio.to_thread(process.wait, 20) == -signal.SIGKILL
        assert process.stdout is not None
        process.stdout.close()

    async def halted(self) -> None:
        """Wait until the process was stopped at the place that was armed with `stop`."""
        process = self.gateway.process
        assert process is not None
        await eventually(lambda: _state_of(process.pid) == "T", 20, "the stopped process")

    async def halt_at_the_mark(self, sent: Sent) -> None:
        """Send, and stop the process in the transaction that marks the part; `resume` then, once it goes on.

        Sending is paused until the message was accepted: else both might be in one commit, and nobody be answered.
        """
        await self._post("/v1/pause")
        await self.send(sent)
        self.arm("claimed 1 stop")
        self._resuming = asyncio.create_task(self._post("/v1/resume"))
        await self.halted()

    async def resume(self) -> None:
        """Let everything leave, also if what was asked before was lost with its commit."""
        if self._resuming is not None:
            await self._resuming
        await eventually(lambda: self._post("/v1/resume"), 30, "sending to be resumed")

    async def _post(self, path: str) -> bool:
        async with client_of(self.gateway.url, self.gateway.token) as client:
            return (await client.call("POST", path))[0] == 200

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        assert self.gateway.process is not None
        self.gateway.process.send_signal(number)

    def boot_anew(self) -> None:
        """From the next start on the machine is said to have been started anew."""
        self._failpoint.with_suffix(".boot").write_text(f"boot-{time.monotonic_ns()}", encoding="ascii")

    async def die_while_starting(self, place: str) -> None:
        """Start, and be killed at `place` before it is ready."""
        self.arm(place)
        await self.gateway.spawn()
        await self.died()

    async def send(self, sent: Sent, **fields: object) -> None:
        """Post a message; a gateway that dies meanwhile gives no answer."""
        body = {"to": sent.to, "text": sent.text, "category": "emergency", "on_uncertain": sent.policy, **fields}
        async with client_of(self.gateway.url, self.gateway.token) as client:
            client.key = sent.key
            try:
                status, answer = await client.call("POST", "/v1/messages", body)
            except (aiohttp.ClientError, OSError):
                return
        assert status == 202, answer
        sent.id = answer["id"]

    async def is_ready(self) -> bool:
        """What `/readyz` says."""
        async with client_of(self.gateway.url, "") as client:
            return (await client.call("GET", "/readyz"))[0] == 200

    async def ready(self) -> None:
        """Wait until messages can be accepted and sent."""
        await eventually(self.is_ready, 30, "a gateway that is ready")

    async def hear(self, text: str, sender: str) -> None:
        """A message comes in from the network."""
        await self.hear_all([text], sender)

    async def hear_all(self, texts: Sequence[str], sender: str) -> None:
        """Several come in at once."""
        lines = "".join(f"modem0 {sender} {text}\n" for text in texts)
        await asyncio.to_thread((self.modems / "control").write_text, lines)

    # --- the histories

    def ledger(self) -> list[Copy]:
        """What went over the air."""
        path = self.modems / "ledger.jsonl"
        found: list[Copy] = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            entry = json.loads(line)
            submit = SmsSubmit.from_bytes(bytes.fromhex(entry["tpdu"]))
            concat = submit.tp_ud.concatenation
            sequence, reference = (concat.sequence, concat.reference) if concat else (1, None)
            found.append(Copy(entry["to"], sequence, submit.tp_ud.text or "", reference))
        return found

    def rows(self, query: str, *values: object) -> list[Any]:
        """Of the store, read beside the process or after it; columns by number and by name."""
        if self._database is not None:
            return rows_of(self._database, query, values)
        with _reading(self.gateway.folder / "state" / "tocsin.db") as raw:
            return raw.execute(query, values).fetchall()

    def message(self, sent: Sent) -> Any | None:
        """The row of a message: by its id, or by what it says where no answer came."""
        if sent.id is not None:
            rows = self.rows("SELECT * FROM message WHERE id = ?", sent.id)
        else:
            query = "SELECT message.* FROM message JOIN recipient ON recipient.id = recipient_id"
            rows = self.rows(f"{query} WHERE number = ? AND text = ?", sent.to, sent.text)
        assert len(rows) <= 1, "one request, one message"
        return rows[0] if rows else None

    def settled(self, sent: Sent) -> bool:
        """Whether nothing more is done with a message by itself."""
        row = self.message(sent)
        return row is None or (row["status"] not in {"queued", "sending", "held"} and row["resend_us"] is None)

    async def until(self, sent: Sent, *words: str | None, timeout: float = 20) -> None:  # noqa: ASYNC109 - a bound
        """Wait until the message is settled with one of these words."""

        def reached() -> bool:
            row = self.message(sent)
            return (None if row is None else row["status"]) in words and self.settled(sent)

        try:
            await eventually(reached, timeout, f"{words}")
        except AssertionError as error:
            row = self.message(sent)
            raise AssertionError(
                f"{error}: {dict(row) if row else None}; {self.verdict(sent, self.ledger())}"
            ) from None

    def verdict(self, sent: Sent, ledger: Iterable[Copy]) -> Verdict:
        """Compare the three histories of one message of one part."""
        copies = sum(copy.to == sent.to and copy.text == sent.text for copy in ledger)
        row = self.message(sent)
        if row is None:
            return judge(sent, None, copies, (), recorded=False)
        attempts = [each[0] for each in self.rows("SELECT state FROM attempt WHERE message_id = ?", row["id"])]
        events = self.rows("SELECT 1 FROM event WHERE message_id = ? AND type = 'message.uncertain'", row["id"])
        return judge(sent, row["status"], copies, attempts, recorded=bool(events))

    def verdicts(self, sent: Iterable[Sent]) -> list[Verdict]:
        """The same for many, whose texts differ."""
        copies = Counter((copy.to, copy.text) for copy in self.ledger())
        by_text = {row["text"]: row for row in self.rows("SELECT id, text, status FROM message")}
        attempts: dict[str, list[str]] = defaultdict(list)
        for row in self.rows("SELECT message_id, state FROM attempt"):
            attempts[row["message_id"]].append(row["state"])
        recorded = {row[0] for row in self.rows("SELECT message_id FROM event WHERE type = 'message.uncertain'")}
        found: list[Verdict] = []
        for each in sent:
            row = by_text.get(each.text)
            told = (None, (), False) if row is None else (row["status"], attempts[row["id"]], row["id"] in recorded)
            found.append(judge(each, told[0], copies[each.to, each.text], told[1], recorded=told[2]))
        return found


def judge(sent: Sent, status: str | None, copies: int, attempts: Sequence[str], *, recorded: bool) -> Verdict:
    """What is to be said of one message: its last word, its copies on the air, the states of its attempts.

    `recorded` says that the message was once uncertain. Without a row nothing may have left, and no 202 been given.
    """
    allowed = 2 if sent.policy == "resend" and recorded else 1
    told_sent = status in {"sent", "delivered"}
    may_have_left = sum(state in _MAY_HAVE_LEFT for state in attempts)
    unsent = status is None or status in _ENDED_UNSENT
    return Verdict(
        status=status,
        copies=copies,
        attempts=attempts,
        lost=sent.id is not None and copies == 0 and (status is None or told_sent or status in _UNFINISHED),
        duplicated=copies > allowed,
        uncertain=status == "uncertain",
        misclassified=(told_sent and not copies) or (unsent and copies > 0) or copies > may_have_left,
        recorded_uncertain=recorded,
    )


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def _reading(path: Path):  # type: ignore[no-untyped-def]
    raw = sqlite3.connect(path, timeout=10)
    raw.row_factory = sqlite3.Row
    try:
        yield raw
    finally:
        raw.close()


@asynccontextmanager
async def crash_rig(
    folder: Path,
    *options: str,
    modems: int = 1,
    resend_after: str = "1s",
    submit_seconds: float = 0.5,
    production: bool = False,
    held: bool = False,
    database: Database | None = None,
    through: Path | None = None,
    wrapper: Sequence[str] = (),
) -> AsyncIterator[CrashRig]:
    """A gateway that can be made to die, not started yet, and a simulation that lives on.

    `production` starts the command that people start, in the same environment. `held` has a service manager keep the
    ports while the gateway is not there. With `database` the store lies there, reached by the socket in the folder
    `through`. `wrapper` is a command that starts the command.
    """
    (folder / "sim").mkdir()
    text = _CONFIG.format(resend_after=resend_after)
    if database is not None:
        (folder / "state").mkdir(mode=0o700)
        (folder / "state" / KEY_NAME).write_bytes(database.key)
        text += f'[store]\nurl = "{database.url if through is None else database.url_through(through)}"\n'
    for index in range(modems):
        text += f'[modems.m{index}]\nport = "{folder}/sim/modem{index}"\n'
    command = (TOCSIN,) if production else (sys.executable, "-m", "support.failing_daemon")
    environ = {
        "TOCSIN_FAILPOINT": str(folder / "failpoint"),
        "TOCSIN_SUBMIT_SECONDS": str(submit_seconds),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
    }
    async with AsyncExitStack() as stack:
        if held:
            manager = await stack.enter_async_context(service_manager(folder / "manager"))
            command = (*MANAGER, "launch", str(manager), *command)
        sim = await stack.enter_async_context(simulated_modems(folder / "sim", "--count", str(modems), *options))
        gateway = await stack.enter_async_context(daemon(folder, text, (*wrapper, *command), **environ))
        yield CrashRig(gateway, sim, database)
