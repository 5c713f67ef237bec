"""Events: the body of a webhook and of a line of the stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, Field, StringConstraints

from api.answers import to_json
from api.models.consents import consent_out
from api.models.fields import Incoming
from api.models.inbox import inbox_item_out
from api.models.messages import message_out
from api.models.optouts import optout_out
from gateway.clock import rfc3339
from gateway.message import Consent, InboxItem, Message, OptOut
from gateway.notify.happenings import Happening

#: Names of microseconds UTC in a mapping, and of the times that they are shown as.
_INSTANT: Final = "_us"
#: Fields that name a person: null when it was erased.
_WHO: Final = ("to", "from", "number")
#: Events whose data is the object alone; the others tell their sentence too.
_PLAIN: Final = frozenset({"inbound.received", "optout.added", "optout.lifted", "consent.given", "consent.withdrawn"})


class EventsQuery(Incoming):
    """Query of `GET /v1/events`: types, or families of them such as `message.*`, with commas between."""

    REPEATABLE: ClassVar[frozenset[str]] = frozenset({"types"})

    types: Annotated[
        Annotated[str, StringConstraints(max_length=1024)] | None,
        Field(description="types, or families such as `message.*`, joined by commas"),
    ] = None

    def kinds(self) -> tuple[str, ...]:
        """The patterns; none for every type."""
        return () if self.types is None else tuple(self.types.split(","))


class EventOut(BaseModel):
    """The body of a webhook and the data of a line of the stream."""

    type: str
    timestamp: str
    data: dict[str, object]


def rendered(happening: Happening) -> bytes:
    """The body as it is written."""
    return to_json(event_out(happening))


def event_out(happening: Happening) -> dict[str, object]:
    """An event, in the contract's order. The data of what is nobody's object any more is the sentence alone."""
    data = _data_out(happening)
    if not (happening.is_status or happening.type in _PLAIN):
        data["detail"] = happening.detail
    return {"type": happening.type, "timestamp": rfc3339(happening.at_us), "data": data}


def _data_out(happening: Happening) -> dict[str, object]:
    match happening.subject:
        case Message() as message:
            data = message_out(message)
        case InboxItem() as item:
            data = inbox_item_out(item)
        case OptOut() as optout:
            data = optout_out(optout)
        case Consent() as consent:
            data = consent_out(consent)
        case None:
            return {}
        case facts:
            data = _facts_out(facts, whole=happening.type.startswith("modem."))
    return {name: (value or None) if name in _WHO else value for name, value in data.items()}


def _facts_out(facts: Mapping[str, object], *, whole: bool) -> dict[str, object]:
    """Facts with their instants as times; a modem has all fields of the contract, also those that no event bears."""
    shown = {_shown_name(name): _shown(name, value) for name, value in facts.items()}
    return shown | ({"sent_today": None, "limits": None} if whole else {})


def _shown_name(name: str) -> str:
    if not name.endswith(_INSTANT):
        return name
    bare = name.removesuffix(_INSTANT)
    return bare if bare in {"at", "since", "until"} else f"{bare}_at"


def _shown(name: str, value: object) -> object:
    return rfc3339(value) if name.endswith(_INSTANT) and isinstance(value, int) else value
