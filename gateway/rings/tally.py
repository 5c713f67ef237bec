"""Who was reached, who answered what, who is silent: from the rows of a ring to what is told of it. Pure.

The last expected word of somebody counts, and those before it are told beside it: whoever said HELP and then OK is
found under OK, with the HELP. Anything else that somebody replies is shown with its words, and whoever said it is not
silent. A reply answers what its sender was sent last. Where that expected nothing and came after the ring, a bare
expected word is an answer to the ring all the same: nobody's call for help is lost to a reminder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.config.undress import bare
from gateway.message import Status
from gateway.ring import Answer, Missed, Said, Tally
from gateway.store.schema import AnyRow

#: From the word of a message that came furthest to that of one that says least.
_FURTHEST: Final = (
    Status.DELIVERED,
    Status.SENT,
    Status.UNCERTAIN,
    Status.SENDING,
    Status.QUEUED,
    Status.HELD,
    Status.UNDELIVERED,
    Status.FAILED,
    Status.EXPIRED,
    Status.SUPPRESSED,
    Status.CANCELED,
)
_RANK: Final[Mapping[Status, int]] = {status: rank for rank, status in enumerate(_FURTHEST)}
REACHED: Final = frozenset({Status.DELIVERED, Status.SENT})
#: A message of which at least a part may be with its recipient.
_LEFT: Final = REACHED | {Status.UNCERTAIN, Status.UNDELIVERED, Status.SENDING}
#: Something may still become of it by itself: whoever it is for is not rung again meanwhile.
PENDING: Final = frozenset({Status.SENDING, Status.QUEUED, Status.HELD})
_MISSED: Final = frozenset(_FURTHEST[_FURTHEST.index(Status.UNDELIVERED) :])


@dataclass(slots=True)
class Person:
    """Somebody of a ring: what became of the messages, and the replies as word (None: none that was expected), text and
    instant. `sent_us` is when the last message left."""

    id: int
    number: str | None
    step: int
    rung: int
    wanted: int
    rung_us: int | None
    refused: str | None
    status: Status | None = None
    code: str | None = None
    sent_us: int | None = None
    waits: bool = False
    may_have_it: bool = False
    said: list[tuple[str | None, str | None, int]] = field(default_factory=list[tuple[str | None, str | None, int]])

    @property
    def is_silent(self) -> bool:
        """Whether nothing came back."""
        return not self.said

    @property
    def words(self) -> list[tuple[str, int]]:
        """The expected words, in their order."""
        return [(word, at_us) for word, _, at_us in self.said if word is not None]

    @property
    def may_be_rung(self) -> bool:
        """Whether ringing once more would not double what is under way."""
        return self.is_silent and not self.waits and self.rung >= self.wanted and self.number is not None


def people_of(
    ring_id: str,
    members: Sequence[AnyRow],
    messages: Sequence[tuple[AnyRow, Status]],
    replies: Sequence[AnyRow],
    expect: Sequence[str],
) -> list[Person]:
    """The people of a ring, from its rows (`gateway.store.rings`); each message with the word that it is shown as."""
    people = {
        row.recipient_id: Person(row.recipient_id, row.number, row.step, row.rung, row.wanted, row.rung_us, row.refused)
        for row in members
    }
    for row, status in messages:
        if (person := people.get(row.recipient_id)) is not None:
            _take(person, row, status)
    by_bare = {key: word for word in reversed(expect) if (key := bare(word))}
    for row in replies:
        if (person := people.get(row.recipient_id)) is not None:
            _hear(ring_id, person, row, by_bare)
    return list(people.values())


def _take(person: Person, row: AnyRow, status: Status) -> None:
    if person.status is None or _RANK[status] <= _RANK[person.status]:
        person.status, person.code = status, row.error_code
    person.waits = person.waits or status in PENDING
    person.may_have_it = person.may_have_it or status in _LEFT
    if row.sent_us is not None:
        person.sent_us = max(row.sent_us, person.sent_us or 0)


def _hear(ring_id: str, person: Person, row: AnyRow, by_bare: Mapping[str, str]) -> None:
    if row.ring_id == ring_id:
        person.said.append((row.answer, row.text, row.received_us))
    elif row.ring_id is None and row.answer is None and person.may_have_it:
        word = by_bare.get(bare(row.text or ""))
        if word:
            person.said.append((word, row.text, row.received_us))


def tally_of(people: Sequence[Person], parts: int, expect: Sequence[str]) -> Tally:
    """What is told of them."""
    counts = Counter(_status_of(person) for person in people if person.status or not person.refused)
    answered: dict[str, list[Answer]] = {word: [] for word in expect}
    for person in people:
        if words := person.words:
            word, at_us = words[-1]
            answered.setdefault(word, []).append(Answer(person.number, word, at_us, words[:-1]))
    for found in answered.values():
        found.sort(key=lambda each: each.at_us)
    other = [Said(person.number, text, at_us) for person in people for word, text, at_us in person.said if word is None]
    silent = [person for person in people if person.is_silent]
    return Tally(
        recipients=len(people),
        parts=parts,
        counts={status: counts[status] for status in _FURTHEST if counts[status]},
        refused=sum(person.status is None and person.refused is not None for person in people),
        reached=sum(counts[status] for status in REACHED),
        answered=answered,
        other=sorted(other, key=lambda each: each.at_us),
        silent=[person.number for person in silent if person.number is not None],
        missed=[
            Missed(person.number, person.status, person.code or person.refused) for person in people if _missed(person)
        ],
        silent_count=len(silent),
        answered_count=len(people) - len(silent),
        last_sent_us=max((person.sent_us for person in people if person.sent_us is not None), default=None),
    )


def _status_of(person: Person) -> Status:
    """Whoever is about to be rung waits for his turn."""
    return person.status or Status.QUEUED


def _missed(person: Person) -> bool:
    return person.status in _MISSED or (person.status is None and person.refused is not None)


def has_taken_it(people: Sequence[Person], expect: Sequence[str]) -> bool:
    """Whether somebody gave the first of the expected answers, ever; any answer where none is expected."""
    if not expect:
        return any(not person.is_silent for person in people)
    return any(word == expect[0] for person in people for word, _ in person.words)
