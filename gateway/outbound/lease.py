"""This host's place among the hosts of one database: its lease, what it tells of itself, and what it does for others.

On SQLite there is one host and nothing of this runs.

A lease is long enough that a slow database or a short stop of the process is no takeover, and short enough that what a
dead host had not begun to send goes out elsewhere within a quarter of a minute. It is renewed by the writer, three
times in its length: a host whose writer cannot commit has no lease, and could mark nothing anyway.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.message import PartEvent
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.gate import Gate
from gateway.ports import Modem
from gateway.store import hosts, locks, migrations, signals
from gateway.store.database import Store
from gateway.store.hosts import Host
from gateway.store.locks import Lock
from gateway.store.marks import HOST_LOST
from gateway.store.outcomes import Outcome
from gateway.store.schema import AnyRow
from gateway.store.signals import Topic

log = logging.getLogger(__name__)

LEASE_US = 15 * SECOND_US
RENEW_US = 5 * SECOND_US
#: How long after the lease a submit of a dead host may still be under way: the oldest mark that is acted upon (5 s),
#: the longest wait for an answer (120 s), and what writing it down may take (10 s).
PATIENCE_US = 135 * SECOND_US
#: How long hosts are remembered that are gone.
REMEMBERED_US = 7 * 24 * 3600 * SECOND_US

_SENTENCE = "its host fell silent after the part was marked; it may have been sent"


@dataclass(frozen=True, slots=True)
class Identity:
    """What a host says of itself when it takes its place."""

    node: str
    version: str
    rules: str


class Lease:
    """Kept for as long as the gateway runs."""

    def __init__(self, store: Store, clock: Clock, gate: Gate, identity: Identity, elsewhere: Elsewhere) -> None:
        self._store = store
        self._clock = clock
        self._gate = gate
        self._identity = identity
        self._elsewhere = elsewhere
        self._session = secrets.token_hex(16)
        self._nudged = asyncio.Event()
        self._modems: Mapping[str, Modem] = {}
        self._besides: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
        self._published: dict[str, object] = {}
        self._differing: tuple[str, ...] = ()
        self._url: str | None = None
        gate.fence = self._fence

    async def take(self) -> None:
        """Take this host's place; marks that its last session left are its own again."""
        it = self._host()
        await self._store.write(lambda connection: hosts.register(connection, it, LEASE_US))

    def tell_of(self, modems: Mapping[str, Modem], besides: Callable[[], Mapping[str, Mapping[str, Any]]]) -> None:
        """From now on others see these modems; `besides` says what is to be known of each but how it is."""
        self._modems = modems
        self._besides = besides

    def tell_url(self, url: str) -> None:
        """Where this host's interface is."""
        self._url = url
        self.nudge()

    def nudge(self) -> None:
        """Something of this host has changed: tell it now."""
        self._nudged.set()

    async def run(self) -> None:
        """Renew, tell, and look after what silent hosts left, until cancelled."""
        while True:
            self._nudged.clear()
            try:
                await self._renew()
            except Unavailable as error:
                log.error("the lease was not renewed", extra={"action": "lease_refused", "code": error.code})
            except Exception:
                log.exception("renewing failed", extra={"action": "lease_failed"})
            await self._clock.wait(self._nudged, self._clock.now_us() + RENEW_US)

    async def end(self) -> None:
        """Leave: others need not wait for the lease to pass."""
        node, session = self._identity.node, self._session
        try:
            await self._store.write(lambda connection: hosts.end(connection, node, session))
        except Unavailable as error:
            log.error("the lease was not given back", extra={"action": "lease_refused", "code": error.code})

    @property
    def differing(self) -> Sequence[str]:
        """Hosts that are alive and decide by other rules than this one."""
        return self._differing

    def _host(self) -> Host:
        it = self._identity
        return Host(it.node, self._session, it.version, migrations.HEAD, it.rules)

    def _fence(self, connection: Connection) -> None:
        hosts.fence(connection, self._identity.node, self._session)

    async def _renew(self) -> None:
        besides = self._besides()
        statuses = {name: (modem.status(), besides.get(name, {})) for name, modem in self._modems.items()}
        changed = {name: each for name, each in statuses.items() if self._published.get(name) != each}
        first = not self._published

        def work(connection: Connection) -> _Seen:
            node = self._identity.node
            held = hosts.renew(connection, node, self._session, LEASE_US, self._url)
            if not held:
                hosts.register(connection, self._host(), LEASE_US)
            if first and statuses:
                hosts.withdraw_others(connection, node, list(statuses))
                signals.send(connection, Topic.HOSTS)
            documents = {
                name: (each.state.value, each.simulated, {**asdict(each), **more})
                for name, (each, more) in changed.items()
            }
            hosts.publish(connection, node, documents)
            orphaned = hosts.orphaned(connection, PATIENCE_US)
            return _Seen(held, hosts.standing(connection), hosts.others(connection, node), orphaned)

        seen = await self._store.write(work)
        self._published |= changed
        self._elsewhere.modems = {(row.node, row.name): bool(row.simulated) for row in seen.modems}
        if not seen.held:
            log.warning("the lease had passed and was taken anew", extra={"action": "lease_lost"})
        self._compare(seen.hosts)
        if _needs_care(seen.hosts, seen.orphaned):
            await self._look_after()

    def _compare(self, standing: Sequence[AnyRow]) -> None:
        others = [row for row in standing if row.node != self._identity.node]
        differing = tuple(row.node for row in others if row.alive and row.rules != self._identity.rules)
        if differing and differing != self._differing:
            log.error(
                "hosts decide by different rules; give them the same configuration",
                extra={"action": "rules_differ", "node": self._identity.node, "others": ", ".join(differing)},
            )
        elif self._differing and not differing:
            log.warning("all hosts decide by the same rules again", extra={"action": "rules_agree"})
        self._differing = differing

    async def _look_after(self) -> None:
        """End silent sessions, set free what they had not begun, and say what nobody can know any more."""
        silent, given_up = await self._store.write(self._care)
        for node in silent:
            log.error("a host fell silent", extra={"action": "host_silent", "node": node})
        if given_up:
            log.error("marks of silent hosts given up", extra={"action": "marks_given_up", "marks": given_up})

    def _care(self, connection: Connection) -> tuple[list[str], int]:
        if not locks.try_alone(connection, Lock.HOSTS):
            return [], 0
        now_us = self._clock.now_us()
        silent = hosts.end_silent(connection)
        for node in hosts.end_stuck(connection):
            log.error("a host was stopped inside a transaction, which was ended", extra=_about(node))
        freed = sum(hosts.set_free(connection, node, now_us) for node in silent)
        given_up = 0
        for row in hosts.orphaned(connection, PATIENCE_US):
            if row.unknown:
                hosts.add_unknown(connection, row.node)
            elif row.overdue:
                given_up += self._give_up(connection, row.node, now_us)
        hosts.forget(connection, REMEMBERED_US)
        if freed or given_up:
            signals.send(connection, Topic.WORK)
        return silent, given_up

    def _give_up(self, connection: Connection, node: str, now_us: int) -> int:
        """An observation and nothing else: what follows from `uncertain` is the policy's to say."""
        marks = hosts.overdue_marks(connection, node, PATIENCE_US)
        for mark in marks:
            outcome = Outcome(mark.id, PartEvent.OUTCOME_LOST, code=HOST_LOST, sentence=_SENTENCE)
            self._gate.settle(connection, outcome, mark.modem, now_us)
        return len(marks)


def _about(node: str) -> dict[str, object]:
    return {"action": "host_stuck", "node": node}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a renewal found: whether the lease was still held, the hosts, the others' modems, marks without a host."""

    held: bool
    hosts: Sequence[AnyRow]
    modems: Sequence[AnyRow]
    orphaned: Sequence[AnyRow]


def _needs_care(standing: Sequence[AnyRow], orphaned: Sequence[AnyRow]) -> bool:
    return (
        any(row.session is not None and not row.alive for row in standing)
        or any(row.unknown or row.overdue for row in orphaned)
        or any(row.session is None and row.silent_us > REMEMBERED_US for row in standing)
    )
