"""The door: one check of everything that can never become right, before anything is committed.

What may still become right (an hour, an opt-out, a modem that is away) is not refused here; it is decided in front of
the modem and only forecast at the door.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from drivers.tpdu import Segmentation, TpduError, segment
from gateway.address import NumberInvalid, parse_recipient
from gateway.clock import SECOND_US
from gateway.config.settings import Category, Settings
from gateway.errors import FieldError, Forbidden, InvalidRequest
from gateway.message import Caution, Rule
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.routes import Lanes
from gateway.requests import NewMessage, Principal
from gateway.rules.admission import Facts
from gateway.rules.numbers import Numbers
from gateway.rules.routing import wanted_text

T = TypeVar("T")

DEFAULT_CATEGORY = "transactional"
#: No part holds more characters than a single one does: 160 septets (TS 23.038, 6.1.2.1.1).
CHARACTERS_IN_PART = 160
MAX_REFERENCE = 255
#: A message planned for later than this is a slip of the pen.
MAX_AHEAD_US = 366 * 24 * 3600 * SECOND_US
_POLICIES = ("resend", "hold", "never")
# Control characters that are no layout, and halves of surrogate pairs; none of them is printable.
_UNFIT = re.compile("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]")


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
    replaces: bool
    #: What `gateway.rules.routing.Lane` says of it, and whether a modem of this configuration takes such a message.
    lane: str
    routed: bool = True
    wanted_node: str | None = None

    @property
    def parts(self) -> int:
        """How many short messages it takes."""
        return len(self.segmentation.parts)


class Memory:
    """What was found out while one request was read: long lists repeat numbers and texts."""

    _MOST = 500

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` said when it was first asked; what it raises is not remembered."""
        if key not in self._found:
            if len(self._found) >= self._MOST:
                self._found.clear()
            self._found[key] = find()
        return self._found[key]


