"""What is to be done about a ring at an instant, by itself: pure. People in, whom to ring again and which escalations
come to what; and when to look next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.message import Status
from gateway.ring import NewRing, Step, When
from gateway.rings.tally import Person, has_taken_it

#: So long after the last message of a ring left, answers are waited for.
ANSWERS_US: Final = 24 * 3600 * 1_000_000
NEEDLESS, RUNG, STOPPED, FILLING = "needless", "rung", "stopped", "filling"
# A report may come, or evidence.
_AWAITED: Final = frozenset({Status.SENT, Status.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now: people who are rung once more, escalations (1-based) that are due and needed, and due and
    needless; when to look again by itself, None for not before something happens; whether the ring is over."""

    again: Sequence[Person]
    rung: Sequence[int]
    needless: Sequence[int]
    next_us: int | None
    is_over: bool


def plan_of(asked: NewRing, people: Sequence[Person], steps: Sequence[Step], now_us: int, begun_us: int) -> Plan:
    """What is to be done about a ring that began at `begun_us`."""
    due = [at for at, step in enumerate(steps, 1) if step.done_us is None and step.due_us <= now_us]
    rung = [
        at for at in due if steps[at - 1].outcome == FILLING or _is_needed(steps[at - 1].wanted.when, asked, people)
    ]
    turns = [(person, _again_us(asked, person)) for person in people]
    again = [person for person, at_us in turns if at_us is not None and at_us <= now_us]
    later = [
        *(step.due_us for step in steps if step.done_us is None and step.due_us > now_us),
        *(at_us for _, at_us in turns if at_us is not None and at_us > now_us),
    ]
    done = not (again or rung or later or any(_is_busy(person) for person in people))
    ends_us = _ends_us(asked, people, begun_us)
    return Plan(
        again=again,
        rung=rung,
        needless=[at for at in due if at not in rung],
        next_us=min([*later, *([ends_us] if ends_us > now_us else [])], default=None),
        is_over=done and ends_us <= now_us,
    )


def _is_needed(when: When, asked: NewRing, people: Sequence[Person]) -> bool:
    if when is When.SILENT:
        return any(person.is_silent for person in people)
    return not has_taken_it(people, asked.expect)


def _again_us(asked: NewRing, person: Person) -> int | None:
    """When somebody is rung again, if the silence lasts; None for not, or not as long as a message is under way."""
    again = asked.again
    if again is None or person.rung > again.times or not person.may_be_rung:
        return None
    last_us = max(person.sent_us or 0, person.rung_us or 0)
    return last_us + again.after_us


def _is_busy(person: Person) -> bool:
    """Whether something is still to leave."""
    return person.waits or (person.rung < person.wanted and person.number is not None)


def _ends_us(asked: NewRing, people: Sequence[Person], begun_us: int) -> int:
    """Until when it is followed: while answers may come, or reports, where nobody is asked to answer."""
    if asked.expect:
        awaited = any(person.is_silent for person in people)
    else:
        awaited = any(person.status in _AWAITED for person in people)
    last_us = max((max(person.sent_us or 0, person.rung_us or 0) for person in people), default=begun_us)
    return max(last_us, begun_us) + ANSWERS_US if awaited else 0
