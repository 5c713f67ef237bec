"""May this message leave now? Asked as a forecast when it is accepted, and for good in front of the modem.

First what refuses for ever, then what lets wait. Rules that let wait are asked again at the moment that the strictest
of them names, until all agree: a cap that ends at night ends in the morning. The rule that is told is the strictest one
of the first round, `until` is the first moment at which all agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway.address import Residence
from gateway.config.category import Category
from gateway.message import Rule
from gateway.rules.caps import Cap, History, full
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict, strictest

# Each round goes on to a later moment; hours and caps agree after two or three.
_ROUNDS = 64

CONSENT_GIVEN, CONSENT_WITHDRAWN = "given", "withdrawn"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rules look at. Instants are microseconds UTC."""

    now_us: int
    category: str
    number: str
    expires_us: int
    send_us: int | None = None
    #: "best": in the category's preferred hours.
    timing: str | None = None
    #: "earlier": rather before the moment it was asked for than after it.
    shift: str | None = None
    #: It was let go before its last allowed minute, because many waited for that one (`gateway.rules.lead`).
    led: bool = False
    #: As the message was accepted; the category may have changed since.
    stoppable: bool = True
    opted_out: bool = False
    #: What the consent ledger says last of this person and category; None when it says nothing.
    consent: str | None = None
    #: A reply of this person may mean STOP, and nobody has judged it yet.
    under_review: bool = False
    #: When messages began to be sent to this person, as far as the caps look back.
    history: History = field(default_factory=dict[str, Sequence[int]])
    #: An automatic reply, such as the confirmation of the opt-out itself.
    automatic_reply: bool = False
    #: The door has just said that the number may be written to.
    number_allowed: bool = False
    #: What a contact says of where this person is; None where nothing does.
    residence: Residence | None = None


