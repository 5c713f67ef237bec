from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from drivers.tpdu import TimeStamp, TpduError


@pytest.mark.parametrize(
    ("octets", "moment"),
    [
        ("1120821105050A", "2011-02-28T11:50:50-05:00"),
        ("11101021436500", "2011-01-01T12:34:56+00:00"),
        ("10101032959532", "2001-01-01T23:59:59+05:45"),
        ("99211332959580", "1999-12-31T23:59:59+02:00"),
        ("98211332959580", "2089-12-31T23:59:59+02:00"),
        ("62112221000097", "2026-11-22T12:00:00+19:45"),
        ("6211222100009F", "2026-11-22T12:00:00-19:45"),
    ],
)
def test_good_stamps(octets: str, moment: str):
    stamp, behind = TimeStamp.decode(bytes.fromhex(octets), 0, "TP-SCTS")
    assert behind == 7
    assert stamp.datetime.isoformat() == moment
    assert TimeStamp.from_datetime(datetime.fromisoformat(moment)) == stamp
    assert stamp.to_bytes("TP-SCTS", 0).hex().upper() == octets


@pytest.mark.parametrize(
    "octets",
    [
        "00000000000000",
        "FFFFFFFFFFFFFF",
        "62312221000000",
        "62112342000000",
        "621122A1000000",
        "621122210000F0",
        "62112221060600",
    ],
)
def test_broken_stamps_are_kept(octets: str):
    stamp, _ = TimeStamp.decode(bytes.fromhex(octets), 0, "TP-SCTS")
    assert stamp.datetime is None
    assert stamp.to_bytes("TP-SCTS", 0).hex().upper() == octets


def test_every_zone_octet():
    for octet in range(256):
        moment = TimeStamp(bytes.fromhex("621122210000") + bytes([octet])).datetime
        units, tens = octet >> 4, octet & 7
        assert (moment is not None) is (units < 10)
        if moment:
            quarters = (10 * tens + units) * (-1 if octet & 8 else 1)
            assert moment.utcoffset() == timedelta(minutes=15) * quarters
            if moment.utcoffset():
                assert TimeStamp.from_datetime(moment).raw[-1] == octet


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001  the naive time is the case
        datetime(1989, 12, 31, tzinfo=UTC),
        datetime(2090, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=20))),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=20))),
    ],
)
def test_times_that_no_stamp_can_carry(moment: datetime):
    with pytest.raises(TpduError):
        TimeStamp.from_datetime(moment)


def test_wrong_number_of_octets():
    with pytest.raises(TpduError) as caught:
        TimeStamp.decode(bytes(9), 3, "TP-DT")
    assert (caught.value.field, caught.value.octet) == ("TP-DT", 3)
    with pytest.raises(TpduError):
        TimeStamp(bytes(6)).to_bytes("TP-SCTS", 0)
