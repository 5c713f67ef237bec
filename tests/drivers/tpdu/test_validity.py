from __future__ import annotations

from datetime import timedelta

import pytest

from drivers.tpdu import AbsoluteValidity, EnhancedValidity, RelativeValidity, TimeStamp, TpduError
from drivers.tpdu.validity import ValidityFormat, decode_validity, format_of


@pytest.mark.parametrize(
    ("octet", "period"),
    [
        (0, timedelta(minutes=5)),
        (11, timedelta(hours=1)),
        (143, timedelta(hours=12)),
        (144, timedelta(hours=12, minutes=30)),
        (167, timedelta(hours=24)),
        (168, timedelta(days=2)),
        (196, timedelta(days=30)),
        (197, timedelta(weeks=5)),
        (255, timedelta(weeks=63)),
    ],
)
def test_relative_periods(octet: int, period: timedelta):
    validity = RelativeValidity(octet)
    assert validity.period == period
    assert RelativeValidity.from_timedelta(period) == validity
    assert decode_validity(ValidityFormat.RELATIVE, bytes([octet]), 0) == (validity, 1)
    assert validity.to_bytes(0) == bytes([octet])


def test_every_octet_goes_round_and_grows():
    periods = [RelativeValidity(octet).period for octet in range(256)]
    assert periods == sorted(set(periods))
    assert [RelativeValidity.from_timedelta(period).octet for period in periods] == list(range(256))


@pytest.mark.parametrize(
    ("asked", "octet"),
    [
        (timedelta(seconds=1), 0),
        (timedelta(minutes=9, seconds=59), 0),
        (timedelta(minutes=10), 1),
        (timedelta(hours=13), 145),
        (timedelta(hours=13, minutes=29), 145),
        (timedelta(days=31), 196),
        (timedelta(days=9999), 255),
    ],
)
def test_never_longer_than_asked_but_five_minutes(asked: timedelta, octet: int):
    assert RelativeValidity.from_timedelta(asked).octet == octet


@pytest.mark.parametrize("period", [timedelta(), timedelta(seconds=-1)])
def test_no_period(period: timedelta):
    with pytest.raises(TpduError, match="TP-VP"):
        RelativeValidity.from_timedelta(period)


@pytest.mark.parametrize(
    ("octets", "seconds"),
    [
        ("00000000000000", None),
        ("01000000000000", 300),
        ("02000000000000", 0),
        ("42030000000000", 3),
        ("03103254000000", 3600 + 23 * 60 + 45),
        ("030000FF000000", None),
        ("03A00000000000", None),
        ("04000000000000", None),
        ("07000000000000", None),
        ("82000500000000", 5),
        ("82828282820007", 7),
        ("8181818181FFFF", None),
        ("8383838300FFFF", None),
    ],
)
def test_enhanced(octets: str, seconds: int | None):
    validity, behind = decode_validity(ValidityFormat.ENHANCED, bytes.fromhex(octets), 0)
    assert behind == 7
    assert validity.period == (None if seconds is None else timedelta(seconds=seconds))
    assert validity.single_shot is bool(int(octets[:2], 16) & 0x40)
    assert validity.to_bytes(0).hex().upper() == octets


def test_absolute():
    octets = bytes.fromhex("31700131930080")
    validity, behind = decode_validity(ValidityFormat.ABSOLUTE, octets, 0)
    assert (validity, behind) == (AbsoluteValidity(TimeStamp(octets)), 7)
    assert validity.to_bytes(0) == octets


def test_formats():
    assert decode_validity(ValidityFormat.NONE, b"", 0) == (None, 0)
    assert format_of(None) is ValidityFormat.NONE
    assert format_of(RelativeValidity(0)) is ValidityFormat.RELATIVE
    assert format_of(EnhancedValidity(bytes(7))) is ValidityFormat.ENHANCED
    assert format_of(AbsoluteValidity(TimeStamp(bytes(7)))) is ValidityFormat.ABSOLUTE


def test_wrong_octets():
    for form in (ValidityFormat.ENHANCED, ValidityFormat.RELATIVE, ValidityFormat.ABSOLUTE):
        with pytest.raises(TpduError, match="TP-VP"):
            decode_validity(form, b"", 0)
    with pytest.raises(TpduError, match="TP-VP"):
        EnhancedValidity(bytes(6)).to_bytes(0)
    with pytest.raises(TpduError, match="TP-VP"):
        RelativeValidity(256).to_bytes(0)
