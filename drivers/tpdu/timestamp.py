"""TP-SCTS, TP-DT and absolute TP-VP (3GPP TS 23.040, 9.2.3.11): seven octets of swapped digits."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from drivers.tpdu.errors import TpduError, take
from drivers.tpdu.semi_octets import decode_digits, encode_digits

LENGTH = 7
_QUARTER = timedelta(minutes=15)
_FIRST_YEAR_OF_1900 = 90  # the year has two digits; no message is older than GSM
_MAX_QUARTERS = 79


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """Seven octets as they came. `datetime` is None where they are no time: a broken stamp must not lose a text."""

    raw: bytes

    @classmethod
    def decode(cls, tpdu: bytes, at: int, field: str) -> "tuple[TimeStamp, int]":
        """The stamp at offset `at` and the offset behind it; TpduError only where the octets end."""
        return cls(take(tpdu, at, LENGTH, field)), at + LENGTH

    @classmethod
    def from_datetime(cls, moment: datetime, field: str = "time stamp") -> "TimeStamp":
        """The stamp of an aware `moment` (1990 to 2089), whole seconds, its offset in quarters of an hour."""
        offset = moment.utcoffset()
        if offset is None:
            raise TpduError(field, 0, "needs a time with an offset from UTC")
        quarters, rest = divmod(abs(offset), _QUARTER)
        if rest or quarters > _MAX_QUARTERS:
            raise TpduError(field, 0, "needs an offset in quarters of an hour, at most 79 of them")
        if not 1990 <= moment.year < 2090:
            raise TpduError(field, 0, "needs a year from 1990 to 2089")
        digits = encode_digits(f"{moment:%y%m%d%H%M%S}{quarters:02}")
        sign = 0x08 if offset < timedelta() else 0
        return cls(digits[:-1] + bytes([digits[-1] | sign]))

    @property
    def datetime(self) -> datetime | None:
        """The moment with the offset that the stamp carries, or None where its digits are no date, time or offset."""
        sign = self.raw[-1] & 0x08
        digits = decode_digits(self.raw[:-1] + bytes([self.raw[-1] & 0xF7]), 2 * LENGTH)
        if len(digits) < 2 * LENGTH or not digits.isdecimal():
            return None
        year, month, day, hour, minute, second, quarters = (int(digits[i : i + 2]) for i in range(0, 2 * LENGTH, 2))
        century = 1900 if year >= _FIRST_YEAR_OF_1900 else 2000
        offset = timezone(-quarters * _QUARTER if sign else quarters * _QUARTER)
        try:
            return datetime(century + year, month, day, hour, minute, second, tzinfo=offset)
        except ValueError:
            return None

    def to_bytes(self, field: str, at: int) -> bytes:
        """The seven octets."""
        if len(self.raw) != LENGTH:
            raise TpduError(field, at, f"needs {LENGTH} octets, has {len(self.raw)}")
        return self.raw
