"""`tocsin decode` and `tocsin encode`, as a person and as a script would use them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.tpdu_vectors import VECTORS

from drivers.tpdu.description import FIELDS
from gateway.cli.tpdu_tools import decode, encode

HELLO = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


def _decode(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(decode, arguments, input=given)


def _encode(*arguments: str) -> Result:
    return CliRunner().invoke(encode, arguments)


def _records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def _there_and_back(*arguments: str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    written = _encode(*arguments)
    assert (written.exit_code, written.stderr) == (0, "")
    result = _decode("--json", *options, given=written.stdout)
    assert result.exit_code == 0
    return _records(result)


def test_one_object_a_line_with_every_field():
    readable = [one["pdu"] for one in VECTORS if one["use"] in ("decode", "encode") and one["smsc_field"]]
    result = _decode("--json", given="\n".join(readable))
    assert result.exit_code == 0
    assert [set(record) for record in _records(result)] == [set(FIELDS)] * len(readable)


def test_arguments_instead_of_lines():
    result = _decode("--json", HELLO, HELLO.lower(), given="not read")
    assert [record["text"] for record in _records(result)] == ["How are you?"] * 2


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("zz", {"field": "PDU", "octet": 0, "message": "has a character that is no hexadecimal digit"}),
        (HELLO[:-1], {"field": "PDU", "octet": 37, "message": "has an odd number of hexadecimal digits"}),
        ("00", {"field": "TP-MTI", "octet": 1, "message": "missing: the octets end before it"}),
        (HELLO[:-2], {"field": "TP-UD", "octet": 27, "message": "needs 11 octets, 10 are left"}),
        ("ÿ", {"field": "PDU", "octet": 0, "message": "has a character that is no hexadecimal digit"}),
    ],
)
def test_a_malformed_line_does_not_stop_the_others(line: str, error: dict[str, Any]):
    result = _decode("--json", given=f"{HELLO}\n{line}\n\n{HELLO}\r\n")
    assert result.exit_code == 1
    first, second, third = _records(result)
    assert (first["text"], second, third["text"]) == ("How are you?", {"error": error}, "How are you?")
    shown = _decode(given=line)
    assert shown.exit_code == 1
    assert shown.output == f"error: {error['field']} at octet {error['octet']}: {error['message']}\n"


def test_octets_that_are_no_text_are_an_error_too():
    result = _decode("--json", given=b"\xff\xfe\x00\n" + HELLO.encode())
    assert result.exit_code == 1
    assert [set(record) == {"error"} for record in _records(result)] == [True, False]


def test_nothing_in_nothing_out():
    result = _decode("--json", given="\n\n")
    assert (result.exit_code, result.output) == (0, "")


def test_the_origin_and_the_missing_service_centre():
    (network,) = _records(_decode("--json", "--no-smsc", "--from", "network", "010051507132200523"))
    assert network["type"] == "SMS-SUBMIT-REPORT"
    (mobile,) = _records(_decode("--json", "--no-smsc", "--from", "mobile", "0000"))
    assert mobile["type"] == "SMS-DELIVER-REPORT"
    assert _decode("--from", "nobody", HELLO).exit_code == 2


def test_for_people():
    result = _decode(HELLO, HELLO)
    assert result.exit_code == 0
    first, second = result.output.split("\n\n")
    assert first.splitlines() == second.splitlines()
    assert "address:                +31641600986" in first
    assert "text:                   How are you?" in first
    assert "validity" not in first


def test_what_a_stranger_wrote_cannot_steer_the_terminal():
    written = _encode("+33639980001", "a\x1b[2J\x9b2J\nb \u202e☎")
    assert "text:                   a\\x1b[2J\\x9b2J\\nb \\u202e☎" in _decode(given=written.stdout).output


def test_parts_and_status_for_people():
    parts = _decode(given=_encode("+33639980001", "a" * 161, "--reference", "7").stdout)
    assert "concat:                 part 2 of 2, reference 7 (8 bits)" in parts.output
    assert "status report request:  yes" in parts.output
    assert "status report request:  no" in _decode(given=_encode("38000", "a", "--no-report").stdout).output
    report = "0006270B913426565711F70120811113454001208111740540"
    assert "status:                 70 (validity period expired)" in _decode(report + "46").output
    assert "status:                 255\n" in _decode(report + "FF").output


@pytest.mark.parametrize("text", ["", "Bonjour", "€" * 100, "ş 😀" * 40, "@" * 160, "l'été, ça va"])
def test_encode_is_the_inverse_of_decode(text: str):
    records = _there_and_back("+33639980001", "--", text)
    assert "".join(record["text"] for record in records) == text
    assert {record["address"] for record in records} == {"+33639980001"}
    assert {(record["type"], record["smsc"], record["status_report_request"]) for record in records} == {
        ("SMS-SUBMIT", None, True)
    }


def test_options_of_encode():
    (record,) = _there_and_back(
        *("+33639980001", "flash", "--smsc", "+33609001390", "--validity", "6h", "--class", "0", "--no-report")
    )
    assert (record["smsc"], record["validity"], record["class"]) == ("+33609001390", 6 * 3600, 0)
    assert record["status_report_request"] is False
    parts = _there_and_back("38000", "a" * 161, "--reference", "4660")
    assert [part["concat"] for part in parts] == [
        {"reference": 4660, "total": 2, "sequence": number, "bits": 16} for number in (1, 2)
    ]
    (turkish,) = _there_and_back("38000", "ş" * 100, "--national-tables")
    assert (turkish["encoding"], turkish["udh"]) == ("gsm7", "250101")
    (bare,) = _there_and_back("38000", "x", "--no-smsc", options=("--no-smsc",))
    assert bare["text"] == "x"


def test_a_deliver():
    (record,) = _there_and_back("Clinic", "Bonjour", "--deliver", "2026-11-22T12:00:00+01:00")
    assert (record["type"], record["address"], record["address_type"]) == ("SMS-DELIVER", "Clinic", "alphanumeric")
    assert record["timestamp"] == "2026-11-22T12:00:00+01:00"


def test_the_length_for_the_modem():
    (line,) = _records(_encode("+33639980001", "x", "--smsc", "+33609001390", "--json"))
    assert line["length"] == len(line["pdu"]) // 2 - 8


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("+33 6", "x"), 2, "neither a number of digits alone nor a name"),
        (("", "x"), 2, "neither a number"),
        (("+33639980001",), 2, "Missing argument"),
        (("38000", "x", "--smsc", "Clinic"), 2, "is not a number"),
        (("38000", "x", "--smsc", "+33", "--no-smsc"), 2, "exclude each other"),
        (("38000", "x", "--reference", "65536"), 2, "65535"),
        (("38000", "x", "--class", "4"), 2, "0<=x<=3"),
        (("38000", "x", "--validity", "soon"), 2, "90s, 15m, 24h, 30d"),
        (("38000", "x", "--validity", "0s"), 2, "90s, 15m, 24h, 30d"),
        (("38000", "x", "--deliver", "noon"), 2, "2026-11-22T12:00:00+01:00"),
        (("38000", "x", "--deliver", "2026-11-22T12:00:00"), 2, "offset from UTC"),
        (("38000", "x" * 40000), 1, "at most 255 parts"),
        (("38000", "\udcff"), 1, "half of a surrogate pair"),
    ],
)
def test_what_encode_refuses(arguments: tuple[str, ...], status: int, message: str):
    result = _encode(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [decode, encode])
def test_help_has_an_example(command: Any):
    result = CliRunner().invoke(command, ["--help"])
    assert f"tocsin {command.name} " in result.output
