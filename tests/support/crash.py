"""A gateway that is killed at a chosen place, and a modem whose radio ledger survives it.

What came of it is for `support.checker` to say.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support.checker import Copy, Sent, Verdict, copies_in, judge, verdicts_of
from support.daemon import FAILING, TOCSIN, DaemonProcess, client_of, daemon, simulated_modems
from support.postgresql import Database, rows_of
from support.service_manager import PROGRAM as MANAGER
from support.service_manager import service_manager
from support.tree import ROOT
from support.waiting import eventually

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
        await self.gateway.halted()

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
        return copies_in(self.modems)

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
        return verdicts_of(self.rows, self.ledger(), sent)


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
    trip_seconds: float | None = None,
) -> AsyncIterator[CrashRig]:
    """A gateway that can be made to die, not started yet, and a simulation that lives on.

    `production` starts the command that people start, in the same environment. `held` has a service manager keep the
    ports while the gateway is not there. With `database` the store lies there, reached by the socket in the folder
    `through`, and is waited for `trip_seconds`. `wrapper` is a command that starts the command.
    """
    (folder / "sim").mkdir()
    text = _CONFIG.format(resend_after=resend_after)
    if database is not None:
        (folder / "state").mkdir(mode=0o700)
        (folder / "state" / KEY_NAME).write_bytes(database.key)
        text += f'[store]\nurl = "{database.url if through is None else database.url_through(through)}"\n'
    for index in range(modems):
        text += f'[modems.m{index}]\nport = "{folder}/sim/modem{index}"\n'
    command = (TOCSIN,) if production else FAILING
    environ = {
        "TOCSIN_FAILPOINT": str(folder / "failpoint"),
        "TOCSIN_SUBMIT_SECONDS": str(submit_seconds),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
    }
    if trip_seconds is not None:
        environ["TOCSIN_TRIP_SECONDS"] = str(trip_seconds)
    async with AsyncExitStack() as stack:
        if held:
            manager = await stack.enter_async_context(service_manager(folder / "manager"))
            command = (*MANAGER, "launch", str(manager), *command)
        sim = await stack.enter_async_context(simulated_modems(folder / "sim", "--count", str(modems), *options))
        gateway = await stack.enter_async_context(daemon(folder, text, (*wrapper, *command), **environ))
        yield CrashRig(gateway, sim, database)
