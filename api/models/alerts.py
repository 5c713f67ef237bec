"""Alerts: what Alertmanager and Grafana send, as far as it is read, and what becomes of them.

Other systems add fields from version to version, so what nobody reads is passed over, and a field of an odd type counts
as not sent: an alert that is refused is one that nobody hears.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.models.fields import Incoming, Outgoing, Text, parse_time
from api.models.messages import Document
from api.problems import document_of
from gateway.alert import Alert
from gateway.requests import Told

_FINGERPRINT_MAX: Final = 255
_VALUE_MAX: Final = 8000


class AlertIn(BaseModel):
    """One alert of Alertmanager's webhook, version 4, and of Grafana's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"]
    labels: Any = None
    annotations: Any = None
    starts_at: Any = Field(default=None, alias="startsAt")
    ends_at: Any = Field(default=None, alias="endsAt")
    fingerprint: Any = None

    def value(self) -> Alert:
        """What the services take. Without a fingerprint the labels say which alert it is."""
        labels, annotations = _texts(self.labels), _texts(self.annotations)
        name = self.fingerprint if _is_name(self.fingerprint) else json.dumps(labels, sort_keys=True)
        said = next((annotations[key] for key in ("summary", "description", "message") if annotations.get(key)), "")
        values = {key: labels.get(key, "") for key in ("alertname", "instance", "job")}
        values |= {"summary": said, "description": annotations.get("description", "")}
        return Alert(
            fingerprint=name,
            firing=self.status == "firing",
            starts_us=_time(self.starts_at),
            severity=labels.get("severity", "").strip().lower(),
            values=values,
            ends_us=_time(self.ends_at),
        )


class AlertsIn(BaseModel):
    """Body of `POST /hooks/alertmanager` and `POST /hooks/grafana`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": {"alertname": "Heat"}}]},
    )

    alerts: tuple[AlertIn, ...]


class HookQuery(Incoming):
    """Query of a hook: whom it is for, several joined by commas or repeated."""

    REPEATABLE: ClassVar[frozenset[str]] = frozenset({"to"})

    to: Annotated[Text, Field(description="numbers and segments, joined by commas", examples=["+33639980101"])]

    def people(self) -> list[str]:
        """Numbers and segments as they were written. An unescaped `+` in front arrives as a blank."""
        pieces = [piece for piece in self.to.split(",") if piece.strip()]
        return [
            f"+{piece.strip()}" if piece[0] == " " and piece.strip()[0].isdecimal() else piece.strip()
            for piece in pieces
        ]


class ShortOut(Outgoing):
    """A message that was accepted, in short."""

    id: str
    status: str


class AlertCautionOut(Outgoing):
    """Something that a person may want to change."""

    code: str
    message: str


class ToldOut(Outgoing):
    """What became of alerts for one person: how many were told, were known already (`joined`), are over and never were
    told (`untold`), come and go and are told later (`damped`)."""

    to: str
    told: int
    joined: int
    untold: int
    damped: int
    messages: list[ShortOut]
    warnings: list[AlertCautionOut]
    error: dict[str, Any] | None


class TakenOut(Outgoing):
    """What became of alerts, person by person."""

    items: list[ToldOut]


def told_out(told: Told) -> Document:
    """What became of alerts for one person."""
    return {
        "to": told.to,
        **{fate: told.counts.get(fate, 0) for fate in ("told", "joined", "untold", "damped")},
        "messages": [{"id": each.id, "status": each.status} for each in told.messages],
        "warnings": [{"code": each.code, "message": each.message} for each in told.warnings],
        "error": None if told.error is None else document_of(told.error),
    }


def fields_of(found: object) -> Mapping[str, object]:
    """The fields of an object; none of what is no object."""
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}


def _texts(found: object) -> dict[str, str]:
    """Names and texts of labels; figures and words that are no text become one."""
    pairs = fields_of(found).items()
    return {name: str(value)[:_VALUE_MAX] for name, value in pairs if isinstance(value, str | int | float)}


def _is_name(found: Any) -> bool:
    return isinstance(found, str) and 0 < len(found) <= _FINGERPRINT_MAX and found.isascii()


def _time(found: Any) -> int | None:
    """The instant, None for none: the year 1 stands for that, and nobody's alert is dropped over a date."""
    try:
        return parse_time(found)
    except PydanticCustomError:
        return None
