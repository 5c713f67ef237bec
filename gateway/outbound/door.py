"""The door: one check of everything that can never become right, before anything is committed.

What may still become right (an hour, an opt-out, a modem that is away) is not refused here; it is decided in front of
the modem and only forecast at the door.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from drivers.tpdu import Segmentation, TpduError, segment
from gateway.address import NumberInvalid, Residence
from gateway.clock import SECOND_US
from gateway.config.settings import Category, Settings
from gateway.config.undress import bare
from gateway.config.vocabulary import CORE
from gateway.errors import FieldError, Forbidden, InvalidRequest
from gateway.message import Caution, Rule
from gateway.outbound.draft import Draft, Person, part_of
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.fallback import UNREACHABLE, leads_nowhere, wrong_fallback
from gateway.outbound.memory import Memory
from gateway.outbound.routes import Lanes
from gateway.outbound.rulebook import numbers_of
from gateway.outbound.wording import Wording
from gateway.requests import NewMessage, Principal
from gateway.rules.admission import Facts
from gateway.rules.composition import Composed
from gateway.rules.destinations import reaches
from gateway.rules.lint import Proof, encoding_cautions, lint
from gateway.rules.profiles import Profile, missing
from gateway.rules.routing import wanted_text

DEFAULT_CATEGORY = "transactional"
#: No part holds more characters than a single one does: 160 septets (TS 23.038, 6.1.2.1.1).
CHARACTERS_IN_PART = 160
MAX_REFERENCE = 255
#: Answers that a message may offer, and how long one may be.
MOST_EXPECTED, MAX_EXPECTED = 20, 64
#: A message planned for later than this is a slip of the pen.
MAX_AHEAD_US = 366 * 24 * 3600 * SECOND_US
# Whatever a message waits for, these end messages.
_ALWAYS_STOP = frozenset(bare(word) for word in CORE)
_POLICIES = ("resend", "hold", "never")
# Control characters that are no layout, and halves of surrogate pairs; none of them is printable.
_UNFIT = re.compile("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]")


class Door:
    """Checks what is handed in."""

    def __init__(self, settings: Settings, elsewhere: Elsewhere | None = None, *, shared: bool = False) -> None:
        self._settings = settings
        self._elsewhere = elsewhere or Elsewhere()
        self._node = settings.gateway.node if shared else None
        self._all_simulated = all(modem.simulated for modem in settings.modems.values())
        # The modems of test tokens are always there; without them one of the file is needed.
        self._any_simulated = any(modem.simulated for modem in settings.modems.values())
        self._numbers = numbers_of(settings)
        self._short_codes = frozenset(each for each in settings.api.allowed_numbers if not each.startswith("+"))
        self._wording = Wording(settings)
        self._lanes = Lanes(settings.modems, settings.gateway.node)
        # Other hosts may have modems that this one does not know.
        self._alone = settings.store.path is not None

    def check(self, principal: Principal, new: NewMessage, now_us: int, memory: Memory | None = None) -> Draft:
        """The draft of a request made at `now_us`; else `InvalidRequest` or `Forbidden` with all that is wrong."""
        memory = memory or Memory()
        problems, about_modem = list[tuple[str, FieldError]](), list[tuple[str, FieldError]]()
        category = self._category(principal, new, problems)
        number = self._number(principal, new.to, problems, memory)
        modem = self._modem(principal, new, about_modem)
        words = self._words(new.text, category, self._likely(principal, modem, number), problems, memory)
        _check_day(principal, words, problems)
        expires_us = _expiry(new, category, now_us, problems)
        problems += about_modem
        _check_rest(new, problems)
        lane, routed = self._lane(principal, category, modem, number or "", problems, new=new)
        if problems or number is None or words is None:
            raise InvalidRequest(problems[0][0], problems[0][1].message, errors=[error for _, error in problems])
        return Draft(
            number=number,
            text=new.text,
            category=category,
            composed=words[0],
            segmentation=words[1],
            created_us=now_us,
            send_us=new.send_us if new.send_us is not None and new.send_us > now_us else None,
            expires_us=expires_us,
            on_uncertain=new.on_uncertain or category.on_uncertain,
            reference=new.reference,
            flash=new.flash,
            replaces=new.replaces,
            timing=new.timing,
            shift=new.shift or ("earlier" if new.about_us is not None else None),
            about_us=new.about_us,
            expect=new.expect,
            callback=new.seal or new.callback,
            fallback=new.fallback,
            unreachable=leads_nowhere(new.fallback, self._settings.channels),
            lane=lane,
            routed=routed,
            test=principal.test,
            **_wanted(modem),
            **part_of(new),
        )

    def _refuse_untestable(self, principal: Principal) -> None:
        if principal.test and not (self._any_simulated or self._elsewhere.any_simulated):
            raise InvalidRequest("no_simulated_modem", "this token only tests, and no simulated modem is configured")

    def _category(self, principal: Principal, new: NewMessage, problems: list[tuple[str, FieldError]]) -> Category:
        self._refuse_untestable(principal)
        name = new.category if new.category is not None else principal.default_category or DEFAULT_CATEGORY
        category = self._settings.categories.get(name)
        if category is None:
            _wrong(problems, "category_unknown", "/category", "there is no such category in the configuration")
            return self._settings.categories[DEFAULT_CATEGORY]
        if principal.categories and name not in principal.categories:
            raise Forbidden("category_not_allowed", f"this token may not send messages of category {name}")
        return category

    def _number(
        self, principal: Principal, text: str, problems: list[tuple[str, FieldError]], memory: Memory
    ) -> str | None:
        try:
            number, refusal = memory.get(text, lambda: self._judged(text))
        except NumberInvalid as error:
            _wrong(problems, "number_invalid", "/to", str(error))
            return None
        if refusal is not None:
            _wrong(problems, Rule.NUMBER_NOT_ALLOWED, "/to", refusal)
            return None
        refuse_destination(principal, number)
        return number

    def _judged(self, text: str) -> tuple[str, str | None]:
        """A number in its normal form, and why nothing is sent to it."""
        if text in self._short_codes:
            return text, None
        return self._numbers.judged(text, self._settings.gateway.country)

    def _likely(
        self, principal: Principal, modem: _Wanted | None, number: str | None
    ) -> Callable[[str, Category], Composed]:
        wanted = None if modem is None else modem.name
        return partial(self._wording.likely, recipient=number or "", wanted=wanted, test=principal.test)

    def _words(
        self,
        text: str,
        category: Category,
        likely: Callable[[str, Category], Composed],
        problems: list[tuple[str, FieldError]],
        memory: Memory,
    ) -> tuple[Composed, Segmentation] | None:
        """The text as it is likely to leave, and its parts; what is wrong with it is wrong with what was handed in."""
        most, tables = self._most_parts(category), category.national_tables
        too_long = f"needs more than {most} parts, which is the limit"
        # The length first: looking through a text that cannot fit anyway would only cost time.
        if len(text) > most * CHARACTERS_IN_PART:
            _wrong(problems, "text_too_long", "/text", too_long)
        elif not text.strip():
            _wrong(problems, "text_empty", "/text", "is empty")
        elif not text.isprintable() and _UNFIT.search(text):
            _wrong(problems, "text_invalid", "/text", "contains control characters or halves of a surrogate pair")
        else:
            composed = likely(text, category)
            key = (composed.text, tables, most)
            try:
                cut = memory.get(key, lambda: segment(composed.text, national_tables=tables, max_parts=most))
            except TpduError:
                _wrong(problems, "text_too_long", "/text", too_long)
            else:
                return composed, cut
        return None

    def _lane(
        self,
        principal: Principal,
        category: Category,
        modem: _Wanted | None,
        number: str,
        problems: list[tuple[str, FieldError]],
        *,
        new: NewMessage,
    ) -> tuple[str, bool]:
        """The lane, and whether a modem of this configuration takes it."""
        wanted = None if modem is None else wanted_text(modem.node, modem.name)
        campaign = None if new.campaign_id is None else (new.campaign_id, new.variant)
        lane, routed = self._lanes.find(principal, category, wanted, number, campaign)
        # What the modems of other hosts are kept for, this one does not know.
        known = self._alone if modem is None else modem.node in {None, self._node}
        if known and not (routed or problems):
            _refuse_unrouted(wanted, problems)
        return lane, routed

    def _most_parts(self, category: Category) -> int:
        return category.max_parts or self._settings.gateway.max_parts

    def told_before(self, draft: Draft) -> Draft:
        """A draft for somebody who had messages of its category before: the first notice is not the likely one."""
        if draft.category.stop_notice_when != "first":
            return draft
        composed = self._wording.likely(
            draft.text, draft.category, draft.number, wanted=draft.wanted_modem, test=draft.test, first=False
        )
        segmentation = segment(composed.text, national_tables=draft.category.national_tables)
        return replace(draft, composed=composed, segmentation=segmentation, first=False)

    def cautions(self, draft: Draft, profiles: Iterable[Profile] = ()) -> list[Caution]:
        """Everything that somebody may want to change in a text, for a preview; `profiles` hold for it."""
        name = self._settings.gateway.sender_name
        most = self._most_parts(draft.category)
        asked = {each.code: each.message for each in missing(profiles, has_sender=False, has_notice=False)}
        proof = Proof(draft.text, draft.composed, draft.segmentation, draft.category, most, name, draft.first, asked)
        return [*_unsure(draft), *lint(proof)]

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
    if new.expect:
        _check_expected(new.expect, problems)
    if new.on_uncertain is not None and new.on_uncertain not in _POLICIES:
        _wrong(problems, "policy_unknown", "/on_uncertain", f"is one of {', '.join(_POLICIES)}")
    if new.fallback and (named := wrong_fallback(new.fallback)) is not None:
        _wrong(problems, "fallback_invalid", "/fallback", named)


def _check_expected(expected: Sequence[str], problems: list[tuple[str, FieldError]]) -> None:
    words = [word for word in expected if not 1 <= len(word.strip()) <= MAX_EXPECTED or "\0" in word]
    if words or len(expected) > MOST_EXPECTED:
        what = f"names at most {MOST_EXPECTED} answers of 1 to {MAX_EXPECTED} characters"
        _wrong(problems, "expect_invalid", "/expect", what)
    elif any(bare(word) in _ALWAYS_STOP for word in expected):
        _wrong(problems, "expect_invalid", "/expect", f"names one of {', '.join(CORE)}, which stop and never answer")


def _check_day(
    principal: Principal, words: tuple[Composed, Segmentation] | None, problems: list[tuple[str, FieldError]]
) -> None:
    """What needs more parts than its token has on any day need not come again tomorrow."""
    most = principal.parts_a_day
    if most is not None and words is not None and len(words[1].parts) > most:
        _wrong(problems, "text_too_long", "/text", f"needs more than the {most} parts that this token has in 24 hours")


def _refuse_unrouted(wanted: str | None, problems: list[tuple[str, FieldError]]) -> None:
    """It could only wait until it expires; whoever asked for it is told at once."""
    if wanted is not None:
        _wrong(problems, "modem_unsuitable", "/modem", "is kept for other categories or numbers")
    else:
        _wrong(problems, "no_route", "/to", "no modem of the configuration takes this category to this number")


def warnings_of(draft: Draft) -> list[Caution]:
    """What a person may want to change, of a message that is accepted: the rest is for previews."""
    return [*_unsure(draft), *encoding_cautions(draft.segmentation, draft.composed.text)]


def _unsure(draft: Draft) -> list[Caution]:
    """What may come to nothing."""
    found = [] if draft.routed else [Caution("no_route", "no modem of this host takes this category to this number")]
    return [*found, UNREACHABLE] if draft.unreachable else found


def facts_of(draft: Draft, person: Person, residence: Residence | None = None) -> Facts:
    """What the rules look at, at the moment the draft was made."""
    return Facts(
        draft.created_us,
        draft.category.name,
        draft.number,
        draft.expires_us,
        draft.send_us,
        timing=draft.timing,
        shift=draft.shift,
        stoppable=draft.category.stoppable,
        opted_out=person.opted_out,
        consent=person.consent,
        under_review=person.under_review,
        history=person.history,
        number_allowed=True,
        residence=residence,
    )


def _wanted(modem: _Wanted | None) -> dict[str, Any]:
    return {"wanted_modem": modem and modem.name, "wanted_node": modem and modem.node}


def _expiry(new: NewMessage, category: Category, now_us: int, problems: list[tuple[str, FieldError]]) -> int:
    start_us = max(new.send_us or now_us, now_us)
    if start_us > now_us + MAX_AHEAD_US:
        _wrong(problems, "send_at_too_far", "/send_at", "is more than a year ahead")
        return start_us
    if new.about_us is not None and not start_us < new.about_us <= now_us + MAX_AHEAD_US:
        late = "is more than a year ahead"
        reason = "is not after the moment of sending" if new.about_us <= start_us else late
        _wrong(problems, "about_at_invalid", "/about_at", reason)
        return new.about_us
    default_us = (now_us if new.send_us is None else new.send_us) + category.expires_after_us
    if new.about_us is not None:
        # Nothing is said of an event when it is over.
        expires_us = new.about_us if new.expires_us is None else min(new.expires_us, new.about_us)
    else:
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


def refuse_destination(principal: Principal, number: str) -> None:
    """`Forbidden` where this token may not write to a number."""
    if principal.destinations and not reaches(principal.destinations, number):
        sentence = "is not among the destinations of this token"
        raise Forbidden("destination_not_allowed", sentence, errors=[FieldError("/to", sentence)])
