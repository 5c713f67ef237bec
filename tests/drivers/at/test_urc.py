"""Telling unsolicited result codes from answers, line by line."""

import pytest

from drivers.at.urc import (
    ANY_NAME,
    announces_call,
    body_of,
    is_hexadecimal,
    is_overdue,
    is_unsolicited,
    name_of,
    tells_full,
)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('+CMTI: "SM",3', "+CMTI"),
        ('+cmti:"SM",3', "+CMTI"),
        ("^RSSI:12", "^RSSI"),
        ("^SYSSTART", "^SYSSTART"),
        ("*PSUTTZ: 1", "*PSUTTZ"),
        ("#QSS: 1", "#QSS"),
        ("RING", "RING"),
        ("Call Ready", "CALL READY"),
        ("+PACSP0", "+PACSP0"),
        ("Manufacturer: x", ""),
        ("0791", ""),
        ("+33612345678", ""),
        ("", ""),
    ],
)
def test_names(line: str, name: str) -> None:
    assert name_of(line) == name


def test_bodies() -> None:
    assert body_of('+CMTI: "SM",3') == '"SM",3'
    assert body_of("plain text") == "plain text"


@pytest.mark.parametrize(
    ("line", "running", "unsolicited"),
    [
        ('+CMTI: "SM",3', "+CSQ", True),
        ('+CMTI: "SM",3', "+CMTI", True),
        ("+CREG: 1", "+CREG", True),
        ("+CREG: 0,1", "+CREG", False),
        ("+CREG: 2,1", "+CREG", False),
        ('+CREG: 1,"00C3","A1B2"', "+CREG", True),
        ("+CREG: 1,00C3,A1B2", "+CREG", True),
        ('+CREG: 2,1,"00C3","A1B2"', "+CREG", False),
        ('+CREG: 1,"00C3","A1B2",7', "+CREG", True),
        ("+CEREG: 5", "+CEREG", True),
        ("+CEREG: 0,5", "+CREG", True),
        ("+CPIN: READY", "+CPIN", False),
        ("+CPIN: READY", "+CSQ", True),
        ("^RSSI: 20", "+CSQ", True),
        ("^ICCID: 8933", "^ICCID", False),
        ("RING", "+CSQ", True),
        ("RDY", "", True),
        ("HUAWEI", "", False),
        ("+CMGS: 4", "+CSQ", False),
        ("+CMGS: 4", "+CMGS", False),
    ],
)
def test_news_and_answers(line: str, running: str, unsolicited: bool) -> None:
    assert is_unsolicited(line, frozenset({running})) is unsolicited


def test_an_overdue_answer_belongs_to_nothing_that_runs() -> None:
    assert is_overdue("+CMGS: 4", frozenset({"+CSQ"}))
    assert not is_overdue("+CMGS: 4", frozenset({"+CMGS"}))
    assert not is_overdue("+CSQ: 4", frozenset({"+CMGS"}))


def test_calls() -> None:
    assert announces_call("+CLIP")
    assert not announces_call("+CMTI")


def test_hexadecimal() -> None:
    assert is_hexadecimal("00aAFf")
    assert not any(is_hexadecimal(line) for line in ("", "0", "0G", "00 11"))


@pytest.mark.parametrize(("line", "news"), [('+CMTI: "SM",3', True), ("+CREG: 2,1", False), ("^RSSI: 17", False)])
def test_a_line_given_by_hand_may_be_answered_with_any_name(line: str, news: bool) -> None:
    assert is_unsolicited(line, frozenset({ANY_NAME})) is news


@pytest.mark.parametrize(
    ("line", "full"),
    [
        ("^SMMEMFULL: 2", True),
        ("^SMGO: 0", False),
        ("^SMGO: 2", True),
        ('+QIND: "smsfull","SM"', True),
        ('+QIND: "csq",21', False),
        ("+CMTI: 3", False),
    ],
)
def test_news_of_a_full_memory(line: str, full: bool) -> None:
    assert tells_full(line) is full
