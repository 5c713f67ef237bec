"""Which modem takes which message. Pure: facts in, an answer out.

Messages that every modem treats alike stand in one *lane*: same priority, category, token, kind of traffic, wanted
modem, beginning of the number, and campaign, so that one that is stopped is passed over as a whole. A lane is written
with each message as text, so that a modem looks through the lanes that there are instead of through the messages, and a
million messages that are not for it cost it nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from zlib import crc32

from gateway.address import calling_code

_SECOND_US = 1_000_000
_MOST_URGENT = 9
_PARTED = "/"
#: From this priority on nothing waits for a better modem.
URGENT = 8
#: How long a message may be left to the SIM that its recipient knows.
STICKY_US = 2 * _SECOND_US
#: How long a recipient goes with one SIM after it last wrote to them.
REMEMBERED_US = 7 * 24 * 3600 * _SECOND_US
#: So many outcomes in a row that nobody knows make a modem doubtful.
DOUBTFUL_AFTER = 3
#: How long a message is left to others by a doubtful modem; an urgent one only so long.
DOUBTFUL_US = 30 * _SECOND_US
DOUBTFUL_URGENT_US = 5 * _SECOND_US


_LONGEST_WANTED = 48


def wanted_text(node: str | None, name: str) -> str:
    """How a lane names a modem: `name`, or where several hosts may have one of that name `node:name`."""
    if node is None:
        return name
    text = f"{node}:{name}"
    return text if len(text) <= _LONGEST_WANTED else f"{text[: _LONGEST_WANTED - 9]}~{crc32(text.encode()):08x}"


@dataclass(frozen=True, slots=True)
class Lane:
    """What decides which modems may take a message, and with whom it takes turns.

    `token_id` None is an automatic reply. `prefix` is the beginning of the number, as far as the gateway that accepted
    the message told numbers apart, and `table` says by which prefixes it did: both empty where no modem has any.
    `campaign` is what `campaign_key` makes, empty for what is of none.
    """

    priority: int
    category: str
    token_id: int | None
    test: bool
    wanted: str | None
    prefix: str = ""
    table: str = ""
    campaign: str = ""

    @property
    def flow(self) -> tuple[str, int | None]:
        """Who takes turns within a priority: each category of each token."""
        return self.category, self.token_id

    def text(self) -> str:
        """As it is stored; the most urgent sort first."""
        token = "" if self.token_id is None else str(self.token_id)
        words = (str(_MOST_URGENT - self.priority), self.category, token, "test" if self.test else "live")
        of_campaign = (self.campaign,) if self.campaign else ()
        return _PARTED.join((*words, self.wanted or "", self.prefix, self.table, *of_campaign))


@lru_cache(maxsize=4096)
def lane_of(text: str) -> Lane:
    """The lane that `Lane.text` wrote."""
    urgency, category, token, kind, wanted, prefix, table, *campaign = text.split(_PARTED)
    return Lane(
        priority=_MOST_URGENT - int(urgency),
        category=category,
        token_id=int(token) if token else None,
        test=kind == "test",
        wanted=wanted or None,
        prefix=prefix,
        table=table,
        campaign="".join(campaign),
    )


# Of an id: what is by chance, and enough of it.
_KEY_DIGITS = 12
_OF_VARIANT = "."


def campaign_key(campaign_id: str, variant: int | None = None) -> str:
    """How a lane names a campaign (its id), or a variant (0-based) of it. An id is longer than a lane has room for."""
    key = campaign_id[-_KEY_DIGITS:]
    return key if variant is None else f"{key}{_OF_VARIANT}{variant}"


def stopped_keys(stopped: Iterable[tuple[str, int | None]]) -> frozenset[str]:
    """How lanes name these campaigns, or variants of them."""
    return frozenset(campaign_key(campaign_id, variant) for campaign_id, variant in stopped)


def is_stopped(key: str, stopped: Collection[str]) -> bool:
    """Whether what a lane names so is among `stopped_keys`."""
    return bool(key) and (key in stopped or key.partition(_OF_VARIANT)[0] in stopped)


class Fit(Enum):
    """How much of a lane a modem may take."""

    NOTHING = 0
    #: The lane was made with other prefixes in mind: each number must be looked at.
    SOME = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Route:
    """What one modem may take. Empty `categories` or `prefixes` mean all."""

    name: str
    takes_test: bool
    takes_live: bool
    categories: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    #: The prefixes by which this gateway tells numbers apart.
    table: str = ""
    node: str | None = None
    #: It takes only what asks for it.
    only_asked: bool = False

    def fit(self, lane: Lane) -> Fit:
        """How much of this lane the modem may take."""
        if not (self.takes_test if lane.test else self.takes_live):
            return Fit.NOTHING
        if lane.wanted not in {None, self.name, wanted_text(self.node, self.name)}:
            return Fit.NOTHING
        if self.only_asked and lane.wanted is None:
            return Fit.NOTHING
        if lane.token_id is None and lane.wanted is not None:
            # The answer to a STOP leaves through the modem that heard it, whatever else that one is kept for.
            return Fit.ALL
        if self.categories and lane.category not in self.categories:
            return Fit.NOTHING
        if not self.prefixes or lane.prefix.startswith(self.prefixes):
            return Fit.ALL
        # By the same prefixes a number of this modem's would stand in a lane of its own.
        coarser = lane.table != self.table and any(each.startswith(lane.prefix) for each in self.prefixes)
        return Fit.SOME if coarser else Fit.NOTHING

    def takes(self, lane: Lane, number: str) -> bool:
        """Whether the modem may take a message of this lane to this number."""
        fit = self.fit(lane)
        return fit is Fit.ALL or (fit is Fit.SOME and number.startswith(self.prefixes))


def table_of(known: Sequence[str]) -> str:
    """A short name of the prefixes by which numbers are told apart."""
    return f"{crc32(' '.join(known).encode()):08x}" if known else ""


def prefix_of(number: str, known: Sequence[str]) -> str:
    """The beginning by which a number is told apart: the longest known one, else its calling code.

    Where no modem has prefixes numbers are not told apart.
    """
    if not known:
        return ""
    return next((prefix for prefix in known if number.startswith(prefix)), None) or calling_code(number)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another modem of this host that could take the message now."""

    name: str
    doubtful: bool = False


def leave_at_most_until_us(*, doubtful: bool, priority: int, due_us: int) -> int | None:
    """Until when `leave_until_us` can say at most that a message is left to others, whoever they are; None where it
    never does. To be asked first: it needs to know nothing of them."""
    if doubtful:
        return due_us + max(DOUBTFUL_URGENT_US, DOUBTFUL_US, STICKY_US)
    return None if priority >= URGENT else due_us + STICKY_US


def leave_until_us(
    *,
    name: str,
    doubtful: bool,
    priority: int,
    due_us: int,
    peers: Collection[Peer],
    known_by: str | None,
) -> int | None:
    """Until when this modem leaves a message to others, or None when it takes it at once.

    `peers` are those that suit and can send; `known_by` is the modem whose SIM last wrote to the recipient, if that is
    not long ago. Nothing is left to nobody, and nothing for long: who is busy is not waited for.
    """
    sound = [peer for peer in peers if not peer.doubtful]
    if doubtful and sound:
        return due_us + (DOUBTFUL_URGENT_US if priority >= URGENT else DOUBTFUL_US)
    if priority >= URGENT or known_by is None or known_by == name:
        return None
    return due_us + STICKY_US if any(peer.name == known_by for peer in sound) else None
