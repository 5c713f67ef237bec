"""TP-VP, the validity period, in its three formats (3GPP TS 23.040, 9.2.3.12)."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from drivers.tpdu.errors import TpduError, put_octet, take, take_octet
from drivers.tpdu.semi_octets import decode_digits
from drivers.tpdu.timestamp import LENGTH, TimeStamp


class ValidityFormat(IntEnum):
    """TP-VPF, bits 4 and 3 of the first octet (9.2.3.3)."""

    NONE = 0
    ENHANCED = 1
    RELATIVE = 2
    ABSOLUTE = 3


_MINUTES_5 = timedelta(minutes=5)
_MINUTES_30 = timedelta(minutes=30)
_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


def _period(octet: int) -> timedelta:
    if octet <= 143:
        return (octet + 1) * _MINUTES_5
    if octet <= 167:
        return 12 * timedelta(hours=1) + (octet - 143) * _MINUTES_30
    if octet <= 196:
        return (octet - 166) * _DAY
    return (octet - 192) * _WEEK


_PERIODS = tuple(_period(octet) for octet in range(256))


@dataclass(frozen=True, slots=True)
class RelativeValidity:
    """One octet (9.2.3.12.1): 5 minutes (0) to 63 weeks (255) after the service centre has received the message."""

    octet: int

    @classmethod
    def from_timedelta(cls, period: timedelta) -> "RelativeValidity":
        """The longest representable period that is not longer than `period`; 5 minutes where it is shorter than that.

        TpduError for a period that is not positive. What is longer than 63 weeks becomes 63 weeks.
        """
        if period <= timedelta():
            raise TpduError("TP-VP", 0, "needs a period longer than nothing")
        return cls(max(bisect_right(_PERIODS, period) - 1, 0))

    @property
    def period(self) -> timedelta:
        """How long the message is valid."""
        return _PERIODS[self.octet]

    def to_bytes(self, at: int) -> bytes:
        """The octet."""
        return bytes([put_octet(self.octet, at, "TP-VP")])


@dataclass(frozen=True, slots=True)
class AbsoluteValidity:
    """The moment at which the message expires (9.2.3.12.2)."""

    until: TimeStamp

    def to_bytes(self, at: int) -> bytes:
        """The seven octets of the time stamp."""
        return self.until.to_bytes("TP-VP", at)


@dataclass(frozen=True, slots=True)
class EnhancedValidity:
    """Seven octets (9.2.3.12.3): a functionality indicator, a period in one of three forms, reserved octets."""

    raw: bytes

    @property
    def single_shot(self) -> bool:
        """The service centre is to try once."""
        return bool(self.raw[0] & 0x40)

    @property
    def period(self) -> timedelta | None:
        """The period; None where none is given or its form is reserved."""
        start = 1
        while start < LENGTH and self.raw[start - 1] & 0x80:  # each further indicator octet is announced by bit 7
            start += 1
        form, value = self.raw[0] & 0x07, self.raw[start:]
        if form == 0x01 and value:
            return _PERIODS[value[0]]
        if form == 0x02 and value:
            return timedelta(seconds=value[0])
        if form == 0x03 and len(value) >= 3:
            return _hours_minutes_seconds(value[:3])
        return None

    def to_bytes(self, at: int) -> bytes:
        """The seven octets."""
        if len(self.raw) != LENGTH:
            raise TpduError("TP-VP", at, f"needs {LENGTH} octets, has {len(self.raw)}")
        return self.raw


Validity = RelativeValidity | AbsoluteValidity | EnhancedValidity


def _hours_minutes_seconds(octets: bytes) -> timedelta | None:
    digits = decode_digits(octets, 6)
    if len(digits) < 6 or not digits.isdecimal():
        return None
    return timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))


def decode_validity(form: int, tpdu: bytes, at: int) -> tuple[Validity | None, int]:
    """The validity period of TP-VPF `form` at offset `at`, and the offset behind it."""
    if form == ValidityFormat.NONE:
        return None, at
    if form == ValidityFormat.RELATIVE:
        return RelativeValidity(take_octet(tpdu, at, "TP-VP")), at + 1
    if form == ValidityFormat.ENHANCED:
        return EnhancedValidity(take(tpdu, at, LENGTH, "TP-VP")), at + LENGTH
    until, behind = TimeStamp.decode(tpdu, at, "TP-VP")
    return AbsoluteValidity(until), behind


def format_of(validity: Validity | None) -> ValidityFormat:
    """TP-VPF for a validity period."""
    if validity is None:
        return ValidityFormat.NONE
    return _FORMATS[type(validity)]


_FORMATS: dict[type[Validity], ValidityFormat] = {
    RelativeValidity: ValidityFormat.RELATIVE,
    AbsoluteValidity: ValidityFormat.ABSOLUTE,
    EnhancedValidity: ValidityFormat.ENHANCED,
}
