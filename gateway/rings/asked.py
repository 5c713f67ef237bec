"""What was asked for of a ring, as it is kept: JSON in the row of the ring."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.message import Caution
from gateway.ring import Again, Escalation, NewRing, When
from gateway.store.schema import AnyRow


def kept(new: NewRing) -> str:
    """As the row keeps it."""
    wanted = {
        "to": new.to,
        "expect": new.expect,
        "escalate": [{"after_us": each.after_us, "to": each.to, "when": each.when} for each in new.escalate],
        "again": None if new.again is None else {"after_us": new.again.after_us, "times": new.again.times},
    }
    if new.texts or new.template is not None:
        wanted |= {"texts": dict(new.texts), "template": new.template, "variables": dict(new.variables)}
    return json.dumps(wanted)


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
        texts=wanted.get("texts", {}),
        variables=wanted.get("variables", {}),
    )


def kept_cautions(cautions: Sequence[Caution]) -> str | None:
    """Warnings as the row keeps them."""
    return json.dumps([[each.code, each.message] for each in cautions]) if cautions else None
