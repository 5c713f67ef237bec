"""What was asked for of a ring, as it is kept: JSON in the row of the ring."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.message import Caution
from gateway.requests import NewMessage
from gateway.ring import Again, Escalation, NewRing, When
from gateway.store.schema import AnyRow


def kept(new: NewRing) -> str:
    """As the row keeps it."""
    return json.dumps(
        {
            "to": new.to,
            "expect": new.expect,
            "escalate": [{"after_us": each.after_us, "to": each.to, "when": each.when} for each in new.escalate],
            "again": None if new.again is None else {"after_us": new.again.after_us, "times": new.again.times},
        }
    )


def asked_of(row: AnyRow) -> NewRing:
    """What the row of a ring keeps."""
    wanted = json.loads(row.wanted)
    again = wanted["again"]
    return NewRing(
        to=tuple(wanted["to"]),
        text=row.text or "",
        category=row.category,
        expect=tuple(wanted["expect"]),
        escalate=tuple(
            Escalation(each["after_us"], tuple(each["to"]), When(each["when"])) for each in wanted["escalate"]
        ),
        again=None if again is None else Again(again["after_us"], again["times"]),
    )


def message_to(number: str, new: NewRing, ring_id: str | None) -> NewMessage:
    """What one person of a ring is told."""
    return NewMessage(number, new.text, new.category, expect=new.expect, ring_id=ring_id)


def kept_cautions(cautions: Sequence[Caution]) -> str | None:
    """Warnings as the row keeps them."""
    return json.dumps([[each.code, each.message] for each in cautions]) if cautions else None
