"""Alerts of monitoring systems: what is new to each person is told, in the transaction that remembers it.

Each person stands for himself: what one may not be sent keeps nothing from the others. A request that is sent again,
by the same system or the other one of a pair, before or after a crash, tells nobody twice and leaves nobody out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from gateway.address import NumberInvalid, parse_recipient
from gateway.alert import Alert
from gateway.clock import Clock
from gateway.config.settings import Category, Settings
from gateway.errors import Conflict, FieldError, GatewayError, InvalidRequest
from gateway.message import Caution
from gateway.outbound.door import DEFAULT_CATEGORY
from gateway.outbound.intake import Intake
from gateway.outbound.storms import fits_in
from gateway.outbound.wording import Wording
from gateway.requests import NewMessage, Principal, Submission, Told
from gateway.rings.checks import refuse_segments
from gateway.rings.listed import Listed, People, names_segment
from gateway.rules.alert_text import Fits, worded
from gateway.rules.alerts import AlertRules, Fate, Outcome
from gateway.services.messages import Nudge
from gateway.store import alerts
from gateway.store.database import Store

#: More people than this are a campaign; more alerts are counted and not looked at one by one.
MOST_RECIPIENTS, MOST_ALERTS = 100, 1000
#: Alerts times people: what is remembered of one request, and a second of work.
MOST_LINES = 5000
#: Words of severities that rules commonly have; any other word is not worth a message of its own.
_USUAL = frozenset({"critical", "page", "high", "error", "warning", "low", "info"})
# Somebody else tells of the same alert at this moment: so often it is looked at again.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Line:
    """One alert for one person, and what becomes of it."""

    lookup: bytes
    alert: Alert
    outcome: Outcome


class Alerts:
    """Takes alerts in."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, intake: Intake, nudge: Nudge, *, listed: Listed
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._intake = intake
        self._nudge = nudge
        self._people = People(listed, settings.gateway.country)
        self._wording = Wording(settings)
        self._rules = AlertRules(settings.hooks.repeat_after_us, settings.hooks.flapping)

    async def take(
        self, principal: Principal, system: str, found: Sequence[Alert], to: Sequence[str]
    ) -> Sequence[Told]:
        """Tell these people of these alerts, each of what is new to him; returns what became of them, person by person.

        `to` are numbers and segments' names, `system` is where the fingerprints come from. Raises `InvalidRequest` when
        one of them is none, and `Forbidden` where the token may not name segments: then nobody is told. What is wrong
        with one person's messages alone stands in his answer.
        """
        refuse_segments(principal, to)
        numbers = await self._numbers(principal, to)
        # Of an alert that is named twice the last word counts.
        latest = list({each.fingerprint: each for each in found}.values())
        # What fires is looked at first, so that it is the rest that is counted only.
        latest.sort(key=lambda each: not each.firing)
        most = min(MOST_ALERTS, MOST_LINES // len(numbers))
        kept, more = latest[:most], max(0, len(latest) - most)
        told: list[Told] = []
        for number in numbers:
            told.append(await self._tell(principal, system, kept, number, more))
            # Others' requests are answered between two people.
            await asyncio.sleep(0)
        self._nudge()
        return told

    async def _numbers(self, principal: Principal, to: Sequence[str]) -> list[str]:
        """The numbers in their normal form, each once; those of segments last."""
        errors: list[FieldError] = []
        numbers: dict[str, None] = {}
        for each in to:
            try:
                if not names_segment(each):
                    numbers[parse_recipient(each, self._settings.gateway.country)] = None
            except NumberInvalid as error:
                errors.append(FieldError("to", str(error)))
        if not to:
            errors.append(FieldError("to", "names nobody: write the numbers behind ?to="))
        if errors:
            raise InvalidRequest("number_invalid", errors[0].message, errors=errors)
        numbers |= dict.fromkeys(await self._members(principal, list(filter(names_segment, to))))
        if not 1 <= len(numbers) <= MOST_RECIPIENTS:
            what = f"names more than {MOST_RECIPIENTS} people" if numbers else "names segments that nobody is in"
            raise InvalidRequest.field("number_invalid", "to", what)
        return list(numbers)

    async def _members(self, principal: Principal, names: Sequence[str]) -> list[str]:
        """The numbers of segments; one more than may be told at most."""
        if not names:
            return []
        try:
            await self._people.check(names)
        except InvalidRequest as error:
            raise InvalidRequest.field(error.code, "to", error.errors[0].message) from None
        found: list[str] = []
        async with aclosing(self._people.numbers(names, test=principal.test, most=MOST_RECIPIENTS)) as chunks:
            async for numbers in chunks:
                found += numbers
                if len(found) > MOST_RECIPIENTS:
                    break
        return found

    async def _tell(self, principal: Principal, system: str, found: Sequence[Alert], number: str, more: int) -> Told:
        for _ in range(_TRIES):
            try:
                return await self._tell_once(principal, system, found, number, more)
            except Conflict:
                continue
            except GatewayError as error:
                return Told(number, {}, error=error)
        return Told(number, {}, error=Conflict("alert_raced", "others told of this alert again and again"))

    async def _tell_once(
        self, principal: Principal, system: str, found: Sequence[Alert], number: str, more: int
    ) -> Told:
        """Decide by what is known, and write both if it is known still."""
        name = partial(_name, principal, system, number)
        by_lookup = {self._store.fingerprint(name(each)): each for each in found}
        seen = await self._store.read(lambda connection: alerts.known(connection, list(by_lookup)))
        now_us = self._clock.now_us()
        lines = [
            _Line(lookup, each, self._rules.decide(each, seen.get(lookup), now_us))
            for lookup, each in by_lookup.items()
        ]
        counts = {fate.value: count for fate, count in Counter(line.outcome.fate for line in lines).items()}
        news = [line for line in lines if line.outcome.fate in {Fate.TOLD, Fate.DAMPED}]
        if not news:
            return Told(number, counts)
        cautions: dict[str, Caution] = {}
        submissions = self._submissions(principal, news, number, more, cautions)
        states = {line.lookup: line.outcome.state for line in news if line.outcome.state is not None}
        accepted = await self._intake.accept_all(
            principal, submissions, beside=partial(alerts.keep, seen=seen, states=states, now_us=now_us)
        )
        return Told(number, counts, accepted, list(cautions.values()))

    def _submissions(
        self, principal: Principal, news: Sequence[_Line], number: str, more: int, cautions: dict[str, Caution]
    ) -> list[Submission]:
        """One message for all that fire in a category, one for all that are over; one each for what is damped."""
        groups: dict[tuple[object, ...], list[_Line]] = {}
        for line in news:
            damped = line.lookup if line.outcome.fate is Fate.DAMPED else None
            category = self._category(principal, line.alert, cautions)
            severity = self._severity(line.alert)
            groups.setdefault((category, line.alert.firing, severity, damped), []).append(line)
        return [
            Submission(self._message(principal, category, lines, number, more if at == 0 else 0))
            for at, ((category, *_), lines) in enumerate(groups.items())
        ]

    def _severity(self, found: Alert) -> str:
        """What makes a message of its own: the word is the sender's, so only those that are known do."""
        known = found.severity in _USUAL or found.severity in self._settings.hooks.severity
        return found.severity if found.firing and known else ""

    def _message(
        self, principal: Principal, category: object, lines: Sequence[_Line], number: str, more: int
    ) -> NewMessage:
        name = str(category) if category is not None else principal.default_category or DEFAULT_CATEGORY
        chosen = self._settings.categories.get(name) or self._settings.categories[DEFAULT_CATEGORY]
        told = [line.alert for line in lines]
        text = worded(told, self._settings.hooks.words, self._fits(principal, chosen, number), more=more)
        send_us = lines[0].outcome.send_us
        if send_us is None:
            return NewMessage(number, text, name)
        # The last state is what is told: it takes the place of the one before.
        reference = f"alert:{lines[0].lookup.hex()[:32]}"
        return NewMessage(number, text, name, send_us=send_us, reference=reference, replaces=True)

    def _category(self, principal: Principal, found: Alert, cautions: dict[str, Caution]) -> str | None:
        """The category that the severity asks for, if the token may use it; None is the token's own."""
        wanted = self._settings.hooks.severity.get(found.severity)
        if wanted is None or not principal.categories or wanted in principal.categories:
            return wanted
        sentence = f"this token may not send {wanted}, which the severity asks for: its default category is used"
        cautions.setdefault(wanted, Caution("category_not_allowed", sentence))
        return None

    def _fits(self, principal: Principal, category: Category, number: str) -> Fits:
        """Whether a text, with all that is put around it, takes no more parts than an alert may."""
        hooks, gateway = self._settings.hooks, self._settings.gateway
        most = min(hooks.max_parts, category.max_parts or gateway.max_parts)
        within = fits_in(most, national_tables=category.national_tables)

        def fits(text: str) -> bool:
            composed = self._wording.likely(text, category, number, wanted=None, test=principal.test)
            return within(composed.text)

        return fits


def _name(principal: Principal, system: str, number: str, found: Alert) -> str:
    return f"alert/{principal.token_id}/{system}/{number}/{found.fingerprint}"
