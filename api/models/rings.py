"""Alerts to groups: the body that rings, and the objects that tell how it stands."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from api.models.campaign_values import Language
from api.models.fields import Id, Incoming, Name, Outgoing, PageQuery, Text, TimeOut, wrong
from api.models.lists import PageOut
from api.models.messages import MAX_EXPECTED, CautionOut, Document, time_out
from gateway.clock import SECOND_US, rfc3339
from gateway.message import Caution, Status
from gateway.ring import (
    MOST_NAMED,
    Again,
    Answer,
    Escalation,
    Leaving,
    Missed,
    NewRing,
    RingLine,
    RingView,
    Rung,
    Said,
    Step,
    When,
)

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _after(value: Any) -> int:
    """Microseconds of a duration such as `5m`."""
    digits, unit = (value[:-1], value[-1:]) if isinstance(value, str) else ("", "")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 6 and unit in _UNITS_S):
        raise wrong('must be a duration such as "90s", "5m" or "1h"')
    return int(digits) * _UNITS_S[unit] * SECOND_US


def _written(duration_us: int) -> str:
    """The duration as it may be written."""
    seconds = duration_us // SECOND_US
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS_S[unit] == 0)
    return f"{seconds // _UNITS_S[unit]}{unit}"


After = Annotated[
    int,
    PlainValidator(_after),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$", "examples": ["5m"]}),
]
To = Annotated[tuple[Name, ...], Field(max_length=MOST_NAMED, min_length=1, strict=False)]


class EscalationIn(Incoming):
    """Further people who are rung after a while."""

    after: Annotated[After, Field(description="since the alert began: 1s to 7d")]
    to: Annotated[To, Field(description="numbers and segments")]
    when: Annotated[
        Literal["nobody", "silent"],
        Field(description="nobody gave the first expected answer (any, where none is expected); or somebody is silent"),
    ] = "nobody"

    def value(self) -> Escalation:
        """What the services take."""
        return Escalation(self.after, self.to, When(self.when))


class AgainIn(Incoming):
    """The silent are rung once more."""

    after: Annotated[After, Field(description="since their last message left: 1s to 7d")]
    times: Annotated[int, Field(ge=1, le=10)] = 1

    def value(self) -> Again:
        """What the services take."""
        return Again(self.after, self.times)


class RingIn(Incoming):
    """Body of `POST /v1/alerts`."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"to": ["+33639980101", "+33639980102"], "text": "Fire drill at 10:00", "expect": ["OK", "AIDE"]},
        {
            "to": ["+33639980101"],
            "text": "The server room is hot",
            "expect": ["OK"],
            "again": {"after": "2m"},
            "escalate": [{"after": "5m", "to": ["+33639980102"]}],
        },
    )

    to: Annotated[To, Field(description="numbers and segments")]
    text: Annotated[Text | None, Field(description="told as it is; or texts, or a template")] = None
    texts: Annotated[dict[Language, Text] | None, Field(description="Liquid, by language")] = None
    template: Annotated[Name | None, Field(description="the template that the texts are those of")] = None
    variables: Annotated[dict[str, Any] | None, Field(description="of texts, beside what the contacts give")] = None
    category: Annotated[Name | None, Field(description="default: emergency")] = None
    expect: Annotated[tuple[Name, ...], Field(description="words that answer it; the first says that all is well")] = (
        Field(default=(), max_length=MAX_EXPECTED, strict=False)
    )
    escalate: Annotated[tuple[EscalationIn, ...], Field(description="further people, after a while")] = Field(
        default=(), max_length=10, strict=False
    )
    again: Annotated[AgainIn | None, Field(description="rings the silent again by itself")] = None

    def value(self) -> NewRing:
        """What the services take."""
        return NewRing(
            to=self.to,
            text=self.text or "",
            texts=self.texts or {},
            template=self.template,
            variables=self.variables or {},
            category=self.category,
            expect=self.expect,
            escalate=tuple(each.value() for each in self.escalate),
            again=None if self.again is None else self.again.value(),
        )


class RingsQuery(PageQuery):
    """Query of `GET /v1/alerts`."""


class ShareOut(Outgoing):
    """What one modem does of what is still to leave."""

    modem: str
    parts: int
    seconds_per_part: Annotated[float | None, Field(description="as it was measured, 3 until then")]


class RingEstimateOut(Outgoing):
    """When the last part will have left: null where no modem can send."""

    seconds: float | None
    done_at: TimeOut | None
    modems: list[ShareOut]


class RungOut(Outgoing):
    """The answer to whoever rings."""

    id: Id
    recipients: int
    parts: int
    modems: Annotated[list[str], Field(description="those through which it leaves")]
    estimate: RingEstimateOut
    warnings: list[CautionOut]
    gsm7_text: Annotated[str | None, Field(description="the text that would take fewer parts")]


class EarlierOut(Outgoing):
    """An answer before the last one."""

    answer: str
    at: TimeOut


class AnswerOut(Outgoing):
    """Somebody's last answer."""

    number: Annotated[str | None, Field(description="null of somebody who was erased")]
    at: TimeOut
    earlier: list[EarlierOut]


