"""What can be wrong with a modem, and what is done about it, as a table; and the lengths of pauses and rests.

Data only. A trouble begins at the first of its rungs, and a rung that did not help is followed by the next; the last is
taken again for as long as the trouble lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from drivers.errors import (
    CommandTimeout,
    DriverError,
    LineNoisy,
    ModemParked,
    ModemRestarted,
    NotRegistered,
    PduModeRefused,
    PortBusy,
    PortForbidden,
    PortMissing,
    SettingsLost,
    SimMissing,
    SimNotReady,
    SubmitsUnanswered,
    TransportError,
    TransportLost,
)
from drivers.events import ModemState


class Trouble(StrEnum):
    """What is wrong, as far as the ladder tells it apart."""

    SILENT = "silent"
    UNANSWERED = "submits unanswered"
    PORT_LOST = "port lost"
    PORT_MISSING = "port missing"
    PORT_FORBIDDEN = "port forbidden"
    PORT_BUSY = "port busy"
    PORT_UNUSABLE = "port unusable"
    NOISE = "noise"
    RESTARTED = "restarted"
    SETTINGS_LOST = "settings lost"
    PDU_MODE_REFUSED = "PDU mode refused"
    SIM_NOT_READY = "SIM not ready"
    SIM_MISSING = "SIM missing"
    NOT_REGISTERED = "not registered"
    NOT_READY = "not ready"
    INTERNAL = "internal error"
    HELPLESS = "beyond repair"


class Rung(StrEnum):
    """What can be done, from the least to the most."""

    RESYNCHRONISE = "resynchronise"
    """Read what comes, ESC, AT. The line does it by itself before the command that follows any time-out."""
    REINITIALISE = "re-initialise"
    """On the same port: everything that is set or read at an opening, once more."""
    CYCLE_RADIO = "cycle the radio"
    """Off and on (+CFUN), then re-initialise."""
    RESET = "reset"
    """Write the reset of the modem's profile, whether or not it answers; then close, and open again."""
    REOPEN = "reopen"
    """Close, open, initialise."""
    LOOK_AGAIN = "look again"
    """The same for a port that could not be opened: find the device anew, by its identity."""
    REST = "rest"
    """Leave it alone for a while, with an alarm; then reopen."""
    PARK = "park"
    """Leave it alone until a person has acted."""


#: Taken below the supervisor: when it hears of the trouble, they have not helped.
BY_THE_LINE = frozenset({Rung.RESYNCHRONISE})
#: The port stays open for them.
ON_THE_PORT = frozenset({Rung.REINITIALISE, Rung.CYCLE_RADIO})


class Pace(Enum):
    """How the pauses before the rungs of one trouble grow."""

    LOOK = auto()
    """Always the same, and short: looking costs nothing, and who plugs a device in waits for it."""
    HELD = auto()
    MEND = auto()
    PERSON = auto()
    """Once soon, then as for something that takes a person."""
    NETWORK = auto()
    """While the modem goes on: it may register by itself at any moment."""


@dataclass(frozen=True, slots=True)
class RepairPolicy:
    """Times in seconds. After `strikes` in a row comes a rest: `rest`, doubling to `longest_rest`.

    Success is a submit with an answer of the network's, or `calm` seconds of readiness and an answer at their end.
    So many `unanswered` submits in a row within `unanswered_window` count as that many silences. More than `restarts`
    repairs within `restart_window` are followed by a rest, whatever the troubles were.
    """

    look: float = 1.0
    held_longest: float = 3.0
    mend_longest: float = 30.0
    person: float = 5.0
    person_longest: float = 60.0
    network: float = 300.0
    network_longest: float = 3600.0
    after_reset: float = 3.0
    strikes: int = 3
    rest: float = 30.0
    longest_rest: float = 600.0
    calm: float = 10.0
    unanswered: int = 3
    unanswered_window: float = 600.0
    restarts: int = 10
    restart_window: float = 300.0

    def pause(self, pace: Pace, first: float, before: int) -> float:
        """Before a rung that `before` others for the same trouble preceded; `first` is the shortest pause."""
        match pace:
            case Pace.LOOK:
                return self.look
            case Pace.HELD:
                return doubled(first, before, self.held_longest)
            case Pace.MEND:
                return doubled(first, before, self.mend_longest)
            case Pace.PERSON:
                return first if before == 0 else doubled(self.person, before - 1, self.person_longest)
            case Pace.NETWORK:
                return doubled(self.network, before, self.network_longest)


@dataclass(frozen=True, slots=True)
class Row:
    """One trouble's line of the table. `strikes` is what it is worth to the breaker; `advice` is for a person."""

    rungs: tuple[Rung, ...]
    advice: str
    pace: Pace = Pace.MEND
    strikes: int = 0
    #: Whether its repairs are counted against the limit on restarts.
    counted: bool = True
    shown: ModemState = ModemState.REPAIRING