class Door:
    """Checks what is handed in."""

    def __init__(self, settings: Settings, elsewhere: Elsewhere | None = None, *, shared: bool = False) -> None:
        self._settings = settings
        self._elsewhere = elsewhere or Elsewhere()
        self._node = settings.gateway.node if shared else None
        self._all_simulated = all(modem.simulated for modem in settings.modems.values())
        self._any_simulated = any(modem.simulated for modem in settings.modems.values())
        self._numbers = numbers_of(settings)
        self._lanes = Lanes(settings.modems, settings.gateway.node)
        # Other hosts may have modems that this one does not know.
        self._alone = settings.store.path is not None

    def check(self, principal: Principal, new: NewMessage, now_us: int, memory: Memory | None = None) -> Draft:
        """The draft of a request made at `now_us`; else everything that is wrong with it, all at once.

        Raises `InvalidRequest` or `Forbidden`.
        """
        memory = memory or Memory()
        if principal.test and not (self._any_simulated or self._elsewhere.any_simulated):
            raise InvalidRequest("no_simulated_modem", "this token only tests, and no simulated modem is configured")
        problems: list[tuple[str, FieldError]] = []
        category = self._category(principal, new, problems)
        number = self._number(new.to, problems, memory)
        segmentation = self._segmentation(new.text, category, problems, memory)
        expires_us = _expiry(new, category, now_us, problems)
        modem = self._modem(principal, new, problems)
        _check_rest(new, problems)
        wanted = None if modem is None else wanted_text(modem.node, modem.name)
        lane, routed = self._lanes.find(principal, category, wanted, number or "")
        # What the modems of other hosts are kept for, this one does not know.
        known = self._alone if modem is None else modem.node in {None, self._node}
        if known and not (routed or problems):
            _refuse_unrouted(wanted, problems)
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
            wanted_modem=modem.name if modem else None,
            flash=new.flash,
            replaces=new.replaces,
            lane=lane,
            routed=routed,
            wanted_node=modem.node if modem else None,
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

    def _number(self, text: str, problems: list[tuple[str, FieldError]], memory: Memory) -> str | None:
        try:
            number, refusal = memory.get(text, lambda: self._judged(text))
        except NumberInvalid as error:
            _wrong(problems, "number_invalid", "/to", str(error))
            return None
        if refusal is not None:
            _wrong(problems, Rule.NUMBER_NOT_ALLOWED, "/to", refusal)
            return None
        return number

    def _judged(self, text: str) -> tuple[str, str | None]:
        """A number in its normal form, and why nothing is sent to it."""
        number = parse_recipient(text, self._settings.gateway.country)
        return number, self._numbers.refusal(number)

    def _segmentation(
        self, text: str, category: Category, problems: list[tuple[str, FieldError]], memory: Memory
    ) -> Segmentation | None:
        most = category.max_parts or self._settings.gateway.max_parts
        too_long = f"needs more than {most} parts, which is the limit"
        # The length first: looking through a text that cannot fit anyway would only cost time.
        if len(text) > most * CHARACTERS_IN_PART:
            _wrong(problems, "text_too_long", "/text", too_long)
        elif not text.strip():
            _wrong(problems, "text_empty", "/text", "is empty")
        elif not text.isprintable() and _UNFIT.search(text):
            _wrong(problems, "text_invalid", "/text", "contains control characters or halves of a surrogate pair")
        else:
            tables = category.national_tables
            try:
                return memory.get((text, tables, most), lambda: segment(text, national_tables=tables, max_parts=most))
            except TpduError:
                _wrong(problems, "text_too_long", "/text", too_long)
        return None

    def _modem(self, principal: Principal, new: NewMessage, problems: list[tuple[str, FieldError]]) -> _Wanted | None:
        """The modem that was asked for; None when none was, or a wrong one."""
        if new.modem is None:
            return None
        modem = self._find(new.modem)
        if modem is None:
            _wrong(problems, "modem_unknown", "/modem", "there is no such modem in the configuration")
        elif principal.test and not modem.simulated:
            _wrong(problems, "modem_unsuitable", "/modem", "is real, and this token only tests")
        elif modem.simulated and not principal.test and not (self._all_simulated and self._elsewhere.all_simulated):
            _wrong(problems, "modem_unsuitable", "/modem", "is simulated: beside a real one it takes only test tokens")
        return modem

    def _find(self, wanted: str) -> _Wanted | None:
        """By `name` or `node:name`; one of this host before one of another."""
        node, _, name = wanted.rpartition(":")
        mine = self._settings.modems.get(name)
        if mine is not None and node in {"", self._settings.gateway.node}:
            return _Wanted(self._node, name, mine.simulated)
        there = self._elsewhere.find(node, name)
        return None if there is None else _Wanted(there[0], name, there[1])


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A modem that a message asks for; its node is None where there is only one."""

    node: str | None
    name: str
    simulated: bool


def _check_rest(new: NewMessage, problems: list[tuple[str, FieldError]]) -> None:
    # No database keeps U+0000 as it is but one: two references would become the same.
    if new.reference is not None and (not 1 <= len(new.reference) <= MAX_REFERENCE or "\0" in new.reference):
        _wrong(problems, "reference_invalid", "/reference", f"has 1 to {MAX_REFERENCE} characters, none of them U+0000")
    if new.replaces and new.reference is None:
        _wrong(problems, "reference_missing", "/replaces", "names nothing to replace without a reference")
    if new.on_uncertain is not None and new.on_uncertain not in _POLICIES:
        _wrong(problems, "policy_unknown", "/on_uncertain", f"is one of {', '.join(_POLICIES)}")


def _refuse_unrouted(wanted: str | None, problems: list[tuple[str, FieldError]]) -> None:
    """It could only wait until it expires; whoever asked for it is told at once."""
    if wanted is not None:
        _wrong(problems, "modem_unsuitable", "/modem", "is kept for other categories or numbers")
    else:
        _wrong(problems, "no_route", "/to", "no modem of the configuration takes this category to this number")


def numbers_of(settings: Settings) -> Numbers:
    """The numbers that may be written to, as the configuration says."""
    own = {modem.number for modem in settings.modems.values() if modem.number is not None}
    return Numbers(settings.api.allowed_countries, own)


def warnings_of(draft: Draft) -> list[Caution]:
    """What a person may want to change."""
    found = [] if draft.routed else [Caution("no_route", "no modem of this host takes this category to this number")]
    count = len(draft.segmentation.forced_ucs2_by)
    if count:
        what = "1 character is" if count == 1 else f"{count} characters are"
        sentence = f"{what} not in the GSM alphabet, so a part holds 70 characters instead of 160"
        found.append(Caution("forced_ucs2", sentence))
    return found


def facts_of(draft: Draft, *, opted_out: bool) -> Facts:
    """What the rules look at, at the moment the draft was made."""
    stoppable = draft.category.stoppable
    return Facts(draft.created_us, draft.send_us, draft.expires_us, stoppable=stoppable, opted_out=opted_out)


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


def _wrong(problems: list[tuple[str, FieldError]], code: str, pointer: str, message: str) -> None:
    problems.append((code, FieldError(pointer, message)))
