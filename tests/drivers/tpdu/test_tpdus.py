"""One class a TPDU: octets and values both ways, every cut, every flag."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from drivers.tpdu import (
    Address,
    CommandType,
    Concatenation,
    InformationElement,
    Origin,
    RelativeValidity,
    SmsCommand,
    SmsDeliver,
    SmsDeliverReport,
    SmsStatusReport,
    SmsSubmit,
    SmsSubmitReport,
    StatusOutcome,
    TimeStamp,
    Tpdu,
    TpduError,
    UserData,
    decode,
)

PEER = Address.from_text("+6391")
STAMP = TimeStamp(bytes.fromhex("51507132200523"))
DISCHARGE = TimeStamp(bytes.fromhex("51408132200542"))
HEADER = (Concatenation(7, 2, 1).to_element(),)

TPDUS: list[tuple[str, Tpdu, Origin]] = [
    ("010004913619000008c8303a8c0ea3c3", SmsSubmit(PEER, UserData("Hahahaha")), Origin.MOBILE),
    (
        "f523049136193410070805000307020190",
        SmsSubmit(PEER, UserData("H", udh=HEADER), 0x23, 0x34, 0x10, RelativeValidity(7), True, True, True),
        Origin.MOBILE,
    ),
    (
        "0404913619000051507132200523" + "08c8303a8c0ea3c3",
        SmsDeliver(PEER, STAMP, UserData("Hahahaha")),
        Origin.NETWORK,
    ),
    (
        "a804913619340851507132200523" + "0400480069",
        SmsDeliver(PEER, STAMP, UserData("Hi"), 0x34, 8, False, True, True, True),
        Origin.NETWORK,
    ),
    (
        "06420491361951507132200523" + "51408132200542" + "00",
        SmsStatusReport(0x42, PEER, STAMP, DISCHARGE),
        Origin.NETWORK,
    ),
    (
        "2a420491361951507132200523" + "51408132200542" + "46" + "07" + "89" + "04" + "067265706f7274",
        SmsStatusReport(0x42, PEER, STAMP, DISCHARGE, 0x46, False, True, True, 0x89, 4, UserData(data=b"report")),
        Origin.NETWORK,
    ),
    ("0000", SmsDeliverReport(), Origin.MOBILE),
    (
        "00d307" + "7f" + "f6" + "03" + "010203",
        SmsDeliverReport(0xD3, 0x7F, 0xF6, UserData(data=b"\1\2\3")),
        Origin.MOBILE,
    ),
    ("0100" + "51507132200523", SmsSubmitReport(STAMP), Origin.NETWORK),
    ("01c502" + "51507132200523" + "08", SmsSubmitReport(STAMP, 0xC5, tp_dcs=8), Origin.NETWORK),
    ("22054102aa" + "04913619" + "00", SmsCommand(PEER, CommandType.DELETE, 0xAA, 5, 0x41, tp_srr=True), Origin.MOBILE),
    (
        "42000000aa" + "04913619" + "03027000",
        SmsCommand(PEER, 0, 0xAA, tp_cd=b"\x02\x70\x00", tp_udhi=True),
        Origin.MOBILE,
    ),
]


@pytest.mark.parametrize(("octets", "tpdu", "origin"), TPDUS)
def test_both_ways(octets: str, tpdu: Tpdu, origin: Origin):
    assert tpdu.to_bytes().hex() == octets
    assert type(tpdu).from_bytes(bytes.fromhex(octets)) == tpdu
    assert decode(bytes.fromhex(octets), origin) == tpdu


@pytest.mark.parametrize(("octets", "tpdu", "origin"), TPDUS)
def test_no_cut_is_taken_for_a_whole(octets: str, tpdu: Tpdu, origin: Origin):
    whole = bytes.fromhex(octets)
    for length in range(len(whole)):
        if isinstance(tpdu, SmsStatusReport) and whole[length - 1 :][:2] == b"\x46\x07":
            continue  # TP-PI and what follows may be absent
        with pytest.raises(TpduError) as caught:
            decode(whole[:length], origin)
        assert 0 <= caught.value.octet <= length


@pytest.mark.parametrize(("octets", "tpdu", "origin"), TPDUS)
def test_another_type_is_refused(octets: str, tpdu: Tpdu, origin: Origin):
    other = bytes([int(octets[:2], 16) ^ 0x01]) + bytes.fromhex(octets[2:])
    if isinstance(tpdu, SmsDeliver):
        other = bytes([other[0] ^ 0x03]) + other[1:]  # 3 is a DELIVER too
    with pytest.raises(TpduError, match="TP-MTI"):
        type(tpdu).from_bytes(other)


@pytest.mark.parametrize(
    ("indicator", "origin", "expected"),
    [
        (0, None, SmsDeliver),
        (1, None, SmsSubmit),
        (2, None, SmsStatusReport),
        (3, None, SmsDeliver),
        (0, Origin.NETWORK, SmsDeliver),
        (1, Origin.NETWORK, SmsSubmitReport),
        (2, Origin.NETWORK, SmsStatusReport),
        (3, Origin.NETWORK, SmsDeliver),
        (0, Origin.MOBILE, SmsDeliverReport),
        (1, Origin.MOBILE, SmsSubmit),
        (2, Origin.MOBILE, SmsCommand),
    ],
)
def test_the_origin_chooses_the_type(indicator: int, origin: Origin | None, expected: type):
    first = next(bytes.fromhex(octets) for octets, tpdu, _ in TPDUS if type(tpdu) is expected)
    octets = bytes([first[0] & 0xFC | indicator]) + first[1:]
    assert type(decode(octets, origin)) is expected


def test_no_mobile_sends_the_reserved_type():
    with pytest.raises(TpduError, match="no mobile may send"):
        decode(b"\x03" + bytes(20), Origin.MOBILE)
    with pytest.raises(TpduError, match="TP-MTI"):
        decode(b"")


def test_a_broken_stamp_loses_no_text():
    for stamp in (bytes(7), b"\xff" * 7):
        deliver = SmsDeliver.from_bytes(SmsDeliver(PEER, TimeStamp(stamp), UserData("kept")).to_bytes())
        assert (deliver.tp_ud.text, deliver.tp_scts.datetime) == ("kept", None)
        report = SmsStatusReport.from_bytes(
            SmsStatusReport(1, PEER, TimeStamp(stamp), TimeStamp(stamp), 0x46).to_bytes()
        )
        assert report.outcome is StatusOutcome.UNDELIVERED


def test_octets_behind_a_tpdu_are_passed_over():
    submit = SmsSubmit(PEER, UserData("x"))
    assert SmsSubmit.from_bytes(submit.to_bytes() + b"\xff\xff") == submit


def test_parameter_indicator_of_several_octets():
    octets = TPDUS[4][0] + "81" + "80" + "00" + "40"
    assert SmsStatusReport.from_bytes(bytes.fromhex(octets)).tp_pid == 0x40
    with pytest.raises(TpduError, match="TP-PI"):
        SmsStatusReport.from_bytes(bytes.fromhex(TPDUS[4][0] + "81"))


@pytest.mark.parametrize("filling", ["ff", "ffff", "ff" * 20, "7f00"])
def test_a_report_that_was_filled_up_is_not_lost(filling: str):
    assert SmsStatusReport.from_bytes(bytes.fromhex(TPDUS[4][0] + filling)) == TPDUS[4][1]


def test_text_without_a_coding_scheme_is_in_the_default_alphabet():
    report = SmsDeliverReport(tp_ud=UserData("ok", udh=HEADER))
    assert report.to_bytes()[0] == 0x40
    assert SmsDeliverReport.from_bytes(report.to_bytes()) == report
    assert report.data_coding.octet == SmsSubmitReport(STAMP).data_coding.octet == 0
    assert SmsStatusReport(0, PEER, STAMP, STAMP, tp_dcs=8).data_coding.octet == 8


def _status_report(**changed: object) -> SmsStatusReport:
    return SmsStatusReport(**({"tp_mr": 0, "tp_ra": PEER, "tp_scts": STAMP, "tp_dt": STAMP} | changed))


@pytest.mark.parametrize(
    ("tpdu", "field"),
    [
        (SmsSubmit(PEER, UserData(""), tp_mr=256), "TP-MR"),
        (SmsSubmit(PEER, UserData(""), tp_pid=-1), "TP-PID"),
        (SmsSubmit(PEER, UserData(""), tp_dcs=256), "TP-DCS"),
        (SmsSubmit(PEER, UserData(""), tp_vp=RelativeValidity(300)), "TP-VP"),
        (SmsSubmit(Address("x"), UserData("")), "TP-DA"),
        (SmsDeliver(Address("x"), STAMP, UserData("")), "TP-OA"),
        (SmsDeliver(PEER, TimeStamp(b""), UserData("")), "TP-SCTS"),
        (SmsDeliver(PEER, STAMP, UserData("ç")), "TP-UD"),
        (_status_report(tp_st=256), "TP-ST"),
        (_status_report(tp_dt=TimeStamp(b"")), "TP-DT"),
        (_status_report(tp_pid=256), "TP-PID"),
        (SmsDeliverReport(tp_fcs=0x7F), "TP-FCS"),
        (SmsDeliverReport(tp_fcs=0x100), "TP-FCS"),
        (SmsDeliverReport(tp_dcs=0x100), "TP-DCS"),
        (SmsCommand(PEER, 256, 0), "TP-CT"),
        (SmsCommand(PEER, 0, 0, tp_cd=bytes(256)), "TP-CDL"),
    ],
)
def test_values_that_no_tpdu_can_carry(tpdu: Tpdu, field: str):
    with pytest.raises(TpduError) as caught:
        tpdu.to_bytes()
    assert caught.value.field == field


def test_encoding_says_where_the_field_would_stand():
    with pytest.raises(TpduError) as caught:
        SmsSubmit(PEER, UserData("ç")).to_bytes()
    assert caught.value.octet == 8


def test_unknown_elements_are_kept():
    header = (InformationElement(0x04, b"\x0b\x84\x23\xf0"), InformationElement(0xA0, b""), *HEADER)
    deliver = SmsDeliver(PEER, TimeStamp.from_datetime(datetime(2026, 11, 22, tzinfo=UTC)), UserData("x", udh=header))
    assert SmsDeliver.from_bytes(deliver.to_bytes()) == deliver


def test_errors_can_be_told_and_copied():
    error = TpduError("TP-DA", 3, "is wrong")
    assert str(error) == "TP-DA at octet 3: is wrong"
    assert str(error.moved(2)) == "TP-DA at octet 5: is wrong"
    kind, arguments = error.__reduce__()
    assert str(kind(*arguments)) == str(error)
