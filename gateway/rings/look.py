"""One look at a ring: its people with what became of them, and its escalations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.ids import first_id
from gateway.message import WAITING, Status
from gateway.outbound.forecast import Leaves
from gateway.outbound.waits import Waits
from gateway.ring import NewRing, Step, Tally
from gateway.rings.asked import asked_of
from gateway.rings.tally import Person, people_of, tally_of
from gateway.store import pauses, ring_members, rings
from gateway.store.schema import AnyRow


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen. `leaves` is what has still to leave, `held_until_us` until when a rule holds some of it."""

    row: AnyRow
    asked: NewRing
    people: Sequence[Person]
    steps: Sequence[Step]
    parts: int
    leaves: Sequence[Leaves]
    held_until_us: int | None

    @property
    def tally(self) -> Tally:
        """What is told of it."""
        return tally_of(self.people, self.parts, self.asked.expect)


def look_at(connection: Connection, row: AnyRow, waits: Waits, now_us: int) -> Look:
    """Look at a ring, of which this is the row."""
    asked = asked_of(row)
    pause, waiting = pauses.standing(connection), waits.standing(connection, now_us)

    def shown(each: AnyRow) -> Status:
        status = pause.shown(Status(each.status), each.category)
        held = status is Status.QUEUED and waiting(each.lane) is not None
        return Status.HELD if held else status

    found = ring_members.messages_of(connection, row.id)
    replies = ring_members.replies_to(connection, row.id, first_id(row.created_us))
    people = people_of(
        row.id, ring_members.members(connection, row.id), [(each, shown(each)) for each in found], replies, asked.expect
    )
    waits_still = [each for each in found if Status(each.status) in WAITING]
    unrung = sum(each.wanted - each.rung for each in people if each.rung < each.wanted)
    return Look(
        row=row,
        asked=asked,
        people=people,
        steps=_steps(connection, row, asked, people),
        parts=sum(each.parts for each in found) + unrung * (found[0].parts if found else 1),
        leaves=_leaves(connection, row, waits_still, [*found[:1]] * unrung),
        held_until_us=max((each.hold_until_us for each in waits_still if each.hold_until_us), default=None),
    )


def _leaves(connection: Connection, row: AnyRow, waiting: Sequence[AnyRow], unrung: Sequence[AnyRow]) -> list[Leaves]:
    """What waits, what has begun and is not done, and what is about to be accepted, which is like the first."""
    counts = Counter((each.lane, each.parts) for each in [*waiting, *unrung])
    begun = [Leaves(each.lane, each.parts, 1) for each in ring_members.unsent_parts(connection, row.id)]
    return [*begun, *(Leaves(lane, count, parts) for (lane, parts), count in counts.items())]


def _steps(connection: Connection, row: AnyRow, asked: NewRing, people: Sequence[Person]) -> list[Step]:
    brought = Counter(person.step for person in people)
    return [
        Step(asked.escalate[int(each.step) - 1], each.due_us, each.done_us, each.outcome, brought[each.step])
        for each in rings.steps(connection, row.id)
    ]
