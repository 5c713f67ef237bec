"""Accepting a message: one check of everything that can never become right, then one durable commit.

What may still become right (an hour, an opt-out, a modem that is away) is not refused here; it is decided in front of
the modem and only forecast at the door.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from drivers.tpdu import Segmentation, TpduError, segment
from gateway.address import AddressKind, NumberInvalid, parse_recipient
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Category, Settings
from gateway.errors import FieldError, Forbidden, InvalidRequest
from gateway.ids import IdSource
from gateway.message import Caution, Encoding, Message, Rule, Status
from gateway.requests import NewMessage, Preview, Principal
from gateway.rules.admission import Facts, decide
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict
from gateway.store import messages, optouts, recipients
from gateway.store.database import Store

DEFAULT_CATEGORY = "transactional"
#: No part holds more characters than a single one does: 160 septets (TS 23.038, 6.1.2.1.1).
CHARACTERS_IN_PART = 160
MAX_REFERENCE = 255
#: A message planned for later than this is a slip of the pen.
MAX_AHEAD_US = 366 * 24 * 3600 * SECOND_US
_POLICIES = ("resend", "hold", "never")
_CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that passed every check of its form. Instants are microseconds UTC."""

    number: str
    text: str
    category: Category
    segmentation: Segmentation
    created_us: int
    send_us: int | None
    expires_us: int
    on_uncertain: str
    reference: str | None
    wanted_modem: str | None
    flash: bool

    @property
    def parts(self) -> int:
        """How many short messages it takes."""
        return len(self.segmentation.parts)