class AnswersOut(Outgoing):
    """Who gave one of the expected answers last."""

    count: int
    people: list[AnswerOut]


class SaidOut(Outgoing):
    """Something else that somebody replied."""

    number: str | None
    at: TimeOut
    text: str | None


class MissedOut(Outgoing):
    """Somebody whom it did not reach."""

    number: str | None
    status: Annotated[Status | None, Field(description="null where the message was not accepted")]
    code: str | None


class StepOut(Outgoing):
    """An escalation, and what became of it."""

    after: str
    to: list[str]
    when: When
    due_at: TimeOut
    done_at: TimeOut | None
    outcome: Annotated[
        Literal["rung", "needless", "stopped", "filling"] | None, Field(description="null while it waits")
    ]
    recipients: Annotated[int, Field(description="people whom it brought")]


class AgainOut(Outgoing):
    """How the silent are rung again."""

    after: str
    times: int


class RingLineOut(Outgoing):
    """An alert as it is listed."""

    id: Id
    status: Literal["ringing", "finished", "stopped"]
    created_at: TimeOut
    ended_at: TimeOut | None
    category: str
    text: str | None
    expect: list[str]
    recipients: int
    simulated: bool


class RingOut(RingLineOut):
    """An alert: who was reached, who answered what, who is silent."""

    to: list[str]
    parts: int
    counts: Annotated[dict[Status, int], Field(description="people by the word of the message that came furthest")]
    reached: Annotated[int, Field(description="people to whom a message was delivered, or sent at least")]
    answered: dict[str, AnswersOut]
    other: Annotated[list[SaidOut], Field(description="whatever else was replied")]
    silent: Annotated[list[str], Field(description="the numbers of those who have not replied")]
    unreached: list[MissedOut]
    estimate: RingEstimateOut
    first_done_at: Annotated[TimeOut | None, Field(description="when all would have left, by the first estimate")]
    escalate: list[StepOut]
    again: AgainOut | None
    warnings: list[CautionOut]


class RingsPage(PageOut[RingLineOut]):
    """Alerts."""


def rung_out(rung: Rung) -> Document:
    """The answer to whoever rings."""
    return {
        "id": rung.id,
        "recipients": rung.recipients,
        "parts": rung.parts,
        "modems": sorted(rung.leaving.shares),
        "estimate": _estimate_out(rung.leaving),
        "warnings": [_caution_out(each) for each in rung.warnings],
        "gsm7_text": rung.gsm7_text,
    }


def ring_line_out(line: RingLine) -> Document:
    """An alert as it is listed."""
    return {
        "id": line.id,
        "status": line.status.value,
        "created_at": rfc3339(line.created_us),
        "ended_at": time_out(line.ended_us),
        "category": line.category,
        "text": line.text,
        "expect": list(line.expect),
        "recipients": line.recipients,
        "simulated": line.simulated,
    }


def ring_out(view: RingView) -> Document:
    """An alert with its people."""
    tally = view.tally
    return {
        **ring_line_out(view.line),
        "to": list(view.to),
        "parts": tally.parts,
        "counts": {status.value: count for status, count in tally.counts.items()},
        "reached": tally.reached,
        "answered": {
            word: {"count": len(found), "people": [_answer_out(each) for each in found]}
            for word, found in tally.answered.items()
        },
        "other": [_said_out(each) for each in tally.other],
        "silent": list(tally.silent),
        "unreached": [_missed_out(each) for each in tally.missed],
        "estimate": _estimate_out(view.leaving),
        "first_done_at": time_out(view.estimated_us),
        "escalate": [_step_out(each) for each in view.steps],
        "again": None if view.again is None else {"after": _written(view.again.after_us), "times": view.again.times},
        "warnings": [_caution_out(each) for each in view.warnings],
    }


def _caution_out(caution: Caution) -> Document:
    return {"code": caution.code, "message": caution.message}


def _estimate_out(leaving: Leaving) -> Document:
    return {
        "seconds": None if leaving.seconds is None else round(leaving.seconds, 3),
        "done_at": time_out(leaving.done_us),
        "modems": [
            {"modem": name, "parts": parts, "seconds_per_part": _rounded(leaving.paces.get(name))}
            for name, parts in sorted(leaving.shares.items())
        ],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _answer_out(answer: Answer) -> Document:
    return {
        "number": answer.number,
        "at": rfc3339(answer.at_us),
        "earlier": [{"answer": word, "at": rfc3339(at_us)} for word, at_us in answer.earlier],
    }


def _said_out(said: Said) -> Document:
    return {"number": said.number, "at": rfc3339(said.at_us), "text": said.text}


def _missed_out(missed: Missed) -> Document:
    return {"number": missed.number, "status": missed.status, "code": missed.code}


def _step_out(step: Step) -> Document:
    return {
        "after": _written(step.wanted.after_us),
        "to": list(step.wanted.to),
        "when": step.wanted.when.value,
        "due_at": rfc3339(step.due_us),
        "done_at": time_out(step.done_us),
        "outcome": step.outcome,
        "recipients": step.recipients,
    }
