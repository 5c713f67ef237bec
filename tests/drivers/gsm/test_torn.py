"""Answers in whose midst news came: asked again, or not believed."""

from __future__ import annotations

import pytest
from support.pdus import deliver, length_of

from drivers.at.commands import ALL_MESSAGES, IMEI, PDU_MODE, PIN_STATE, UNREAD_MESSAGES, read_message
from drivers.errors import SubmitUncertain
from drivers.events import SubmitResult
from drivers.gsm.submit_answer import judge_lines
from drivers.gsm.torn import Doubts

PDU = deliver("Hello")
LENGTH = length_of(PDU)
WHOLE = [f"+CMGL: 12,1,,{LENGTH}", PDU]
NEWS = Doubts(news=True, pieces=True)
CALM = Doubts()


def test_news_is_doubtful_only_with_a_line_behind_it() -> None:
    doubts = Doubts()
    doubts.line()
    doubts.news = True
    assert not doubts.may_be_dispelled(IMEI, ["350000000000010"])
    doubts.line()
    assert doubts.may_be_dispelled(IMEI, ["35000000000001", "0"])


def test_only_what_was_disturbed_is_asked_again() -> None:
    assert not CALM.may_be_dispelled(IMEI, ["350000000000010"])
    assert NEWS.may_be_dispelled(IMEI, ["35000000000001", "0"])
    assert NEWS.may_be_dispelled(PIN_STATE, ["+CPIN: SIM PIN"])
    assert not NEWS.may_be_dispelled(PDU_MODE, [])


@pytest.mark.parametrize(
    "lines",
    [
        ["+CMGL: 1", f"2,1,,{LENGTH}", PDU],
        [f"+CMGL: 12,1,,{LENGTH // 10}", str(LENGTH % 10), PDU],
        [f"+CMGL: 12,1,,{LENGTH}", PDU[:20], PDU[20:]],
        [f"+CMGL: 12,1,,{LENGTH}", PDU[:21], PDU[21:]],
        [f"+CMGL: 12,1,,{LENGTH}", *WHOLE],
        [*WHOLE, f"+CMGL: 13,1,,{LENGTH}"],
        ["+CM", f"GL: 12,1,,{LENGTH}", PDU],
    ],
)
def test_a_listing_in_pieces_is_not_believed(lines: list[str]) -> None:
    assert NEWS.may_be_dispelled(ALL_MESSAGES, lines)
    assert NEWS.leave(ALL_MESSAGES, lines, whole=True) is None
    # What is new is shown once: it is not asked for again, and its slots are read one by one.
    assert not NEWS.may_be_dispelled(UNREAD_MESSAGES, lines)
    assert NEWS.leave(UNREAD_MESSAGES, lines, whole=True) is None
    # A modem that writes so without being disturbed means it so.
    assert CALM.leave(ALL_MESSAGES, lines, whole=True) == tuple(lines)


def test_a_message_that_fits_together_is_believed() -> None:
    for command in (ALL_MESSAGES, UNREAD_MESSAGES):
        assert not NEWS.may_be_dispelled(command, WHOLE * 3)
        assert NEWS.leave(command, WHOLE * 3, whole=True) == (*WHOLE, *WHOLE, *WHOLE)
    without_smsc = PDU[2 + 2 * int(PDU[:2], 16) :]
    assert not NEWS.may_be_dispelled(read_message(3), [f"+CMGR: 1,,{LENGTH}", PDU])
    assert not NEWS.may_be_dispelled(read_message(3), [f"+CMGR: 1,,{LENGTH}", without_smsc])
    assert NEWS.may_be_dispelled(read_message(3), ["+CMGR: 1", f",,{LENGTH}", PDU])


def test_an_answer_without_end_is_believed_only_if_nothing_came_between() -> None:
    assert CALM.leave(PIN_STATE, ["+CPIN: READY"], whole=False) == ("+CPIN: READY",)
    assert NEWS.leave(PIN_STATE, ["+CPIN: SIM PIN"], whole=False) == ()


@pytest.mark.parametrize("lines", [("+CMGS: 1", "2", "OK"), ("+CMGS: 1", '2,"26/01/02"', "OK"), ("+CMGS: 1", "2")])
def test_half_a_reference_is_no_reference(lines: tuple[str, ...]) -> None:
    with pytest.raises(SubmitUncertain) as caught:
        judge_lines(lines, bytes(2))
    assert caught.value.cause == "torn"


def test_a_whole_reference_stands_whatever_else_is_said() -> None:
    assert judge_lines(("0021", "+CMGS: 12", "OK"), bytes(2)) == SubmitResult(12)
    assert judge_lines(("+CMGS: 12", "Message waiting", "OK"), bytes(2)) == SubmitResult(12)
