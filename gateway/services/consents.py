"""Consent: what people agreed to, entered and looked up; and the question of a double opt-in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from drivers.tpdu import segment
from gateway.address import AddressKind, NumberInvalid, parse_recipient
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Category, Settings
from gateway.errors import Conflict, FieldError, InvalidRequest
from gateway.ids import IdSource
from gateway.inbound.own_words import OwnWords
from gateway.inbound.replies import REPLY_CATEGORY
from gateway.message import Consent, ConsentState, Encoding, Rule, Status
from gateway.outbound.door import numbers_of
from gateway.outbound.routes import Lanes
from gateway.requests import ConsentFilter, ConsentIn, Page, Principal
from gateway.services.optouts import API
from gateway.services.visibility import before_row, only_people, refuse_person
from gateway.store import choices, consents, messages, optouts, questions, recipients
from gateway.store.consents import NewConsent
from gateway.store.database import Store

#: One question to one number about one category in so long, in microseconds.
ASKED_APART_US = 24 * 3600 * SECOND_US
# A client's clock may be so far ahead of ours.
_AHEAD_US = 5 * SECOND_US
#: The longest that each text may be, in characters.
LONGEST: Mapping[str, int] = {"channel": 64, "wording": 10_000, "evidence": 10_000, "source": 255, "by": 255}
_LAYOUT = "\n\t"
_UNFIT = frozenset({"Cc", "Cs"})


@dataclass(frozen=True, slots=True)
class _Checked:
    """What somebody handed in, with nothing wrong about it."""

    number: str
    category: Category
    wanted: ConsentIn
    lookup: bytes


class Consents:
    """The ledger, for front ends."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: IdSource,
        nudge: Callable[[], None],
        *,
        settings: Settings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._nudge = nudge
        self._settings = settings
        self._words = OwnWords(settings)
        self._numbers = numbers_of(settings)
        self._lanes = Lanes(settings.modems, settings.gateway.node)
        self._all_simulated = all(modem.simulated for modem in settings.modems.values())

    async def list(
        self, principal: Principal, wanted: ConsentFilter, *, limit: int, cursor: str | None
    ) -> Page[Consent]:
        """Entries that fit, those written last first; for a token that only tests, of its people alone."""
        before = before_row(cursor)
        lookup = None if wanted.number is None else self._store.fingerprint(self._number(wanted.number, "number"))

        def work(connection: Connection) -> Page[Consent]:
            person = None if lookup is None else recipients.find(connection, lookup)
            if lookup is not None and person is None:
                return Page([], None)
            people = only_people(principal)
            return consents.page(connection, wanted, recipient_id=person, limit=limit, before=before, people=people)

        return await self._store.read(work)

    async def add(self, principal: Principal, wanted: ConsentIn) -> Consent:
        """Enter it, or with `double_opt_in` ask the person. Raises `InvalidRequest` with everything that is wrong, or
        `Conflict` where a question cannot be asked now."""
        now_us = self._clock.now_us()
        checked = self._checked(wanted, now_us)
        refuse_person(principal, checked.number)
        ask = wanted.double_opt_in

        def work(connection: Connection) -> Consent:
            kind = AddressKind.E164
            person = recipients.ensure(connection, checked.number, kind, checked.lookup, now_us)
            enter = self._ask if ask else self._enter
            return consents.get(connection, enter(connection, principal, checked, person, now_us))

        entered = await self._store.write(work, hurried=True)
        if ask:
            self._nudge()
        return entered

    def _enter(self, connection: Connection, principal: Principal, checked: _Checked, person: int, now_us: int) -> int:
        """Write it down. What waits ends if nothing is agreed to any more."""
        wanted, category = checked.wanted, checked.category
        state = ConsentState(wanted.state)
        entry = _entry(principal, checked, person, state, now_us)
        row = (consents.say_now if wanted.at_us is None else consents.record)(connection, entry)
        # Also where consent is implied: who says no is not written to.
        if state is ConsentState.WITHDRAWN is consents.state_of(connection, person, category.name):
            choices.end_without_consent(connection, person, category.name, now_us)
        return row

    def _ask(self, connection: Connection, principal: Principal, checked: _Checked, person: int, now_us: int) -> int:
        """Send the question and write down that it was asked."""
        # Two who ask at once at two hosts: the second sees the first's question.
        recipients.lock(connection, person)
        name = checked.category.name
        if optouts.is_opted_out(connection, person, name) or self._is_unwanted(connection, person):
            raise Conflict("opted_out", "this person has opted out; only they can take that back")
        if consents.state_of(connection, person, name) is ConsentState.GIVEN:
            raise Conflict("consent_stands", "this person has agreed already")
        last = consents.last_question(connection, person, name)
        if last is not None and abs(now_us - last.recorded_us) < ASKED_APART_US:
            raise Conflict("asked_lately", "this person was asked within the last day")
        question = self._words.say("confirm", category=name, language=recipients.language_of(connection, person))
        asking = self._question(principal, checked.number, person, question, now_us)
        messages.add(connection, asking)
        shown = "\n".join(text for text in (checked.wanted.wording, question) if text)
        entry = _entry(principal, checked, person, ConsentState.ASKED, now_us, wording=shown)
        told = questions.evidence_of(asking.id, checked.wanted.evidence)
        return consents.record(connection, replace(entry, evidence=told))

    def _is_unwanted(self, connection: Connection, person: int) -> bool:
        """Whether the question itself could not be sent to them."""
        withdrawn = consents.state_of(connection, person, REPLY_CATEGORY) is ConsentState.WITHDRAWN
        return withdrawn or optouts.is_opted_out(connection, person, REPLY_CATEGORY)

    def _question(self, principal: Principal, number: str, person: int, text: str, now_us: int) -> messages.NewRow:
        category = self._settings.categories[REPLY_CATEGORY]
        found = segment(text)
        return messages.NewRow(
            id=self._ids.new(),
            recipient_id=person,
            # Who works on the store itself has no token.
            token_id=principal.token_id or None,
            category=category.name,
            priority=category.priority,
            stoppable=category.stoppable,
            test=principal.test,
            lane=self._lanes.find(principal, category, None, number)[0],
            text=text,
            encoding=Encoding(found.encoding),
            parts=len(found.parts),
            # Doubt about a question is never worth a second one.
            on_uncertain="never",
            simulated=principal.test or self._all_simulated,
            status=Status.QUEUED,
            created_us=now_us,
            due_us=now_us,
            expires_us=now_us + category.expires_after_us,
        )

    def _checked(self, wanted: ConsentIn, now_us: int) -> _Checked:
        """Everything that is wrong with it at once."""
        problems: list[tuple[str, FieldError]] = []
        number = self._judged(wanted, problems)
        category = self._settings.categories.get(wanted.category)
        if category is None:
            _wrong(problems, "category_unknown", "/category", "there is no such category in the configuration")
        elif category.consent == "none":
            _wrong(problems, "category_without_consent", "/category", "nobody is asked for messages of this category")
        if wanted.at_us is not None and wanted.at_us > now_us + _AHEAD_US:
            _wrong(problems, "at_in_future", "/at", "is in the future")
        if wanted.double_opt_in and wanted.state != ConsentState.GIVEN:
            _wrong(problems, "state_unsuitable", "/double_opt_in", "is a question to somebody who agrees")
        if wanted.double_opt_in and wanted.at_us is not None:
            _wrong(problems, "at_unsuitable", "/at", "cannot be said with double_opt_in: the answer's time counts")
        for name, longest in LONGEST.items():
            _check_text(problems, name, getattr(wanted, name), longest)
        if problems or number is None or category is None:
            code, first = problems[0]
            raise InvalidRequest(code, first.message, errors=[error for _, error in problems])
        return _Checked(number, category, wanted, self._store.fingerprint(number))

    def _judged(self, wanted: ConsentIn, problems: list[tuple[str, FieldError]]) -> str | None:
        """The number in its normal form; one that is to be asked must be one that may be written to."""
        try:
            number = self._number(wanted.number, "/number")
        except InvalidRequest as error:
            problems += [(error.code, each) for each in error.errors]
            return None
        refusal = self._numbers.refusal(number) if wanted.double_opt_in else None
        if refusal is not None:
            _wrong(problems, Rule.NUMBER_NOT_ALLOWED, "/number", refusal)
        return number

    def _number(self, text: str, pointer: str) -> str:
        try:
            return parse_recipient(text, self._settings.gateway.country)
        except NumberInvalid as error:
            raise InvalidRequest.field("number_invalid", pointer, str(error)) from None


