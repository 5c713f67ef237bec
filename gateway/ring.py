"""Rings, which front ends call alerts, as values: what is asked for, and how it stands. Instants are microseconds UTC.

A *ring* tells a text to people and follows who was reached and who answered what. It may ring the silent *again*, and
*escalate*: ring further people after a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from gateway.message import Caution, Status

#: Bounds of one ring: people, words of `to`, steps of its escalation, rounds of ringing the silent again.
MOST_PEOPLE, MOST_NAMED, MOST_STEPS, MOST_AGAIN = 20_000, 5_000, 10, 10
#: Nobody answers sooner than the first, and nobody waits longer than the second; microseconds.
LEAST_AFTER_US, MOST_AFTER_US = 1_000_000, 7 * 24 * 3600 * 1_000_000
CATEGORY: Final = "emergency"


class RingStatus(StrEnum):
    """How a ring stands."""

    #: Its people are being written down, and nobody was promised anything.
    FILLING = "filling"
    RINGING = "ringing"
    #: Nothing more is done by itself; answers still count.
    FINISHED = "finished"
    STOPPED = "stopped"


class When(StrEnum):
    """When an escalation rings further people."""

    #: Nobody has given the first of the expected answers, or any answer where none is expected.
    NOBODY = "nobody"
    #: Somebody has not answered.
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Further people, rung so long after the ring began."""

    after_us: int
    to: tuple[str, ...]
    when: When = When.NOBODY


@dataclass(frozen=True, slots=True)
class Again:
    """Who is silent so long after being rung is rung once more, so many times at most."""

    after_us: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class NewRing:
    """A ring to be begun. `to` are numbers and segments' names.

    Everybody is told `text` as it is; or what comes for each of `texts`, which are Liquid by language, or of those of a
    `template`, with `variables` beside what their contacts give. `text` is then what is shown of it.
    """

    to: tuple[str, ...]
    text: str = ""
    category: str | None = None
    expect: tuple[str, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    again: Again | None = None
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Leaving:
    """When the last part will have left, or has: `seconds` from now. None where no modem can send what is left, and
    where nothing ever left. `shares` are the parts that each modem takes, `paces` the seconds that a part of it takes.
    """

    seconds: float | None
    done_us: int | None
    shares: Mapping[str, int] = field(default_factory=dict[str, int])
    paces: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Rung:
    """What is answered at once to whoever rings: whom, with how many parts, through which modems, until when."""

    id: str
    recipients: int
    parts: int
    leaving: Leaving
    warnings: Sequence[Caution] = ()
    #: What the text would be in GSM-7, and its parts, where it now needs more.
    gsm7_text: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The last expected word of somebody, when it came, and those that came before it (word, instant). The number is
    None of somebody who was erased."""

    number: str | None
    word: str
    at_us: int
    earlier: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """Something else that somebody said in reply."""

    number: str | None
    text: str | None
    at_us: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Somebody whose message ended badly: with this word, and why; of what was not even accepted there is no word."""

    number: str | None
    status: Status | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """An escalation and what became of it: `outcome` None while it waits, then "rung", "needless" or "stopped"."""

    wanted: Escalation
    due_us: int
    done_us: int | None = None
    outcome: str | None = None
    recipients: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Who was reached and who answered what. `counts` are people by the word of the message that came furthest."""

    recipients: int
    parts: int
    counts: Mapping[Status, int]
    refused: int
    reached: int
    answered: Mapping[str, Sequence[Answer]]
    other: Sequence[Said]
    silent: Sequence[str]
    missed: Sequence[Missed]
    #: People without an answer, those who were erased too; people with one.
    silent_count: int
    answered_count: int
    last_sent_us: int | None = None


@dataclass(frozen=True, slots=True)
class RingLine:
    """A ring as it is listed."""

    id: str
    status: RingStatus
    category: str
    text: str | None
    simulated: bool
    created_us: int
    recipients: int
    expect: tuple[str, ...] = ()
    ended_us: int | None = None


@dataclass(frozen=True, slots=True)
class RingView:
    """A ring with everything that is known of it."""

    line: RingLine
    to: tuple[str, ...]
    tally: Tally
    leaving: Leaving
    #: By the first estimate all would have left then.
    estimated_us: int | None
    steps: Sequence[Step] = ()
    again: Again | None = None
    warnings: Sequence[Caution] = ()
