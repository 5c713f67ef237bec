"""The record of contract section 7: every field in every record, and its meaning."""

from __future__ import annotations

import json

import pytest
from support.tpdu_vectors import VECTORS

from drivers.tpdu import Origin, SmsCommand, SmsDeliverReport, TimeStamp, TpduError, UserData, describe
from drivers.tpdu.address import Address, NumberingPlan, TypeOfNumber
from drivers.tpdu.description import FIELDS
from drivers.tpdu.submit_report import SmsSubmitReport

CONTRACT = [
    *("type", "smsc", "address", "address_type", "reference", "pid", "dcs", "encoding", "class", "text", "data", "udh"),
    *("concat", "timestamp", "discharge_timestamp", "status", "validity", "status_report_request"),
]
PEER = Address.from_text("+6391")


def _describe(octets: str, *, smsc: bool = False, origin: Origin | None = None) -> dict[str, object]:
    return describe(bytes.fromhex(octets), smsc=smsc, origin=origin)


def test_the_fields_are_those_of_the_contract():
    assert list(FIELDS) == CONTRACT
    for vector in VECTORS:
        if vector["use"] in ("decode", "encode"):
            record = _describe(vector["pdu"], smsc=vector["smsc_field"])
            assert set(record) == set(CONTRACT)
            json.dumps(record).encode()
            assert isinstance(record["pid"], int)
            assert isinstance(record["dcs"], int)


def test_a_deliver():
    assert _describe(
        "07911326060032F0440DD0D432DBFC96D301000011213131211140" + "0B05000319020190E53C14",
        smsc=True,
    ) == {
        "type": "SMS-DELIVER",
        "smsc": "+31626000230",
        "address": "Telfort",
        "address_type": "alphanumeric",
        "reference": None,
        "pid": 0,
        "dcs": 0,
        "encoding": "gsm7",
        "class": None,
        "text": "HeyP",
        "data": None,
        "udh": "0003190201",
        "concat": {"reference": 25, "total": 2, "sequence": 1, "bits": 8},
        "timestamp": "2011-12-13T13:12:11+01:00",
        "discharge_timestamp": None,
        "status": None,
        "validity": None,
        "status_report_request": None,
    }


def test_a_submit():
    record = _describe("39230491361934f5" + "31700131930080" + "0301ff00")
    assert record["type"] == "SMS-SUBMIT"
    assert (record["reference"], record["pid"], record["dcs"], record["class"]) == (0x23, 0x34, 0xF5, 1)
    assert (record["encoding"], record["text"], record["data"], record["udh"]) == ("8bit", None, "01ff00", None)
    assert (record["validity"], record["status_report_request"]) == ("2013-07-10T13:39:00+02:00", True)


def test_compressed_text_stays_octets():
    record = _describe("0100049136190020" + "0301ff00")
    assert (record["encoding"], record["text"], record["data"]) == ("gsm7", None, "01ff00")


def test_broken_stamps_are_null():
    record = _describe("0404913619000000000000000000" + "00")
    assert (record["timestamp"], record["text"]) == (None, "")
    assert _describe("1900049136190000" + "FF" * 7 + "00")["validity"] is None


def test_a_status_report():
    record = _describe("0642049136195150713220052351408132200542AB")
    assert (record["type"], record["reference"], record["status"]) == ("SMS-STATUS-REPORT", 0x42, 0xAB)
    assert record["timestamp"] == "2015-05-17T23:02:50+08:00"
    assert record["discharge_timestamp"] == "2015-04-18T23:02:50+06:00"
    assert (record["pid"], record["dcs"], record["encoding"], record["text"]) == (0, 0, "gsm7", None)


def test_the_other_types():
    report = describe(SmsDeliverReport(0xD3, tp_ud=UserData("no")).to_bytes(), smsc=False, origin=Origin.MOBILE)
    assert (report["type"], report["failure_cause"], report["text"]) == ("SMS-DELIVER-REPORT", 0xD3, "no")
    stamp = TimeStamp(bytes.fromhex("51507132200523"))
    answer = describe(SmsSubmitReport(stamp).to_bytes(), smsc=False, origin=Origin.NETWORK)
    assert (answer["type"], answer["failure_cause"]) == ("SMS-SUBMIT-REPORT", None)
    assert answer["timestamp"] == "2015-05-17T23:02:50+08:00"
    command = describe(SmsCommand(PEER, 2, 9, tp_cd=b"\x01").to_bytes(), smsc=False, origin=Origin.MOBILE)
    assert (command["type"], command["command"], command["message_number"]) == ("SMS-COMMAND", 2, 9)
    assert (command["address"], command["data"]) == ("+6391", "01")
    for record in (report, answer, command):
        assert set(CONTRACT) <= set(record)


@pytest.mark.parametrize(
    ("ton", "word"),
    [
        (TypeOfNumber.UNKNOWN, "unknown"),
        (TypeOfNumber.INTERNATIONAL, "international"),
        (TypeOfNumber.NATIONAL, "national"),
        (TypeOfNumber.NETWORK_SPECIFIC, "network-specific"),
        (TypeOfNumber.SUBSCRIBER, "subscriber"),
        (TypeOfNumber.ALPHANUMERIC, "alphanumeric"),
        (TypeOfNumber.ABBREVIATED, "abbreviated"),
        (TypeOfNumber.RESERVED, "reserved"),
    ],
)
def test_types_of_address(ton: TypeOfNumber, word: str):
    command = SmsCommand(Address("12", ton, NumberingPlan.ISDN), 0, 0)
    assert describe(command.to_bytes(), smsc=False, origin=Origin.MOBILE)["address_type"] == word


def test_errors_count_from_the_first_octet_given():
    with pytest.raises(TpduError) as caught:
        _describe("0791331623547600" + "04", smsc=True)
    assert (caught.value.field, caught.value.octet) == ("TP-OA", 9)
    with pytest.raises(TpduError) as caught:
        _describe("04")
    assert caught.value.octet == 1