def _entry(
    principal: Principal,
    checked: _Checked,
    person: int,
    state: ConsentState,
    now_us: int,
    *,
    wording: str | None = None,
) -> NewConsent:
    wanted = checked.wanted
    return NewConsent(
        recipient_id=person,
        category=checked.category.name,
        state=state,
        at_us=now_us if wanted.at_us is None else min(wanted.at_us, now_us),
        recorded_us=now_us,
        channel=wanted.channel,
        wording=wording or wanted.wording,
        evidence=wanted.evidence,
        source=wanted.source or API,
        by=wanted.by or principal.name or None,
    )


def _check_text(problems: list[tuple[str, FieldError]], name: str, text: str | None, longest: int) -> None:
    if text is None:
        return
    # The length first: looking through a text that cannot be taken anyway would only cost time.
    if len(text) > longest:
        _wrong(problems, f"{name}_too_long", f"/{name}", f"must be at most {longest} characters long")
    elif any(unicodedata.category(each) in _UNFIT and each not in _LAYOUT for each in text):
        _wrong(problems, f"{name}_invalid", f"/{name}", "contains control characters or halves of a surrogate pair")


def _wrong(problems: list[tuple[str, FieldError]], code: str, pointer: str, message: str) -> None:
    problems.append((code, FieldError(pointer, message)))
