"""The terminal's dialogue, each transcript fed whole, octet by octet, and with further data behind it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.at_feeding import events_of, feed, no_event_before_the_end, three_ways

from drivers.at.commands import ATTENTION, PROBE, AtCommand, submit
from drivers.at.connection import CTRL_Z, AtConnection
from drivers.at.events import AtEvent, Echo, InformationText, Late, Prompt, Urc
from drivers.at.framing import MAX_LINE, Noise
from drivers.at.results import ERROR, OK, parse_final
from drivers.at.state import AtUsageError, Dialogue

CSQ = AtCommand("AT+CSQ")
PDU = "0011000B913306211432F50000FF0548656C6C6F"
CMTI = Urc("+CMTI", '+CMTI: "SM",3')


def idle() -> AtConnection:
    connection = AtConnection()
    connection.vouch()
    return connection


def running(text: str = "AT+CSQ") -> Callable[[], AtConnection]:
    def make() -> AtConnection:
        connection = idle()
        assert connection.send_command(AtCommand(text)) == text.encode() + b"\r"
        return connection

    return make


def prompting() -> AtConnection:
    connection = idle()
    assert connection.send_prompted_command(submit(23)) == b"AT+CMGS=23\r"
    return connection


def submitting() -> AtConnection:
    connection = prompting()
    assert feed(connection, [b"\r\n> "]) == [Prompt()]
    assert connection.send_payload(PDU) == PDU.encode()
    return connection


def lost() -> AtConnection:
    connection = running()()
    connection.abandon()
    return connection


def probing() -> AtConnection:
    connection = lost()
    assert connection.probe(PROBE) == b"AT+CMGF?\r"
    return connection


def final(line: str) -> AtEvent:
    result = parse_final(line)
    assert result is not None
    return result


INFO = InformationText("+CSQ: 21,99")
ANSWERS: list[tuple[str, bytes, list[AtEvent]]] = [
    ("plain", b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n", [INFO, OK]),
    ("only line feeds", b"+CSQ: 21,99\nOK\n", [INFO, OK]),
    ("only carriage returns", b"+CSQ: 21,99\rOK\r", [INFO, OK]),
    ("echo", b"AT+CSQ\r\r\n+CSQ: 21,99\r\n\r\nOK\r\n", [Echo(), INFO, OK]),
    ("NULs", b"\x00\r\n+CSQ\x00: 21,99\r\n\x00\r\nOK\r\n", [INFO, OK]),
    ("not UTF-8", b"\r\n+CSQ: \xff\xfe\r\n\r\nOK\r\n", [InformationText("+CSQ: ÿþ"), OK]),
    ("doubled", b"\r\nOK\r\n\r\nOK\r\n", [OK, Late("OK", OK)]),
    ("text that begins like a result", b"\r\nOK but not yet\r\nOK\r\n", [InformationText("OK but not yet"), OK]),
    ("numeric CME", b"\r\n+CME ERROR: 10\r\n", [final("+CME ERROR: 10")]),
    ("verbose CME", b"\r\n+CME ERROR: SIM not inserted\r\n", [final("+CME ERROR: SIM not inserted")]),
    ("Huawei's words", b"\r\nCOMMAND NOT SUPPORT\r\n", [final("COMMAND NOT SUPPORT")]),
    ("no carrier as a result", b"\r\nNO CARRIER\r\n", [final("NO CARRIER")]),
    ("news before", b'\r\n+CMTI: "SM",3\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n', [CMTI, INFO, OK]),
    ("news between", b'\r\n+CSQ: 21,99\r\n\r\n+CMTI: "SM",3\r\n\r\nOK\r\n', [INFO, CMTI, OK]),
    ("news behind", b'\r\n+CSQ: 21,99\r\n\r\nOK\r\n+CMTI: "SM",3\r\n', [INFO, OK, CMTI]),
    ("glued news", b"\r\n^RSSI:12\r\n\r\n+CSQ: 21,99\r\nOK\r\n", [Urc("^RSSI", "^RSSI:12"), INFO, OK]),
    (
        "a report with its PDU",
        b"\r\n+CDS: 25\r\n0006AA\r\n\r\n+CSQ: 21,99\r\n\r\nOK\r\n",
        [Urc("+CDS", "+CDS: 25", "0006AA"), INFO, OK],
    ),
    (
        "a message with its PDU, inside an answer",
        b"\r\n+CSQ: 21,99\r\n+CMT: ,23\r\n07915155\r\nOK\r\n",
        [INFO, Urc("+CMT", "+CMT: ,23", "07915155"), OK],
    ),
    (
        "news between news and its PDU",
        b'\r\n+CMT: ,23\r\n\r\n+CMTI: "SM",3\r\n07915155\r\n+CSQ: 21,99\r\nOK\r\n',
        [CMTI, Urc("+CMT", "+CMT: ,23", "07915155"), INFO, OK],
    ),
    (
        "a message without its PDU",
        b"\r\n+CMT: ,23\r\n+CSQ: 21,99\r\nOK\r\n",
        [Urc("+CMT", "+CMT: ,23"), INFO, OK],
    ),
    (
        "the end of a call that rang",
        b"\r\nRING\r\n\r\nNO CARRIER\r\n\r\n+CSQ: 21,99\r\nOK\r\n",
        [Urc("RING", "RING"), Urc("NO CARRIER", "NO CARRIER"), INFO, OK],
    ),
    ("an overdue answer", b"\r\n+CMGS: 7\r\n\r\n+CSQ: 21,99\r\nOK\r\n", [Late("+CMGS: 7"), INFO, OK]),
    ("a prompt that hangs", b"\r\n> \r\n+CSQ: 21,99\r\nOK\r\n", [Prompt(), INFO, OK]),
]


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_answers_to_a_command(data: bytes, expected: list[AtEvent]) -> None:
    three_ways(running(), data, expected)


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        (
            "AT+CREG?",
            b"\r\n+CREG: 5\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n",
            [Urc("+CREG", "+CREG: 5"), InformationText("+CREG: 0,1"), OK],
        ),
        ("AT+CPIN?", b"\r\n+CPIN: READY\r\n\r\nOK\r\n", [InformationText("+CPIN: READY"), OK]),
        ("AT+CCID", b"\r\n+ICCID: 8933\r\n\r\nOK\r\n", [InformationText("+ICCID: 8933"), OK]),
        ("AT+CGSN", b"\r\n356938035643809\r\n\r\nOK\r\n", [InformationText("356938035643809"), OK]),
        ("AT+CMGR=1", b"\r\nOK\r\n", [OK]),
        (
            "AT+CMGL=4",
            b"\r\n+CMGL: 0,1,,23\r\n00AA\r\n+CDS: 25\r\n0006\r\n+CMGL: 1,1,,23\r\n00BB\r\n\r\nOK\r\n",
            [
                InformationText("+CMGL: 0,1,,23"),
                InformationText("00AA"),
                Urc("+CDS", "+CDS: 25", "0006"),
                InformationText("+CMGL: 1,1,,23"),
                InformationText("00BB"),
                OK,
            ],
        ),
    ],
)
def test_answers_of_several_shapes(text: str, data: bytes, expected: list[AtEvent]) -> None:
    three_ways(running(text), data, expected)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n> ", [Prompt()]),
        (b"\r\n>", [Prompt()]),
        (b"> ", [Prompt()]),
        (b"AT+CMGS=23\r\r\n> ", [Echo(), Prompt()]),
        (b'\r\n+CMTI: "SM",3\r\n\r\n> ', [CMTI, Prompt()]),
        (b"\r\n+CMS ERROR: 304\r\n", [final("+CMS ERROR: 304")]),
        (b"\r\nERROR\r\n", [ERROR]),
        (b"\r\n+CMGS: 7\r\n\r\nOK\r\n\r\n> ", [Late("+CMGS: 7"), Late("OK", OK), Prompt()]),
        (b"\r\nodd words\r\n> ", [Late("odd words"), Prompt()]),
    ],
)
def test_before_the_prompt(data: bytes, expected: list[AtEvent]) -> None:
    three_ways(prompting, data, expected)


SENT = InformationText("+CMGS: 44")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n+CMGS: 44\r\n\r\nOK\r\n", [SENT, OK]),
        (PDU.encode() + b"\x1a\r\n+CMGS: 44\r\n\r\nOK\r\n", [Echo(), SENT, OK]),
        (b"> " + PDU.encode() + b"\r\n+CMGS: 44\r\n\r\nOK\r\n", [Echo(), SENT, OK]),
        (b'\r\n+CMTI: "SM",3\r\n+CMGS: 44\r\n^RSSI:3\r\nOK\r\n', [CMTI, SENT, Urc("^RSSI", "^RSSI:3"), OK]),
        (b"\r\n+CDS: 25\r\n0006AA\r\n+CMGS: 44\r\nOK\r\n", [Urc("+CDS", "+CDS: 25", "0006AA"), SENT, OK]),
        (b"\r\n+CMS ERROR: 38\r\n", [final("+CMS ERROR: 38")]),
        (b"\r\nOK\r\n", [OK]),
        (b"\r\nERROR\r\n", [ERROR]),
    ],
)
def test_after_the_payload(data: bytes, expected: list[AtEvent]) -> None:
    three_ways(submitting, data, expected)
    connection = submitting()
    feed(connection, [data])
    assert connection.state is Dialogue.IDLE


def test_a_prompted_modem_that_gives_up() -> None:
    connection = prompting()
    assert feed(connection, [b"\r\n> \r\nOK\r\n\r\n+CMS ERROR: 500\r\n"]) == [
        Prompt(),
        Late("OK", OK),
        final("+CMS ERROR: 500"),
    ]
    assert connection.state is Dialogue.IDLE
    with pytest.raises(AtUsageError):
        connection.send_payload(PDU)


def test_nothing_is_concluded_from_half_a_line() -> None:
    no_event_before_the_end(running(), b"\r\nOK\r")
    no_event_before_the_end(running(), b"\r\n+CME ERROR: 10\r")
    no_event_before_the_end(running(), b"\r\n+CMT: ,23\r\n07915155\r")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n", [Urc("+CSQ", "+CSQ: 21,99"), Late("OK", OK)]),
        (b"\r\n+CMGS: 7\r\n\r\nOK\r\n", [Late("+CMGS: 7"), Late("OK", OK)]),
        (b"\r\n+CMGL: 1,1,,23\r\n07915155\r\n", [Late("+CMGL: 1,1,,23"), Late("07915155")]),
        (b'\r\n+CMTI: "SM",3\r\n', [CMTI]),
        (b"\r\n> ", [Prompt()]),
        (b"AT+CSQ\r\r\nERROR\r\n", [Echo(), Late("ERROR", ERROR)]),
        (b"AT\rATE0\r", [Echo(), Echo()]),
    ],
)
def test_while_the_dialogue_is_lost_nothing_is_an_answer(data: bytes, expected: list[AtEvent]) -> None:
    three_ways(lost, data, expected)
    three_ways(AtConnection, data.replace(b"AT+CSQ", b"ATI"), expected)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n+CMGF: 0\r\n\r\nOK\r\n", [InformationText("+CMGF: 0"), OK]),
        (
            b"\r\n+CMGS: 7\r\n\r\nOK\r\n\r\n+CMGF: 0\r\n\r\nOK\r\n",
            [Late("+CMGS: 7"), Late("OK", OK), InformationText("+CMGF: 0"), OK],
        ),
        (
            b"\r\n+CMS ERROR: 332\r\n\r\n+CMGF: 0\r\n\r\nOK\r\n",
            [Late("+CMS ERROR: 332", parse_final("+CMS ERROR: 332")), InformationText("+CMGF: 0"), OK],
        ),
    ],
)
def test_the_probe_finds_the_step_again(data: bytes, expected: list[AtEvent]) -> None:
    three_ways(probing, data, expected)
    connection = probing()
    feed(connection, [data])
    assert connection.state is Dialogue.IDLE


def test_an_error_after_the_probes_own_answer_does_not_end_it() -> None:
    connection = probing()
    assert feed(connection, [b"+CMGF: 0\r\nERROR\r\n"]) == [InformationText("+CMGF: 0"), Late("ERROR", ERROR)]
    assert connection.state is Dialogue.PROBING


def test_a_second_probe_does_not_count_the_first_ones_answer() -> None:
    connection = probing()
    feed(connection, [b"+CMGF: 0\r\n"])
    connection.abandon()
    connection.probe(PROBE)
    assert feed(connection, [b"OK\r\n"]) == [Late("OK", OK)]


def test_attention_leaves_the_dialogue_lost() -> None:
    connection = lost()
    assert connection.attention(ATTENTION) == b"AT\r"
    assert feed(connection, [b"AT\r\r\nOK\r\n"]) == [Echo(), Late("OK", OK)]
    assert connection.state is Dialogue.LOST
    connection = probing()
    connection.attention(ATTENTION)
    assert connection.state is Dialogue.LOST


def test_an_idle_line() -> None:
    connection = idle()
    assert feed(connection, [b"\r\nNO CARRIER\r\n\r\nOK\r\n+CMGS: 3\r\nHello\r\n+CMT: ,5\r\n"]) == [
        Urc("NO CARRIER", "NO CARRIER"),
        Late("OK", OK),
        Late("+CMGS: 3"),
        Late("Hello"),
    ]
    assert feed(connection, [b"0011\r\n"]) == [Urc("+CMT", "+CMT: ,5", "0011")]


def test_two_messages_in_a_row_the_first_without_its_pdu() -> None:
    assert feed(idle(), [b"+CMT: ,5\r\n+CMT: ,6\r\nAABB\r\n"]) == [
        Urc("+CMT", "+CMT: ,5"),
        Urc("+CMT", "+CMT: ,6", "AABB"),
    ]


def test_noise_is_counted_not_kept() -> None:
    connection = running()()
    events = feed(connection, [b"\xaa" * (MAX_LINE + 1), b"\xaa\r\n+CSQ: 21,99\r\nOK\r\n"])
    assert events == [Noise(MAX_LINE + 1), INFO, OK]


def test_a_second_command_has_to_wait() -> None:
    connection = running()()
    with pytest.raises(AtUsageError, match="COMMAND_SENT"):
        connection.send_command(CSQ)
    assert CTRL_Z == b"\x1a"


NEWS = st.sampled_from([b'\r\n+CMTI: "SM",3\r\n', b"\r\n+CDS: 25\r\n0006AA\r\n", b"\r\nRING\r\n", b"\r\n^RSSI:5\r\n"])


@given(st.lists(st.tuples(st.integers(0, 3), NEWS), max_size=6), st.data())
def test_news_between_any_lines_changes_no_answer(extra: list[tuple[int, bytes]], draw: st.DataObject) -> None:
    lines = [b"\r\n+CMGL: 0,1,,23\r\n00AA\r\n", b"\r\n+CMGL: 1,1,,23\r\n00BB\r\n", b"\r\nOK\r\n"]
    data = b"".join(b"".join(news for at, news in extra if at == index) + line for index, line in enumerate(lines))
    data += b"".join(news for at, news in extra if at == len(lines))
    cut = draw.draw(st.integers(0, len(data)))
    events = feed(running("AT+CMGL=4")(), [data[:cut], data[cut:]])
    answers = [event for event in events if not isinstance(event, Urc)]
    assert answers == [
        InformationText("+CMGL: 0,1,,23"),
        InformationText("00AA"),
        InformationText("+CMGL: 1,1,,23"),
        InformationText("00BB"),
        OK,
    ]
    assert len(events) - len(answers) == len(extra)


@given(st.binary(max_size=400))
def test_whatever_comes_is_an_event(data: bytes) -> None:
    for make in (idle, running(), prompting, submitting, lost, probing):
        connection = make()
        connection.receive_data(data)
        events_of(connection)
