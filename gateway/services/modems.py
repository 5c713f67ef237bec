"""Modems: how they are, here and at other hosts, and texts let in through a simulated one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from drivers.events import ModemState, ModemStatus
from drivers.tpdu import TpduError
from gateway.clock import Clock, from_datetime, rfc3339, to_datetime
from gateway.config.limits import SimLimits
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest, NotFound, Unavailable
from gateway.message import Caution
from gateway.ports import Modem, Simulator
from gateway.requests import ModemCare, ModemView, Principal
from gateway.services.commands import Commands
from gateway.store import care, hosts, upkeep
from gateway.store.care import Care
from gateway.store.database import Store
from gateway.store.schema import AnyRow

_MAX_INJECTED = 10_000
_SIMULATE = "simulate"
_NO_REPORTS = Caution(
    "reports_missing",
    "the network takes what is sent and no report comes: perhaps nothing arrives, or it gives no reports",
)
#: A modem by node and name.
_Of: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The modems of this host by name, and the simulators behind the simulated ones."""

    modems: Mapping[str, Modem]
    simulators: Mapping[str, Simulator]


class Modems:
    """The modems of this host, and of the others on the same store."""

    def __init__(self, store: Store, clock: Clock, fleet: Fleet, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._node = settings.gateway.node
        self._zone = ZoneInfo(settings.gateway.timezone)
        self._limits = {name: _limits_of(modem.limits) for name, modem in settings.modems.items()}
        #: What hosts ask of each other.
        self.commands = Commands(store, clock, self._node)
        self.commands.handlers[_SIMULATE] = self._simulate_for_another

    def told(self) -> Mapping[str, Mapping[str, Any]]:
        """What other hosts should know of each modem, besides how it is."""
        return {name: {"limits": limits} for name, limits in self._limits.items()}

    async def list(self, principal: Principal) -> Sequence[ModemView]:
        """Every modem of every host, by name and then by node."""
        del principal  # the scope of the route is all that is asked
        since_us = self._midnight_us()

        def work(connection: Connection) -> tuple[dict[tuple[str, str], int], Sequence[AnyRow], Mapping[_Of, Care]]:
            return upkeep.sent_since(connection, since_us), self._others(connection), care.known(connection)

        counts, others, known = await self._store.read(work)
        here = [(self._node, modem.status(), self._limits.get(name)) for name, modem in self._fleet.modems.items()]
        there = [(row.node, *_status_of(row)) for row in others]
        views = [
            ModemView(
                status,
                node,
                counts.get((node, status.name), 0),
                limits,
                _care_of(known.get((node, status.name)), status),
            )
            for node, status, limits in [*here, *there]
        ]
        return sorted(views, key=lambda view: (view.status.name, view.node))

    async def simulate(self, principal: Principal, name: str, sender: str, text: str) -> None:
        """Let a text arrive at a simulated modem, `name` or `node:name`, as an inbound SMS."""
        del principal  # the scope of the route is all that is asked
        node, bare = await self._find(name)
        if node == self._node:
            self._simulate(bare, sender, text)
        else:
            await self.commands.ask(node, bare, _SIMULATE, {"from": sender, "text": text})

    async def _simulate_for_another(self, name: str, body: Mapping[str, Any]) -> None:
        self._simulate(name, body["from"], body["text"])

    def _simulate(self, name: str, sender: str, text: str) -> None:
        if name not in self._fleet.modems:
            raise _no_such_modem()
        simulator = self._fleet.simulators.get(name)
        if simulator is None:
            raise Conflict("not_simulated", "only a simulated modem can be given a text to receive")
        if not text or len(text) > _MAX_INJECTED:
            raise InvalidRequest.field("text_invalid", "/text", f"has 1 to {_MAX_INJECTED} characters")
        try:
            simulator.inject_sms(sender, text)
        except (TpduError, ValueError) as error:
            reason = error.args[-1] if isinstance(error, TpduError) else error
            raise InvalidRequest.field("simulate_invalid", "/from", f"cannot be a sender: {reason}") from None

    async def _find(self, name: str) -> tuple[str, str]:
        """Node and name of the modem that is meant: one of this host before one of another."""
        node, _, bare = name.rpartition(":")
        if node in {"", self._node} and bare in self._fleet.modems:
            return self._node, bare
        found = [row for row in await self._store.read(self._others) if row.name == bare and node in {"", row.node}]
        if not found:
            raise _no_such_modem()
        if len(found) > 1:
            raise Conflict("modem_ambiguous", "several hosts have a modem of that name; say node:name")
        if not found[0].alive:
            raise Unavailable("host_silent", f"host {found[0].node} is not running; nothing was done")
        return found[0].node, bare

    def _others(self, connection: Connection) -> Sequence[AnyRow]:
        if not self._store.engine.shared:
            return []
        return [row for row in hosts.modems(connection) if row.node != self._node]

    def _midnight_us(self) -> int:
        today = to_datetime(self._clock.now_us()).astimezone(self._zone).date()
        return from_datetime(datetime(today.year, today.month, today.day, tzinfo=self._zone))


def _care_of(known: Care | None, status: ModemStatus) -> ModemCare:
    if known is None:
        return ModemCare()
    balance = None
    if known.balance is not None:
        milli, at_us, iccid = known.balance
        # What another SIM had is not this one's.
        balance = (milli / 1000, at_us) if status.iccid in {None, iccid} else None
    warnings = [] if known.unreported_us is None else [_NO_REPORTS]
    return ModemCare(known.test, balance, warnings)


def _limits_of(limits: SimLimits) -> dict[str, int] | None:
    """What is written, by its key; None where there is no limit."""
    if not limits:
        return None
    return {key: value for key, value in asdict(limits).items() if value is not None}


def _status_of(row: AnyRow) -> tuple[ModemStatus, dict[str, int] | None]:
    """As its host told it; what a host without a lease told is of the past."""
    told: dict[str, Any] = json.loads(row.status)
    limits = told.pop("limits", None)
    if not row.alive:
        told["state"], told["reason"] = ModemState.ABSENT, _gone(row)
    told["state"] = ModemState(told["state"])
    return ModemStatus(**told), limits


def _gone(row: AnyRow) -> str:
    if row.ended == hosts.STOPPED:
        return f"its host {row.node} is stopped"
    return f"its host {row.node} has been silent since {rfc3339(row.lease_us)}"


def _no_such_modem() -> NotFound:
    return NotFound("modem_not_found", "there is no such modem")