class Intake:
    """Takes messages in."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, ids: IdSource) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._ids = ids
        self._all_simulated = all(modem.simulated for modem in settings.modems.values())
        self._any_simulated = any(modem.simulated for modem in settings.modems.values())

    async def accept(self, principal: Principal, new: NewMessage) -> Message:
        """Check and commit one message; returns after the flush. Raises `InvalidRequest` or `Forbidden`."""
        draft = self.check(principal, new, self._clock.now_us())
        row = await self._store.write(lambda connection: self._insert(connection, principal, draft))
        return messages.of_row(row, draft.number)

    async def preview(self, principal: Principal, new: NewMessage, at_us: int | None) -> Preview:
        """What would become of it, were it handed in at `at_us` (now if None); changes nothing."""
        draft = self.check(principal, new, self._clock.now_us() if at_us is None else at_us)
        lookup = self._store.fingerprint(draft.number)
        opted_out = await self._store.read(lambda connection: _opted_out(connection, lookup, draft.category.name))
        verdict = decide(_facts(draft, opted_out=opted_out))
        return _preview(draft, verdict)

    def check(self, principal: Principal, new: NewMessage, now_us: int) -> Draft:
        """The draft of a request made at `now_us`; else everything that is wrong with it, all at once."""
        if principal.test and not self._any_simulated:
            raise InvalidRequest("no_simulated_modem", "this token only tests, and no simulated modem is configured")
        problems: list[tuple[str, FieldError]] = []
        category = self._category(principal, new, problems)
        number = self._number(new.to, problems)
        segmentation = self._segmentation(new.text, category, problems)
        expires_us = _expiry(new, category, now_us, problems)
        self._check_modem(principal, new, problems)
        _check_rest(new, problems)
        if problems or number is None or segmentation is None:
            code, first = problems[0]
            raise InvalidRequest(code, first.message, errors=[error for _, error in problems])
        return Draft(
            number=number,
            text=new.text,
            category=category,
            segmentation=segmentation,
            created_us=now_us,
            send_us=new.send_us if new.send_us is not None and new.send_us > now_us else None,
            expires_us=expires_us,
            on_uncertain=new.on_uncertain or category.on_uncertain,
            reference=new.reference,
            wanted_modem=None if new.modem is None else new.modem.removeprefix(f"{self._settings.gateway.node}:"),
            flash=new.flash,
        )

    def _category(self, principal: Principal, new: NewMessage, problems: list[tuple[str, FieldError]]) -> Category:
        name = new.category if new.category is not None else principal.default_category or DEFAULT_CATEGORY
        category = self._settings.categories.get(name)
        if category is None:
            _wrong(problems, "category_unknown", "/category", "there is no such category in the configuration")
            return self._settings.categories[DEFAULT_CATEGORY]
        if principal.categories and name not in principal.categories:
            raise Forbidden("category_not_allowed", f"this token may not send messages of category {name}")
        return category

    def _number(self, text: str, problems: list[tuple[str, FieldError]]) -> str | None:
        try:
            return parse_recipient(text, self._settings.gateway.country)
        except NumberInvalid as error:
            _wrong(problems, "number_invalid", "/to", str(error))
            return None

    def _segmentation(
        self, text: str, category: Category, problems: list[tuple[str, FieldError]]
    ) -> Segmentation | None:
        most = category.max_parts or self._settings.gateway.max_parts
        too_long = f"needs more than {most} parts, which is the limit"
        # The length first: looking through a text that cannot fit anyway would only cost time.
        if len(text) > most * CHARACTERS_IN_PART:
            _wrong(problems, "text_too_long", "/text", too_long)
        elif not text.strip():
            _wrong(problems, "text_empty", "/text", "is empty")
        elif any(character in _CONTROLS or "\ud800" <= character <= "\udfff" for character in text):
            _wrong(problems, "text_invalid", "/text", "contains control characters or halves of a surrogate pair")
        else:
            try:
                return segment(text, national_tables=category.national_tables, max_parts=most)
            except TpduError:
                _wrong(problems, "text_too_long", "/text", too_long)
        return None

    def _check_modem(self, principal: Principal, new: NewMessage, problems: list[tuple[str, FieldError]]) -> None:
        if new.modem is None:
            return
        modem = self._settings.modems.get(new.modem.removeprefix(f"{self._settings.gateway.node}:"))
        if modem is None:
            _wrong(problems, "modem_unknown", "/modem", "there is no such modem in the configuration")
        elif principal.test and not modem.simulated:
            _wrong(problems, "modem_unsuitable", "/modem", "is real, and this token only tests")
        elif modem.simulated and not principal.test and not self._all_simulated:
            _wrong(problems, "modem_unsuitable", "/modem", "is simulated: beside a real one it takes only test tokens")

    def _insert(self, connection: Connection, principal: Principal, draft: Draft) -> messages.NewRow:
        lookup = self._store.fingerprint(draft.number)
        person = recipients.ensure(connection, draft.number, AddressKind.E164, lookup, draft.created_us)
        category = draft.category
        opted_out = category.stoppable and optouts.is_opted_out(connection, person, category.name)
        hold, status, error = _standing(decide(_facts(draft, opted_out=opted_out)))
        row = messages.NewRow(
            id=self._ids.new(),
            recipient_id=person,
            token_id=principal.token_id,
            category=category.name,
            priority=category.priority,
            stoppable=category.stoppable,
            test=principal.test,
            text=draft.text,
            flash=draft.flash,
            encoding=Encoding(draft.segmentation.encoding),
            parts=draft.parts,
            reference=draft.reference,
            wanted_modem=draft.wanted_modem,
            on_uncertain=draft.on_uncertain,
            created_us=draft.created_us,
            send_us=draft.send_us,
            due_us=draft.send_us or draft.created_us,
            expires_us=draft.expires_us,
            simulated=principal.test or self._all_simulated,
            status=status,
            hold_rule=hold.rule if hold else None,
            hold_until_us=hold.until_us if hold else None,
            hold_detail=hold.explanation if hold else None,
            error_code=error.rule if error else None,
            error_message=error.explanation if error else None,
            warnings=_stored(warnings_of(draft)),
        )
        messages.add(connection, row)
        return row


def _check_rest(new: NewMessage, problems: list[tuple[str, FieldError]]) -> None:
    if new.reference is not None and not 1 <= len(new.reference) <= MAX_REFERENCE:
        _wrong(problems, "reference_invalid", "/reference", f"has 1 to {MAX_REFERENCE} characters")
    if new.on_uncertain is not None and new.on_uncertain not in _POLICIES:
        _wrong(problems, "policy_unknown", "/on_uncertain", f"is one of {', '.join(_POLICIES)}")


def warnings_of(draft: Draft) -> list[Caution]:
    """What a person may want to change."""
    count = len(draft.segmentation.forced_ucs2_by)
    if count == 0:
        return []
    what = "1 character is" if count == 1 else f"{count} characters are"
    return [Caution("forced_ucs2", f"{what} not in the GSM alphabet, so a part holds 70 characters instead of 160")]


def _stored(cautions: Sequence[Caution]) -> str | None:
    return json.dumps([[each.code, each.message] for each in cautions]) if cautions else None


def _facts(draft: Draft, *, opted_out: bool) -> Facts:
    stoppable = draft.category.stoppable
    return Facts(draft.created_us, draft.send_us, draft.expires_us, stoppable=stoppable, opted_out=opted_out)


def _standing(verdict: Verdict) -> tuple[Defer | None, Status, Refuse | None]:
    """Status at acceptance: what is refused now is accepted all the same, and ends at once."""
    match verdict:
        case Allow():
            return None, Status.QUEUED, None
        case Defer():
            return verdict, Status.HELD, None
        case Refuse(rule=Rule.OPT_OUT):
            return None, Status.SUPPRESSED, verdict
        case Refuse():
            return None, Status.EXPIRED, verdict


def _expiry(new: NewMessage, category: Category, now_us: int, problems: list[tuple[str, FieldError]]) -> int:
    start_us = max(new.send_us or now_us, now_us)
    if start_us > now_us + MAX_AHEAD_US:
        _wrong(problems, "send_at_too_far", "/send_at", "is more than a year ahead")
        return start_us
    default_us = (now_us if new.send_us is None else new.send_us) + category.expires_after_us
    expires_us = default_us if new.expires_us is None else new.expires_us
    if new.expires_us is None and expires_us <= now_us:
        _wrong(problems, "send_at_too_old", "/send_at", "is so long ago that the message has expired")
    elif expires_us <= start_us:
        _wrong(problems, "expires_too_early", "/expires_at", "is not after the moment of sending")
    elif expires_us > now_us + 2 * MAX_AHEAD_US:
        _wrong(problems, "expires_too_late", "/expires_at", "is more than two years ahead")
    return expires_us


def _opted_out(connection: Connection, lookup: bytes, category: str) -> bool:
    person = recipients.find(connection, lookup)
    return person is not None and optouts.is_opted_out(connection, person, category)


_NO_RULE = "no rule speaks against it"


def _preview(draft: Draft, verdict: Verdict) -> Preview:
    found = draft.segmentation
    return Preview(
        encoding=Encoding(found.encoding),
        parts=draft.parts,
        characters=found.characters,
        remaining=found.remaining,
        forced_ucs2_by=list(found.forced_ucs2_by),
        gsm7_text=None,
        text=draft.text,
        decision={Allow: "send", Defer: "hold", Refuse: "refuse"}[type(verdict)],
        rule=None if isinstance(verdict, Allow) else verdict.rule,
        until_us=verdict.until_us if isinstance(verdict, Defer) else None,
        explanation=[_NO_RULE if isinstance(verdict, Allow) else verdict.explanation],
        warnings=warnings_of(draft),
    )


def _wrong(problems: list[tuple[str, FieldError]], code: str, pointer: str, message: str) -> None:
    problems.append((code, FieldError(pointer, message)))
