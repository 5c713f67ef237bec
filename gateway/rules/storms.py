"""Storms: what is asked for again and again rings once, and says how often; a flood of texts becomes a digest.

Of *the same* message (same person, text, category, token, kind of traffic) one rings, and no other within the span
after it. What is asked for while one still waits is joined to it. The first that is asked for after one has left is
its *follow-up*: it waits until the span is over, and whatever comes meanwhile is joined to it. So the receiver always
learns, late by one span at most, how often the bell was rung.

Pure: facts in, a fate out; and the texts that tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.config.category import Category
from gateway.config.durations import SECOND_US, read_cap

_SECOND_US = 1_000_000

#: Whether a text may leave: it takes no more parts than it may.
Fits: TypeAlias = Callable[[str], bool]

#: Where a digest has no room for all of a text, at least so many characters of it are worth having.
_SHORTEST, _LONGEST = 12, 1600
#: More texts than this are counted, and not read.
MOST_TOLD = 100
_CUT = "..."
_BETWEEN = " / "


@dataclass(frozen=True, slots=True)
class Burst:
    """More than `count` different messages of one category to one person within `span_us` become a digest."""

    count: int
    span_us: int
    written: str

    @classmethod
    def of_text(cls, written: str | None) -> Burst | None:
        """What `20/10m` means."""
        return None if written is None else cls(*read_cap(written), written)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for, as far as storms concern it. Instants and durations are microseconds."""

    now_us: int
    expires_us: int
    #: How long a message of its category is worth something.
    life_us: int
    #: It replaces another, and is to stand by itself.
    replaces: bool = False
    #: It is about an event: later than this end it says nothing.
    ends_firmly: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The same message, or one that carries others, of which nothing has left yet."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Left:
    """The same message, of which at least a part may have left: when, and how often it had been asked for by then."""

    begun_us: int
    asked: int


@dataclass(frozen=True, slots=True)
class Alone:
    """Nothing is known that it could be joined to."""


@dataclass(frozen=True, slots=True)
class Join:
    """It ends at once, and is told by the message `to`, which may say something `different`."""

    to: str
    sentence: str
    different: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """It waits until `until_us`, gathers what comes until then, and may leave until `expires_us`.

    `repeats` says how often the same was asked for before it.
    """

    until_us: int
    expires_us: int
    repeats: int
    sentence: str


Fate: TypeAlias = Alone | Join | FollowUp


def of_identical(wish: Wish, waiting: Waiting | None, left: Left | None, span_us: int) -> Fate:
    """What becomes of a message, given the same one that waits, and the same one that left within the span.

    What lives no longer than the span, such as a one-time code that is asked for again, cannot wait for its end.
    """
    if wish.replaces or wish.life_us <= span_us:
        return Alone()
    if waiting is not None:
        sentence = f"the same text to the same number was waiting already: joined to message {waiting.message_id}"
        return Join(waiting.message_id, sentence)
    if left is None:
        return Alone()
    until_us = _after(left.begun_us, span_us, wish.now_us)
    sentence = (
        f"the same text left less than {spoken(span_us)} ago: what is asked for again leaves as one, with a count"
    )
    return _follow(wish, until_us, left.asked, sentence)


def of_burst(wish: Wish, carrier: Waiting | None, instants: Sequence[int], burst: Burst) -> Fate:
    """What becomes of a message to a person who got or will get others at these instants; `carrier` is one of them
    that is held by a storm."""
    if wish.replaces:
        return Alone()
    if carrier is not None:
        sentence = f"many messages to the same number within {_span(burst)}: joined to message {carrier.message_id}"
        return Join(carrier.message_id, sentence, different=True)
    within = sorted(instant for instant in instants if instant > wish.now_us - burst.span_us)
    if len(within) < burst.count:
        return Alone()
    until_us = _after(within[-burst.count], burst.span_us, wish.now_us)
    sentence = f"{burst.count} messages to this number within {_span(burst)}: what comes until there is room is joined"
    return _follow(wish, until_us, 0, sentence)


def _after(instant_us: int, span_us: int, now_us: int) -> int:
    """The end of a span. A clock that was set back makes instants lie ahead; nobody waits for that as well."""
    return (instant_us if instant_us < now_us + span_us else now_us) + span_us


def _follow(wish: Wish, until_us: int, repeats: int, sentence: str) -> Fate:
    if until_us <= wish.now_us or (wish.ends_firmly and until_us >= wish.expires_us):
        return Alone()
    expires_us = wish.expires_us if wish.ends_firmly else max(wish.expires_us, until_us + wish.life_us)
    return FollowUp(until_us, expires_us, repeats, sentence)


def may_be_digested(category: Category, *, emergency: bool) -> bool:
    """Whether different texts of this category may become one: in an emergency each says something else, and only who
    asks for that (`emergency`) has them joined."""
    urgent = category.name == "emergency" or category.sim_limits == "ignore"
    return emergency or not urgent


def is_told(before: int, after: int) -> bool:
    """Whether a count that grew is worth a line in the history: at each doubling."""
    return after.bit_length() > before.bit_length()


def text_of(text: str, repeats: int, others: Collection[str], fits: Fits) -> str:
    """What leaves for a message that was asked for `repeats` times more, or that carries `others`, oldest first.

    Language-neutral and within the GSM alphabet. `fits` says of a text whether it takes no more parts than it may; a
    count that does not fit is left out.
    """
    if repeats < 1:
        return text
    if not others:
        told = counted(text, repeats + 1)
        return told if fits(told) else text
    counts = Counter(others)
    # Each other text was joined once for each time it was asked for; what is left was this one.
    own = max(1, repeats + 1 - sum(counts.values())) if len(others) < MOST_TOLD else 1
    told = [(_line(text), own), *((_line(other), count) for other, count in counts.items() if other != text)]
    return _digest(told, repeats + 1, fits)


def counted(text: str, times: int) -> str:
    """The text, asked for so many times."""
    return text + _times(times)


def _digest(told: Sequence[tuple[str, int]], total: int, fits: Fits) -> str:
    """The beginnings of all texts, as long as fit; where even short ones do not, of as many as do."""
    head = f"{total} messages: "

    def made(most: int, count: int) -> str:
        listed = [_beginning(text, most) + (_times(times) if times > 1 else "") for text, times in told[:count]]
        return head + _BETWEEN.join([*listed, *([_CUT] if count < len(told) else [])])

    count = _last(lambda count: fits(made(_SHORTEST, count)), 1, len(told))
    most = _last(lambda most: fits(made(most, count)), _SHORTEST, _LONGEST)
    return made(most, count)


def _last(holds: Callable[[int], bool], least: int, most: int) -> int:
    """The greatest number of these for which it holds, as it does for all below; the least if it holds for none."""
    while least < most:
        middle = (least + most + 1) // 2
        if holds(middle):
            least = middle
        else:
            most = middle - 1
    return least


def _beginning(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(_CUT)].rstrip() + _CUT


def _line(text: str) -> str:
    return " ".join(text.split())


def _times(count: int) -> str:
    return f" ({count}x)"


def _span(burst: Burst) -> str:
    return burst.written.partition("/")[2]


def spoken(span_us: int) -> str:
    """A duration as it is written in the configuration."""
    seconds = span_us // SECOND_US
    unit, size = next((unit, size) for unit, size in (("h", 3600), ("m", 60), ("s", 1)) if seconds % size == 0)
    return f"{seconds // size}{unit}"
