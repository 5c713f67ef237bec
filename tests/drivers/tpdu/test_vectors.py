"""Vectors from other projects' tests: what they state of a PDU is what we read, and write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.tpdu_vectors import TYPES, VECTORS, used_to

from drivers.tpdu import (
    Address,
    Concatenation,
    RelativeValidity,
    SmsSubmit,
    TpduError,
    UserData,
    dcs_of,
    decode,
    describe,
    join_smsc,
    segment,
    split_smsc,
)
from drivers.tpdu.data_coding import Alphabet

SAME = {
    "smsc": "smsc",
    "number": "address",
    "text": "text",
    "alphabet": "encoding",
    "data_hex": "data",
    "dcs": "dcs",
    "pid": "pid",
    "class": "class",
    "reference": "reference",
    "status": "status",
    "timestamp": "timestamp",
    "discharge": "discharge_timestamp",
    "vp_seconds": "validity",
    "vp_absolute": "validity",
    "status_report_requested": "status_report_request",
}


def _read(vector: dict[str, Any]) -> dict[str, Any]:
    return describe(bytes.fromhex(vector["pdu"]), smsc=vector["smsc_field"])


def _check_concat(stated: dict[str, int], read: dict[str, Any]) -> None:
    concat = read["concat"]
    assert (concat["reference"], concat["total"], concat["sequence"]) == (stated["ref"], stated["total"], stated["seq"])


def _check(expect: dict[str, Any], read: dict[str, Any]) -> None:
    """Everything that `expect` states; a key that is not known here fails."""
    for key, value in expect.items():
        if key in SAME:
            assert read[SAME[key]] == value, key
        elif key == "type":
            assert read["type"] == TYPES[value]
        elif key == "multipart":
            assert (read["concat"] is not None) is value
        elif key == "concat":
            _check_concat(value, read)
        elif key in ("number_digits", "smsc_digits"):
            stated = read["address" if key == "number_digits" else "smsc"]
            assert stated.removeprefix("+") == value.removeprefix("+")
        elif key in ("timestamp_naive", "discharge_naive"):
            name = "timestamp" if key == "timestamp_naive" else "discharge_timestamp"
            assert read[name].startswith(value)
        elif key == "timestamp_utc":
            assert datetime.fromisoformat(read["timestamp"]) == datetime.fromisoformat(value).replace(tzinfo=UTC)
        else:
            assert key in ("vp_enhanced_hex", "tpdu_length", "reject_duplicates"), f"{key} is not compared"


@used_to("decode")
def test_decode(vector: dict[str, Any]):
    _check(vector["expect"], _read(vector))
    if "vp_enhanced_hex" in vector["expect"]:
        _, tpdu = split_smsc(bytes.fromhex(vector["pdu"]))
        assert SmsSubmit.from_bytes(tpdu).tp_vp.to_bytes(0).hex() == vector["expect"]["vp_enhanced_hex"]


@used_to("encode")
def test_encode(vector: dict[str, Any]):
    expect = vector["expect"]
    pdu = join_smsc(Address.from_text(expect["smsc"]) if "smsc" in expect else None, _submit(expect, vector))
    assert pdu.hex().upper() == vector["pdu"]
    _check(expect, _read(vector))


def _submit(expect: dict[str, Any], vector: dict[str, Any]) -> bytes:
    """The TPDU made of the stated fields alone; of the vector's octets only TP-DCS, where no field states it."""
    text = expect.get("text")
    alphabet = Alphabet(segment(text).encoding) if text is not None else Alphabet.EIGHT_BIT
    concat = expect.get("concat")
    udh = (Concatenation(concat["ref"], concat["total"], concat["seq"]).to_element(),) if concat else ()
    data = bytes.fromhex(expect["data_hex"]) if "data_hex" in expect else None
    seconds = expect.get("vp_seconds")
    submit = SmsSubmit(
        Address.from_text(expect["number"]),
        UserData(text, data, udh),
        tp_dcs=dcs_of(alphabet, expect.get("class")),
        tp_vp=None if seconds is None else RelativeValidity.from_timedelta(timedelta(seconds=seconds)),
        tp_srr=expect.get("status_report_requested", False),
        tp_rd=expect.get("reject_duplicates", False),
    )
    octets = submit.to_bytes()
    assert SmsSubmit.from_bytes(octets) == submit
    assert len(octets) == expect.get("tpdu_length", len(octets))
    return octets


@used_to("encode-address")
def test_encode_address(vector: dict[str, Any]):
    address, octets = Address.from_text(vector["expect"]["number"]), bytes.fromhex(vector["pdu"])
    if vector["smsc_field"]:
        assert address.to_service_centre() == octets
        assert split_smsc(octets) == (address, b"")
    else:
        assert address.to_bytes() == octets
        assert Address.decode(octets, 0, "TP-DA") == (address, len(octets))


@used_to("reject")
def test_reject(vector: dict[str, Any]):
    if len(vector["pdu"]) % 2:
        vector = vector | {"pdu": vector["pdu"][:-1]}  # `tocsin decode` refuses half an octet; here it is cut off
    with pytest.raises(TpduError) as caught:
        _read(vector)
    assert caught.value.field.startswith(("TP-", "SMSC"))
    assert 0 <= caught.value.octet <= len(vector["pdu"]) // 2


@used_to("tolerate-or-reject")
def test_tolerate_or_reject(vector: dict[str, Any]):
    try:
        read = _read(vector)
    except TpduError:
        assert vector["id"] == "gsmmodem-udl-too-long"  # TP-UDL counts more octets than there are
    else:
        _check(vector["expect"], read)


def test_every_use_has_its_test():
    assert {vector["use"] for vector in VECTORS} == {
        "decode",
        "encode",
        "encode-address",
        "reject",
        "tolerate-or-reject",
    }
    assert len(VECTORS) == 124


#: Vectors whose octets a sender could have chosen otherwise, and in what.
NOT_CANONICAL = {
    "mm-pdu_multipart-1": "a fill bit before the text is set",
    "mm-pdu_multipart-2": "a fill bit before the text is set",
    "gsmmodem-deliver-concat8": "a fill bit before the text is set",
    "xlab-submit-enhanced-vp-relative": "spare bits behind the text are set",
    "xlab-status-report": "TP-PI announces nothing",
}


READABLE = [one for one in VECTORS if one["use"] in ("decode", "encode") or one["id"] == "gsmmodem-zte-sr"]


@pytest.mark.parametrize("vector", READABLE, ids=lambda one: one["id"])
def test_what_was_read_is_written_again(vector: dict[str, Any]):
    """The same octets, unless the vector's are not the only ones that mean the same."""
    octets = bytes.fromhex(vector["pdu"])
    _, tpdu = split_smsc(octets) if vector["smsc_field"] else (None, octets)
    written = decode(tpdu).to_bytes()
    assert (written != tpdu) is (vector["id"] in NOT_CANONICAL)
    assert decode(written) == decode(tpdu)