LADDER: Mapping[Trouble, Row] = {
    Trouble.SILENT: Row(
        (Rung.RESYNCHRONISE, Rung.REINITIALISE, Rung.RESET),
        "see whether it has power, and whether this is its AT port; unplug it and plug it in again",
        strikes=1,
    ),
    Trouble.UNANSWERED: Row(
        (Rung.RESET,), "see its reception and the SIM's service centre; settle the uncertain messages", strikes=3
    ),
    Trouble.PORT_LOST: Row((Rung.REOPEN,), "see its cable, hub and power supply", strikes=1),
    Trouble.PORT_MISSING: Row(
        (Rung.LOOK_AGAIN,),
        "plug it in, or correct `port`",
        Pace.LOOK,
        counted=False,
        shown=ModemState.ABSENT,
    ),
    Trouble.PORT_FORBIDDEN: Row(
        (Rung.LOOK_AGAIN,),
        "give the gateway's user the group of the device",
        Pace.HELD,
        counted=False,
        shown=ModemState.ABSENT,
    ),
    Trouble.PORT_BUSY: Row(
        (Rung.LOOK_AGAIN,), "end the program that holds it", Pace.HELD, counted=False, shown=ModemState.ABSENT
    ),
    Trouble.PORT_UNUSABLE: Row((Rung.LOOK_AGAIN,), "correct `port`", Pace.HELD, counted=False, shown=ModemState.ABSENT),
    Trouble.NOISE: Row((Rung.REOPEN,), "look at the cable, and whether this is its AT port: `tocsin modems probe`"),
    Trouble.RESTARTED: Row((Rung.REINITIALISE, Rung.REOPEN), "if it happens often, see its power supply"),
    Trouble.SETTINGS_LOST: Row((Rung.REINITIALISE, Rung.RESET), "if it happens often, see its power supply"),
    Trouble.PDU_MODE_REFUSED: Row(
        (Rung.REINITIALISE, Rung.RESET), "it may be no modem for messages, or its SIM is not ready", Pace.PERSON
    ),
    Trouble.SIM_NOT_READY: Row(
        (Rung.REINITIALISE, Rung.CYCLE_RADIO, Rung.RESET), "see that the SIM sits well, or try another", Pace.PERSON
    ),
    # Looked for at a modest pace, so that no rest is needed: who inserts one waits for no more than the longest pause.
    Trouble.SIM_MISSING: Row((Rung.REINITIALISE, Rung.CYCLE_RADIO), "insert a SIM", Pace.PERSON, counted=False),
    Trouble.NOT_REGISTERED: Row(
        (Rung.CYCLE_RADIO, Rung.CYCLE_RADIO, Rung.RESET),
        "see the aerial, the reception, and whether the SIM is paid for",
        Pace.NETWORK,
        counted=False,
    ),
    Trouble.NOT_READY: Row((Rung.REINITIALISE, Rung.RESET), "see what the reason says", Pace.PERSON),
    Trouble.INTERNAL: Row((Rung.REOPEN,), "report it, with the log"),
    Trouble.HELPLESS: Row(
        (Rung.PARK,),
        "correct what the reason says, then `tocsin modems unlock`, or unplug it and plug it in again",
        counted=False,
        shown=ModemState.PARKED,
    ),
}

ABSENCES = frozenset({Trouble.PORT_MISSING, Trouble.PORT_FORBIDDEN, Trouble.PORT_BUSY, Trouble.PORT_UNUSABLE})

# The most particular first.
_TROUBLE_BY_ERROR: tuple[tuple[type[Exception], Trouble], ...] = (
    (LineNoisy, Trouble.NOISE),
    (ModemRestarted, Trouble.RESTARTED),
    (SettingsLost, Trouble.SETTINGS_LOST),
    (TransportLost, Trouble.PORT_LOST),
    (PortMissing, Trouble.PORT_MISSING),
    (PortForbidden, Trouble.PORT_FORBIDDEN),
    (PortBusy, Trouble.PORT_BUSY),
    (TransportError, Trouble.PORT_UNUSABLE),
    (CommandTimeout, Trouble.SILENT),
    (PduModeRefused, Trouble.PDU_MODE_REFUSED),
    (SimMissing, Trouble.SIM_MISSING),
    (SimNotReady, Trouble.SIM_NOT_READY),
    (NotRegistered, Trouble.NOT_REGISTERED),
    (SubmitsUnanswered, Trouble.UNANSWERED),
    (ModemParked, Trouble.HELPLESS),
    (DriverError, Trouble.NOT_READY),
)


def trouble_of(error: Exception) -> Trouble:
    """Which trouble an error is; anything that no driver raises on purpose is our own mistake."""
    return next((trouble for kind, trouble in _TROUBLE_BY_ERROR if isinstance(error, kind)), Trouble.INTERNAL)


def doubled(seconds: float, times: int, longest: float) -> float:
    """`seconds` doubled so many times, but no more than `longest`."""
    return min(seconds * 2.0 ** min(times, 60), longest)
