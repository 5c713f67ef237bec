"""Modems: how they are, here and at other hosts; what is done to one; texts let in through a simulated one."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from drivers.events import ModemState, ModemStatus
from drivers.tpdu import TpduError
from gateway.address import AddressKind, normalise_sender
from gateway.clock import Clock, from_datetime, rfc3339, to_datetime
from gateway.config.limits import SimLimits
from gateway.config.settings import Settings
from gateway.config.test_network import written
from gateway.errors import Conflict, InvalidRequest, Unavailable
from gateway.message import Caution
from gateway.ports import Modem, Simulator
from gateway.requests import ModemCare, ModemView, Principal
from gateway.rules.sim_limits import Counts, Spans, spans_at
from gateway.services.commands import Commands
from gateway.services.modem_acts import (
    AT,
    USSD,
    ModemActs,
    check_code,
    check_line,
    no_such_modem,
    patience_us,
    refuse_real_to_test,
)
from gateway.services.visibility import refuse_person
from gateway.store import care, hosts, sim_counts, upkeep
from gateway.store.care import Care
from gateway.store.database import Store
from gateway.store.schema import AnyRow
from gateway.store.sim_counts import Used

log = logging.getLogger(__name__)

_MAX_INJECTED = 10_000
_SIMULATE = "simulate"
_STATUS_FIELDS = tuple(field.name for field in fields(ModemStatus))
_NO_REPORTS = Caution(
    "reports_missing",
    "the network takes what is sent and no report comes: perhaps nothing arrives, or it gives no reports",
)
#: A modem by node and name.
_Of: TypeAlias = tuple[str, str]
# Parts sent today, the modems of other hosts, the use of SIMs, and what is looked after.
_Counts: TypeAlias = tuple[dict[_Of, int], Sequence[AnyRow], dict[str, Used], Mapping[_Of, Care]]


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
        self._country = settings.gateway.country
        self._zone = ZoneInfo(settings.gateway.timezone)
        modems = written(settings.modems)
        self._simulated = {name for name, modem in modems.items() if modem.simulated}
        self._numbers = {_digits(modem.number): name for name, modem in modems.items() if modem.number}
        self._limits = {name: _limits_of(modem.limits) for name, modem in modems.items()}
        #: What else other hosts should know of each.
        self.further: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
        #: What hosts ask of each other.
        self.commands = Commands(store, clock, self._node)
        self._acts = ModemActs(store, clock, fleet.modems, self._node).all
        self.commands.handlers |= {_SIMULATE: self._simulate_for_another, **self._acts}

    def told(self) -> Mapping[str, Mapping[str, Any]]:
        """What other hosts should know of each modem, besides how it is."""
        further = self.further()
        return {name: {"limits": limits, **further.get(name, {})} for name, limits in self._limits.items()}

    async def list(self, principal: Principal) -> Sequence[ModemView]:
        """Every modem of every host, by name and then by node."""
        del principal  # the scope of the route is all that is asked
        since_us = self._midnight_us()

        def work(connection: Connection) -> _Counts:
            sims, cared = sim_counts.every(connection), care.known(connection)
            return upkeep.sent_since(connection, since_us), self._others(connection), sims, cared

        counts, others, sims, cared = await self._store.read(work)
        here = [(self._node, modem.status(), self._limits.get(name)) for name, modem in self._fleet.modems.items()]
        there = [(row.node, *_status_of(row)) for row in others]
        views = [
            ModemView(
                status,
                node,
                counts.get((node, status.name), 0),
                self._with_used(status, node, limits, sims),
                _care_of(cared.get((node, status.name)), status),
            )
            for node, status, limits in [*here, *there]
        ]
        return sorted(views, key=lambda view: (view.status.name, view.node))

    def with_number(self, principal: Principal, number: str) -> str | None:
        """The modem of this host whose number that is, however it is written; None for none that this token may use."""
        name = self._numbers.get(_digits(number)) if number else None
        return None if principal.test and name not in self._simulated else name

    def number_of(self, name: str | None) -> str | None:
        """The number of a modem of this host, in digits with a +; None where the configuration says none."""
        return next((f"+{digits}" for digits, each in self._numbers.items() if each == name), None)

    async def simulate(self, principal: Principal, name: str, sender: str, text: str) -> None:
        """Let a text arrive at a simulated modem, `name` or `node:name`, as an inbound SMS; from a token that only
        tests never in the name of a real person, whose STOP it could be."""
        node, bare = await self._find(principal, name)
        number, kind = normalise_sender(sender, self._country)
        if kind is AddressKind.E164:
            refuse_person(principal, number)
        if node == self._node:
            self._simulate(bare, sender, text)
        else:
            await self.commands.ask(node, bare, _SIMULATE, {"from": sender, "text": text})

    async def act(self, principal: Principal, name: str, verb: str) -> tuple[ModemView, int | None]:
        """Reset, pause, resume or unlock a modem: the modem afterwards, and for `unlock` the tries that its PIN had
        left before.

        Raises `NotFound`, `Forbidden` for a test token and a real modem, and `Conflict`: `modem_not_locked`,
        `pin_last_try` and `pin_no_counter` for `unlock`.
        """
        node, bare = await self._find(principal, name)
        said = await self._done(node, bare, verb, {})
        _note(f"modem_{verb}", node, bare, principal)
        views = await self.list(principal)
        view = next((each for each in views if (each.node, each.status.name) == (node, bare)), None)
        if view is None:
            raise no_such_modem()
        # What another host told all of its modem is older than what it answers.
        return replace(view, status=_status(dict(said["status"]))), said.get("tries_left")

    async def converse(self, principal: Principal, name: str, line: str, seconds: float) -> Sequence[str]:
        """Give a modem a command line by hand; the lines of its answer, the final result last.

        Raises `InvalidRequest` for what is not given by hand, `Conflict` while the modem is not ready, `Unavailable`
        when it does not answer.
        """
        node, bare = await self._find(principal, name)
        said = await self._done(node, bare, AT, {"command": check_line(line), "seconds": seconds})
        _note("modem_at", node, bare, principal)
        return [str(each) for each in said["lines"]]

    async def ussd(self, principal: Principal, name: str, code: str) -> str:
        """Send a USSD code through a modem; what the network answers. Raises as `converse`."""
        node, bare = await self._find(principal, name)
        said = await self._done(node, bare, USSD, {"code": check_code(code)})
        log.info(
            "the network was asked", extra={"action": "modem_ussd", "modem": f"{node}:{bare}", "by": principal.name}
        )
        return str(said["text"])

    async def _done(self, node: str, name: str, act: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Done at the host that has the modem."""
        if node == self._node:
            return await self._acts[act](name, said)
        return await self.commands.ask(node, name, act, said, patience_us=patience_us(act, said))

    async def _simulate_for_another(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._simulate(name, body["from"], body["text"])
        return {}

    def _simulate(self, name: str, sender: str, text: str) -> None:
        if name not in self._fleet.modems:
            raise no_such_modem()
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

    async def _find(self, principal: Principal, name: str) -> tuple[str, str]:
        """Node and name of the modem that is meant: one of this host before one of another; raises `Forbidden` for a
        real one that a test token means."""
        node, _, bare = name.rpartition(":")
        if node in {"", self._node} and bare in self._fleet.modems:
            refuse_real_to_test(principal, simulated=bare in self._simulated)
            return self._node, bare
        found = [row for row in await self._store.read(self._others) if row.name == bare and node in {"", row.node}]
        if not found:
            raise no_such_modem()
        if len(found) > 1:
            raise Conflict("modem_ambiguous", "several hosts have a modem of that name; say node:name")
        refuse_real_to_test(principal, simulated=bool(found[0].simulated))
        if not found[0].alive:
            raise Unavailable("host_silent", f"host {found[0].node} is not running; nothing was done")
        return found[0].node, bare

    def _others(self, connection: Connection) -> Sequence[AnyRow]:
        if not self._store.engine.shared:
            return []
        return [row for row in hosts.modems(connection) if row.node != self._node]

    def _with_used(
        self, status: ModemStatus, node: str, limits: Mapping[str, int] | None, sims: Mapping[str, Used]
    ) -> Mapping[str, object] | None:
        """The limits of a modem, and under `used` what its SIM was used for, as far as it is counted."""
        if limits is None:
            return None
        used = sims.get(status.iccid or f"{node}:{status.name}")
        if used is None or used.month_us == 0:
            return {**limits, "used": None}
        spans = spans_at(self._clock.now_us(), limits.get("billing_day", 1), self._zone)
        present = _used_in(used, spans)
        counted = {
            "per_minute": present.minute,
            "per_day": present.day,
            "per_month": present.month,
            "recipients_per_month": present.people,
        }
        return {**limits, "used": {key: count for key, count in counted.items() if key in limits}}

    def _midnight_us(self) -> int:
        today = to_datetime(self._clock.now_us()).astimezone(self._zone).date()
        return from_datetime(datetime(today.year, today.month, today.day, tzinfo=self._zone))


def _digits(number: str) -> str:
    """What is the same in all ways of writing an international number."""
    return "".join(each for each in number if each in "0123456789").removeprefix("00")


def _note(action: str, node: str, name: str, principal: Principal) -> None:
    """Who did what to which modem; not what was asked or answered, which may hold numbers."""
    log.info("modem command", extra={"action": action, "modem": f"{node}:{name}", "by": principal.name})


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


def _used_in(used: Used, spans: Spans) -> Counts:
    """What was counted in the spans of this instant; a clock that was set back does not begin one anew."""
    return Counts(
        minute=used.minute_parts if used.minute_us >= spans.minute_us else 0,
        day=used.day_parts if used.day_us >= spans.day_us else 0,
        month=used.month_parts if used.month_us >= spans.month_us else 0,
        people=used.people if used.month_us >= spans.month_us else 0,
    )


def _status_of(row: AnyRow) -> tuple[ModemStatus, dict[str, int] | None]:
    """As its host told it; what a host without a lease told is of the past."""
    everything: dict[str, Any] = json.loads(row.status)
    limits = everything.get("limits")
    # Beside it stand what only the hosts tell each other.
    told = {name: everything[name] for name in _STATUS_FIELDS if name in everything}
    if not row.alive:
        told["state"], told["reason"] = ModemState.ABSENT, _gone(row)
    return _status(told), limits


def _status(told: dict[str, Any]) -> ModemStatus:
    told["state"] = ModemState(told["state"])
    return ModemStatus(**told)


def _gone(row: AnyRow) -> str:
    if row.ended == hosts.STOPPED:
        return f"its host {row.node} is stopped"
    return f"its host {row.node} has been silent since {rfc3339(row.lease_us)}"
