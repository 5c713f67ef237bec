"""What a modem tells its owner: messages, reports, changes of state, and the values that describe it.

Values only. This module knows TPDUs and nothing of AT commands, ports or how a receipt is honoured.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Protocol, TypeAlias

from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.tpdu import Address, SmsDeliver, SmsStatusReport, TpduError


class ModemState(StrEnum):
    """Where a modem stands; the words are those of the HTTP interface."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    REPAIRING = "repairing"
    ABSENT = "absent"
    PARKED = "parked"
    PAUSED = "paused"


class ReceiptKind(StrEnum):
    """What acknowledging means: delete a slot (+CMGD), confirm to the network (+CNMA), or nothing."""

    STORED = "stored"
    DIRECT = "direct"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Hand it back to `acknowledge` once the event is safe. Opaque to everyone but the driver that made it.

    `session` counts how often the modem was opened: a slot number says nothing after a reopening (the SIM may be
    another), so receipts of an earlier session are let go and the message, still stored, is told again.
    """

    kind: ReceiptKind
    session: int = 0
    storage: str = ""
    index: int = -1
    serial: int = 0


NO_RECEIPT = Receipt(ReceiptKind.NONE)


@dataclass(frozen=True, slots=True)
class DeliverReceived:
    """A short message for us; `raw` is the whole PDU as the modem gave it, service centre field included."""

    deliver: SmsDeliver
    smsc: Address | None
    raw: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class StatusReportReceived:
    """What the service centre says of a message that we submitted."""

    report: SmsStatusReport
    raw: bytes
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class PduUndecodable:
    """A PDU that no reading fits; `raw` is the line as it came. It too is acknowledged, or its slot stays full."""

    raw: str
    error: TpduError
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class ModemStateChanged:
    """The modem's state or its reason is another now. A single submit (`busy`) is not told."""

    state: ModemState
    reason: str | None


@dataclass(frozen=True, slots=True)
class CallMissed:
    """Somebody called, and was turned away; told once a call. `caller` is the number as the network gave it (``+33…``
    when it is international), None when it was withheld or the modem does not tell it.
    """

    caller: str | None


@dataclass(frozen=True, slots=True)
class ModemIdentity:
    """Who the modem and its SIM are; None where it would not say."""

    manufacturer: str | None = None
    model: str | None = None
    imei: str | None = None
    iccid: str | None = None


@dataclass(frozen=True, slots=True)
class ModemStatus:
    """A modem as shown to people and programs. `signal_dbm` is dBm from +CSQ; `reason` None while all is well.

    `profile` is the family that it is treated as. `smsc` is the service centre that messages go to, None when neither
    the configuration nor the SIM names one. `storage_used` and `storage_total` are slots of the memory that is received
    into.
    """

    name: str
    state: ModemState
    reason: str | None
    port: str
    manufacturer: str | None = None
    model: str | None = None
    imei: str | None = None
    iccid: str | None = None
    operator: str | None = None
    registration: str | None = None
    signal_dbm: int | None = None
    simulated: bool = False
    profile: str | None = None
    smsc: str | None = None
    storage_used: int | None = None
    storage_total: int | None = None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """The network took the message. `reference` is TP-MR (23.040, 9.2.3.6), 0 to 255.

    `duplicate` is set when the service centre answered that it already holds this message (TP-FCS 0xC5, 23.040,
    9.2.3.22): the first copy was accepted, and `reference` is then the one of the octets handed in.
    """

    reference: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class SubmitAnsweredLate:
    """What became of a submit that had been given up; `tag` is the one of its witness.

    A refusal and `ModemNotReady` mean that it did not leave, or was not accepted. `SubmitUncertain` ends the wait for
    a submit of an earlier process.
    """

    tag: object
    result: SubmitResult | SubmitRefused | SubmitUncertain | ModemNotReady


ModemEvent: TypeAlias = (
    DeliverReceived | StatusReportReceived | PduUndecodable | ModemStateChanged | SubmitAnsweredLate | CallMissed
)


class WireStage(Enum):
    """How far one submit has come on the line."""

    PROMPTED = auto()
    """The modem waits for the PDU."""
    TYPED = auto()
    """The PDU is written, and Ctrl-Z comes next: the last moment at which ESC takes everything back."""
    ENDED = auto()
    """Ctrl-Z is written: the message may have left."""


class WireWitness(Protocol):
    """Whoever looks on while one part is handed over, to know afterwards how far it came."""

    @property
    def tag(self) -> object:
        """Names this submit in what is told of it later."""
        ...

    def on_wire(self, stage: WireStage) -> None:
        """A stage is reached. Raising `ModemNotReady` before `ENDED` has the part taken back with ESC."""
        ...

    def on_line(self, line: str) -> None:
        """The modem answered this line after Ctrl-Z; nothing has been made of it yet. Must not raise."""
        ...
