"""An inbound SMS-DELIVER as a row: the facts of its octets, before anything is decided about it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drivers.events import DeliverReceived
from drivers.tpdu import SmsDeliver, join_text, split_smsc
from gateway.address import AddressKind, normalise_sender
from gateway.clock import from_datetime
from gateway.rules.special import special_of

_NOT_STORED = frozenset({"sender", "kind", "shown", "stays"})
_SIM_SPECIFIC = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Which modem and SIM heard it, on which host."""

    modem: str
    node: str
    iccid: str | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One SMS-DELIVER that could be read. Instants are microseconds UTC."""

    fingerprint: bytes
    sender: str
    kind: AddressKind
    octets: bytes
    text: str | None
    data: bytes | None
    sent_us: int | None
    concat_reference: int | None
    concat_bits: int | None
    concat_total: int | None
    concat_sequence: int | None
    #: Whether it is for people: what is meant for the telephone or the SIM is kept and not shown.
    shown: bool = True
    #: Whether it stays on the SIM, so that each start of the gateway finds it again (class 2: 23.038, 4).
    stays: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is a message by itself; impossible concatenation values make it one."""
        return self.concat_total is None

    def row(self, recipient_id: int, origin: Origin, now_us: int) -> dict[str, Any]:
        """The columns of `inbound_part`."""
        mine = {name: getattr(self, name) for name in self.__slots__ if name not in _NOT_STORED}
        place = {"modem": origin.modem, "node": origin.node, "iccid": origin.iccid}
        return mine | place | {"recipient_id": recipient_id, "received_us": now_us}


def arrival_of(event: DeliverReceived, origin: Origin, country: str | None) -> Arrival:
    """Read the event's fields as they will be stored."""
    deliver = event.deliver
    sender, kind = normalise_sender(deliver.tp_oa.text, country)
    moment = deliver.tp_scts.datetime
    special = special_of(deliver)
    shown = special is None or special.shown
    concat = deliver.tp_ud.concatenation if shown else None
    # 23.040, 9.2.3.24.1: values that make no sense are ignored, as if the element were not there.
    if concat is not None and not 1 <= concat.sequence <= concat.total:
        concat = None
    return Arrival(
        fingerprint=fingerprint(origin, event.raw),
        sender=sender,
        kind=kind,
        octets=event.raw,
        text=storable(deliver.tp_ud.text),
        data=deliver.tp_ud.data,
        sent_us=None if moment is None else from_datetime(moment),
        concat_reference=concat.reference if concat else None,
        concat_bits=concat.bits if concat else None,
        concat_total=concat.total if concat else None,
        concat_sequence=concat.sequence if concat else None,
        shown=shown,
        stays=deliver.data_coding.message_class == _SIM_SPECIFIC and moment is not None,
    )


def joined(parts: Sequence[bytes]) -> str:
    """The text of the parts of one long message, given their octets in order; a cut character is mended."""
    return storable(join_text([SmsDeliver.from_bytes(split_smsc(octets)[1]) for octets in parts])) or ""


def storable(text: str | None) -> str | None:
    """A sender may put anything into UCS-2; half a surrogate pair and NUL cannot be stored or shown."""
    if text is None:
        return None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def fingerprint(origin: Origin, octets: bytes) -> bytes:
    """Same SIM, same octets (which hold the sender and the service centre's time stamp): the same message."""
    sim = origin.iccid or origin.modem
    return hashlib.sha256(sim.encode() + b"\0" + octets).digest()