class TimeRules(Protocol):
    """Hours, windows and holidays where the recipient is (`gateway.rules.moments`)."""

    def wait(self, category: Category, number: str, at_us: int, residence: Residence | None = None) -> Defer | None:
        """What holds it at this instant, until when; None when nothing does."""
        ...

    def last_open(
        self, category: Category, number: str, from_us: int, to_us: int, residence: Residence | None = None
    ) -> int | None:
        """The last allowed whole minute that begins between these instants."""
        ...

    def best(
        self, category: Category, number: str, from_us: int, expires_us: int, residence: Residence | None = None
    ) -> int | None:
        """The first allowed minute within the preferred hours, if there is one before the end."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """The rules of this configuration. Each function is given a category, a number, and where its holder lives."""

    categories: Mapping[str, Category]
    hours: TimeRules
    #: The caps that hold a message of this category to this number.
    caps: Callable[[Category, str, Residence | None], Sequence[Cap]]
    #: Why nothing is sent to this number, whoever asks: "is …".
    number_refused: Callable[[str], str | None]
    #: Why a country's rules keep this category from leaving through a SIM.
    country_refused: Callable[[Category, str, Residence | None], str | None]

    def category(self, name: str) -> Category:
        """A category by its name; one that is configured no more has the rules of any."""
        return self.categories.get(name) or Category(name)


class Admission:
    """Decides by a book of rules."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def decide(self, facts: Facts) -> Verdict:
        """The verdict of all rules together."""
        refusal = next(self.refusals(facts), None)
        if refusal is not None:
            return refusal
        if facts.automatic_reply:
            return _schedule(facts) or Allow()
        verdict = self._when(facts)
        if facts.led and isinstance(verdict, Refuse):
            # There may be room in the minute that it was promised for.
            return self._when(replace(facts, led=False))
        return verdict

    def refusals(self, facts: Facts) -> Iterator[Refuse]:
        """Everything that refuses it for ever."""
        category = self.book.category(facts.category)
        if facts.expires_us <= facts.now_us:
            # A message that is too late is worse than none.
            yield Refuse(Rule.EXPIRED, "its time to be sent has passed")
        reason = None if facts.number_allowed else self.book.number_refused(facts.number)
        if reason is not None:
            yield Refuse(Rule.NUMBER_NOT_ALLOWED, f"the number {reason}")
        if facts.automatic_reply:
            return
        country = self.book.country_refused(category, facts.number, facts.residence)
        if country is not None:
            yield Refuse(Rule.COUNTRY_PROFILE, country)
        if facts.opted_out and facts.stoppable:
            yield Refuse(Rule.OPT_OUT, "the recipient has opted out")
        sentence = _consent_lacks(category, facts.consent)
        if sentence is not None:
            yield Refuse(Rule.NO_CONSENT, sentence)

    def holds_now(self, facts: Facts) -> Iterator[Defer | Refuse]:
        """What hours, caps and reviews say of this very moment, each by itself."""
        category = self.book.category(facts.category)
        closed = self.book.hours.wait(category, facts.number, facts.now_us, facts.residence)
        if closed is not None:
            yield closed
        held = full(self.book.caps(category, facts.number, facts.residence), facts.history, facts.now_us)
        if held is not None:
            yield _of_cap(category, held)

    def bypassed(self, facts: Facts, hours_of: Category) -> list[str]:
        """What would have let another message wait, where this one's category is never held: sentences for the audit.

        `hours_of` is the category whose hours others keep to.
        """
        category = self.book.category(facts.category)
        closed = self.book.hours.wait(hours_of, facts.number, facts.now_us, facts.residence)
        held = full(self.book.caps(category, facts.number, facts.residence), facts.history, facts.now_us)
        return [f"{each.rule}: {each.explanation}" for each in (closed, held) if each is not None]

    def _when(self, facts: Facts) -> Verdict:
        """Now, or the first moment at which nothing holds it any more."""
        category = self.book.category(facts.category)
        if facts.under_review and is_promotional(category):
            return Defer(None, Rule.OPT_OUT, "a reply of the recipient may mean STOP, and nobody has judged it yet")
        told = self._start(category, facts)
        at_us = facts.now_us if told is None or told.until_us is None else told.until_us
        held = self._held(category, facts, at_us)
        if isinstance(held, Defer):
            told = held
        for _ in range(_ROUNDS):
            if held is None:
                break
            if isinstance(held, Refuse) or held.until_us is None:
                return held
            at_us = self._rather(category, facts, held.until_us)
            held = self._held(category, facts, at_us)
        if told is None or at_us <= facts.now_us:
            return Allow()
        return Defer(at_us, told.rule, told.explanation)

    def _rather(self, category: Category, facts: Facts, at_us: int) -> int:
        """That moment, or where it was asked for the best one the first such from then on: the gate will say so too."""
        if facts.timing != "best":
            return at_us
        best_us = self.book.hours.best(category, facts.number, at_us, facts.expires_us, facts.residence)
        return at_us if best_us is None else best_us

    def _held(self, category: Category, facts: Facts, at_us: int) -> Defer | Refuse | None:
        """What holds it at one moment. Caps that refuse are asked only of a moment at which it could leave."""
        closed = self.book.hours.wait(category, facts.number, at_us, facts.residence)
        held = (
            None
            if never_held(category)
            else full(self.book.caps(category, facts.number, facts.residence), facts.history, at_us)
        )
        if held is None:
            return closed
        capped = _of_cap(category, held)
        if isinstance(capped, Refuse):
            return closed or capped
        if closed is None:
            return capped
        longest = strictest([closed, capped])
        return longest if isinstance(longest, Defer) else None

    def _start(self, category: Category, facts: Facts) -> Defer | None:
        """When it was asked to leave, if not now."""
        if facts.timing == "best":
            best_us = self.book.hours.best(category, facts.number, facts.now_us, facts.expires_us, facts.residence)
            if best_us is None or best_us <= facts.now_us:
                return None
            return Defer(best_us, Rule.SCHEDULED, "it leaves in the next of the category's preferred hours")
        scheduled = _schedule(facts)
        if scheduled is None or facts.shift != "earlier" or facts.send_us is None:
            return scheduled
        if facts.led:
            return None
        closed = self.book.hours.wait(category, facts.number, facts.send_us, facts.residence)
        last_us = (
            None
            if closed is None
            else self.book.hours.last_open(category, facts.number, facts.now_us, facts.send_us, facts.residence)
        )
        if closed is None or last_us is None:
            return scheduled
        if last_us <= facts.now_us:
            return None
        return Defer(last_us, closed.rule, f"{closed.explanation}, so it leaves before that rather than after")


def is_promotional(category: Category) -> bool:
    """Whether a category is one that people must have asked for, so that doubt speaks against sending."""
    return category.consent == "opt_in" or category.profile is not None


def never_held(category: Category) -> bool:
    """Whether limits and caps are counted for this category and never hold it."""
    return category.sim_limits == "ignore"


def _schedule(facts: Facts) -> Defer | None:
    if facts.send_us is not None and facts.send_us > facts.now_us:
        return Defer(facts.send_us, Rule.SCHEDULED, "it was asked to leave at that time")
    return None


def _consent_lacks(category: Category, state: str | None) -> str | None:
    if category.consent == "opt_in" and state != CONSENT_GIVEN:
        return "the recipient has not agreed to messages of this category"
    if category.consent == "implied" and state == CONSENT_WITHDRAWN:
        return "the recipient has withdrawn the consent to messages of this category"
    return None


def _of_cap(category: Category, held: Defer) -> Defer | Refuse:
    return Refuse(Rule.CAP, held.explanation, held.until_us) if category.on_cap == "refuse" else held
