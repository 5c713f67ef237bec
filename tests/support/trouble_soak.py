"""Eight modems in trouble under load: what is sent and received meanwhile, how the interface answers, how soon each
modem is itself again.

The modems are a process of their own, and their radio ledger is the truth. Troubles begin after a calm time, with which
the interface's answers are compared.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from support.checker import copies_in
from support.crash import POLICIES, CrashRig
from support.daemon import client_of
from support.memory import resident_mib
from support.waiting import eventually

from drivers.sim import TROUBLES
from drivers.tpdu import segment

MODEMS = 8
NUMBERS = [f"+336399843{number:02}" for number in range(40)]
SENDERS = [f"+336399844{number:02}" for number in range(40)]
_LOOK_S = 0.25
_CLIENTS = 4
_PAUSE_S = 0.5
_PROBE_S = 0.05
_INBOUND_S = 0.4
# So many characters hold a message's number: the end of a long text may be shorter, and that of others too.
_TELLING = 24
#: All but those after which the ledger and what is told must differ: a modem that lies about what it has sent.
DRAWN = tuple(name for name in TROUBLES if name not in {"random", "lies"})
#: After the last trouble: rests double, and a silent submit is waited for.
_SETTLE_S = 180.0


@dataclass
class Message:
    """What a client asked for: the parts are the texts that have to be on the air, each once."""

    to: str
    parts: tuple[str, ...]
    policy: str
    id: str


@dataclass(frozen=True)
class Recovery:
    """A trouble that was over: what it was, and how long until the modem was usable again, in seconds."""

    trouble: str
    seconds: float


@dataclass
class Found:
    """What a run came to."""

    seed: int
    messages: int = 0
    parts: int = 0
    received: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    uncertain: int = 0
    inbound_lost: int = 0
    inbound_twice: int = 0
    calm_p99_ms: float = 0.0
    troubled_p99_ms: float = 0.0
    memory_mib: tuple[float, float] = (0.0, 0.0)
    troubles: Counter[str] = field(default_factory=Counter)
    recoveries: list[Recovery] = field(default_factory=list)
    #: Troubles after which the next one came before the modem was usable.
    overtaken: int = 0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {sum(self.troubles.values())} troubles of {len(self.troubles)} kinds; "
            f"{self.messages} messages of {self.parts} parts, {len(self.lost)} lost, {len(self.wrong)} wrong texts, "
            f"{len(self.duplicated)} duplicated beyond policy, {self.uncertain} uncertain; {self.received} received, "
            f"{self.inbound_lost} lost, {self.inbound_twice} twice; API p99 {self.calm_p99_ms:.1f} ms calm, "
            f"{self.troubled_p99_ms:.1f} in trouble; memory {self.memory_mib[0]:.0f} to {self.memory_mib[1]:.0f} MiB; "
            f"usable again after p50 {self.recovery_s(50):.1f} s, longest {self.recovery_s(100):.1f} s, "
            f"{self.overtaken} overtaken by the next"
        )

    def recovery_s(self, percent: int) -> float:
        """A percentile of the times to recover."""
        seconds = sorted(each.seconds for each in self.recoveries)
        return seconds[min(len(seconds) - 1, len(seconds) * percent // 100)] if seconds else 0.0


class TroubleSoak:
    """One run on a rig that is started. Times are in seconds."""

    def __init__(self, rig: CrashRig, seed: int) -> None:
        self._rig = rig
        self._chance = random.Random(seed)
        self._found = Found(seed)
        self._messages: list[Message] = []
        self._inbound: list[str] = []
        self._waits: list[float] = []
        self._over = False
        #: When, by the monotonic clock, each modem was seen to have sent a part, or to be ready for one.
        self._usable_at: dict[str, list[float]] = defaultdict(list)

    async def run(self, *, calm_s: float, troubled_s: float, every_s: float, longest_s: float) -> Found:
        """Calm, then in trouble, then until everything is settled."""
        clients = [asyncio.create_task(self._send()) for _ in range(_CLIENTS)]
        tasks = [*clients, *(asyncio.create_task(work()) for work in (self._probe, self._receive))]
        watch = asyncio.create_task(self._watch())
        try:
            await self._phases(tasks, calm_s, troubled_s, f"every={every_s:g}s,longest={longest_s:g}s")
            self._over = True
            await asyncio.gather(*clients)  # not in the midst of a request: nobody would know what became of it
            await _ended(tasks)
            self._control("trouble off")
            await eventually(self._settled, _SETTLE_S, "everything settled")
            # A modem with nothing left to send may rest still: how long it took is known when it is ready.
            await eventually(self._usable_again, _SETTLE_S, "every modem usable after its last trouble")
        finally:
            await _ended([*tasks, watch])
        self._judge()
        return self._found

    async def _phases(self, tasks: Sequence[asyncio.Task[None]], calm_s: float, troubled_s: float, pace: str) -> None:
        await self._for(tasks, calm_s)
        self._found.calm_p99_ms = self._p99_ms()
        self._begin_troubles(pace)
        await self._for(tasks, troubled_s / 3)
        early = self._memory_mib()
        await self._for(tasks, troubled_s * 2 / 3)
        self._found.troubled_p99_ms = self._p99_ms()
        self._found.memory_mib = early, self._memory_mib()

    async def _for(self, tasks: Sequence[asyncio.Task[None]], seconds: float) -> None:
        """Let them work; one that fails ends the run."""
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    # --- the world

    async def _send(self) -> None:
        async with self._client() as client:
            while not self._over:
                number = len(self._messages)
                policy = self._chance.choice(POLICIES)
                text = self._text(number)
                message = Message(self._chance.choice(NUMBERS), segment(text).parts, policy, "")
                self._messages.append(message)
                answer = await client.send(message.to, text, category="emergency", on_uncertain=policy)
                message.id = answer["id"]
                await asyncio.sleep(self._chance.random() * 2 * _PAUSE_S)

    def _text(self, number: int) -> str:
        """Texts of one to four parts in both alphabets, each part of which is the only one of its kind."""
        word = self._chance.choice(("alarm", "€ rappel", "Ж тревога", "🚨 sortie"))
        text = " ".join(f"{word} {number}.{piece}" for piece in range(self._chance.choice((1, 1, 1, 12, 30))))
        while len(segment(text).parts[-1]) < _TELLING:
            text += f" {word} {number}.z"
        return text

    async def _receive(self) -> None:
        while True:
            text = f"inbound {len(self._inbound)}"
            self._inbound.append(text)
            self._control(f"{self._chance.choice(SENDERS)} {text}", self._chance.randrange(MODEMS))
            await asyncio.sleep(self._chance.random() * 2 * _INBOUND_S)

    async def _probe(self) -> None:
        """How long the interface takes to answer, whatever the modems do."""
        async with self._client() as client:
            while True:
                began = time.perf_counter()
                await client.ok("GET", "/v1/modems")
                await client.ok("GET", "/v1/messages", limit="20")
                self._waits.append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(_PROBE_S)

    async def _watch(self) -> None:
        """Follow the radio ledger and the modems' states: which can be used, and when."""
        async with self._client() as client:
            with (self._rig.modems / "ledger.jsonl").open(encoding="utf-8") as ledger:
                rest = ""
                while True:
                    *lines, rest = (rest + ledger.read()).split("\n")
                    for line in lines:
                        self._usable_at[json.loads(line)["modem"]].append(time.monotonic())
                    for modem in (await client.ok("GET", "/v1/modems"))["items"]:
                        if modem["state"] == "ready":
                            self._usable_at[modem["name"].replace("m", "modem")].append(time.monotonic())
                    await asyncio.sleep(_LOOK_S)

    def _client(self):  # type: ignore[no-untyped-def]
        return client_of(self._rig.gateway.url, self._rig.gateway.token)

    def _begin_troubles(self, pace: str) -> None:
        for index in range(MODEMS):
            seed = self._chance.randrange(1_000_000)
            self._control(f"trouble random:seed={seed},{pace},only={'|'.join(DRAWN)}", index)

    def _control(self, words: str, index: int | None = None) -> None:
        with (self._rig.modems / "control").open("w", encoding="utf-8") as control:
            for each in range(MODEMS) if index is None else (index,):
                control.write(f"modem{each} {words}\n")

    # --- what came of it

    def _p99_ms(self) -> float:
        """Of the waits since the last look."""
        waits, self._waits = self._waits, []
        return quantiles(waits, n=100)[98]

    def _memory_mib(self) -> float:
        assert self._rig.gateway.process is not None
        return resident_mib(self._rig.gateway.process.pid)

    def _settled(self) -> bool:
        query = "SELECT 1 FROM message WHERE status IN ('queued', 'sending', 'held') OR resend_us IS NOT NULL LIMIT 1"
        return not self._rig.rows(query) and self._missing_inbound() == 0

    def _usable_again(self) -> bool:
        last = {modem: entries[-1]["at"] for modem, entries in self._history().items()}
        return all(max(self._usable_at[modem], default=0.0) >= at for modem, at in last.items())

    def _heard(self) -> Counter[str]:
        return Counter(row[0] for row in self._rig.rows("SELECT text FROM inbox"))

    def _missing_inbound(self) -> int:
        heard = self._heard()
        return sum(heard[text] == 0 for text in self._inbound)

    def _judge(self) -> None:
        found = self._found
        on_air = Counter((copy.to, copy.text) for copy in copies_in(self._rig.modems))
        status = {row[0]: row[1] for row in self._rig.rows("SELECT id, status FROM message")}
        doubted = {row[0] for row in self._rig.rows("SELECT message_id FROM event WHERE type = 'message.uncertain'")}
        meant = {(message.to, part) for message in self._messages for part in message.parts}
        found.wrong = sorted(text for to, text in on_air if (to, text) not in meant)
        for message in self._messages:
            self._judge_one(message, [on_air[message.to, part] for part in message.parts], status, doubted)
        heard = self._heard()
        found.messages, found.parts = len(self._messages), sum(len(message.parts) for message in self._messages)
        found.received, found.inbound_lost = len(self._inbound), self._missing_inbound()
        found.inbound_twice = sum(count > 1 for count in heard.values())
        self._read_history()

    def _judge_one(self, message: Message, copies: list[int], status: dict[str, str], doubted: set[str]) -> None:
        """Told sent and not on the air is lost; on the air more often than its policy allows is duplicated."""
        found, word = self._found, status.get(message.id)
        what = f"{word} {message.policy} {copies} {message.id}"
        if (word in {"sent", "delivered"} and min(copies) == 0) or word in {None, "queued", "held", "sending"}:
            found.lost.append(f"{what}: {self._story(message)}")
        if max(copies) > (2 if message.policy == "resend" and message.id in doubted else 1):
            found.duplicated.append(f"{what}: {self._story(message)}")
        found.uncertain += word == "uncertain"

    def _story(self, message: Message) -> list[tuple[object, ...]]:
        """What the store knows of the tries of a message, and of the reports on them."""
        tries = self._rig.rows(
            "SELECT a.sequence, a.modem, a.state, a.cause, a.tp_mr, a.marked_us, a.settled_us, r.tp_st, r.submitted_us "
            "FROM attempt a LEFT JOIN report r ON r.attempt_id = a.id WHERE a.message_id = ? ORDER BY a.id",
            message.id,
        )
        return [tuple(each) for each in tries]

    def _read_history(self) -> None:
        """For each trouble that was over: when its modem was usable, unless another one came before."""
        for modem, entries in self._history().items():
            for entry, following in zip(entries, [*entries[1:], None], strict=True):
                kind = entry["trouble"].partition(":")[0]
                if entry["happening"] == "began":
                    self._found.troubles[kind] += 1
                    continue
                usable = next((at for at in self._usable_at[modem] if at >= entry["at"]), float("inf"))
                if following is None or usable < following["at"]:
                    self._found.recoveries.append(Recovery(kind, usable - entry["at"]))
                else:
                    self._found.overtaken += 1

    def _history(self) -> dict[str, list[Any]]:
        """The beginnings and ends of troubles by modem, in their order."""
        found: dict[str, list[Any]] = defaultdict(list)
        for line in (self._rig.modems / "troubles.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["happening"] != "struck" and not entry["trouble"].startswith("random"):
                found[entry["modem"]].append(entry)
        return found


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Each asked to end, and gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
