"""A trace without its people: nothing seeded survives, and what is left still parses."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pdus import deliver, length_of, report
from support.tpdu_vectors import VECTORS, with_smsc

from drivers.gsm.profiles import PROFILES
from drivers.tpdu import (
    Address,
    Origin,
    SmsDeliver,
    SmsStatusReport,
    SmsSubmit,
    TpduError,
    build_submits,
    decode,
    segment,
    split_smsc,
)
from drivers.trace.pdu_redaction import redact_pdu
from drivers.trace.placeholders import Placeholders
from drivers.trace.recorder import Recorder
from drivers.trace.records import Direction, parse_record

# No canary begins like a placeholder, and none is short enough to stand in a code or a time by chance.
NUMBERS = st.from_regex(r"[1-8][1-9]{8,13}", fullmatch=True)
PINS = st.from_regex(r"[1-9]{6,8}", fullmatch=True)
TEXTS = st.builds(
    str.__add__,
    st.text(st.sampled_from("bcdfghijklmnpqrstuvwyz"), min_size=6, max_size=12),
    st.text(st.sampled_from("abcdefghijklmnopqrstuvwyz ABC?!'-"), max_size=60),
)


class Traced:
    """A recorder and what it wrote."""

    def __init__(self, *, redacted: bool = True) -> None:
        self.lines: list[str] = []
        self.time = 0.0
        self.recorder = Recorder(
            self.lines.append, lambda: self.time, title="test", about=lambda: "", redacted=redacted
        )

    def run(self, *passed: str) -> list[str]:
        """Lines ``>…`` and ``<…`` of a dialogue, in their frames; the texts of the records."""
        for each in passed:
            content = each[1:].encode("latin-1")
            if each[0] == ">":
                self.recorder.sent(content if content.endswith((b"\x1a", b"\x1b")) else content + b"\r")
            elif content == b"> ":
                self.recorder.received(b"\r\n> ")
            else:
                self.recorder.received(b"\r\n" + content + b"\r\n")
        records = [parse_record(line) for line in self.lines]
        return [f"{one.direction}{one.octets.decode('latin-1').strip(chr(13) + chr(10))}" for one in records if one]


def dialogues(number: str, text: str, pin: str) -> list[list[str]]:
    """Everything that can hold a number, a text or a PIN, as modems and drivers say it."""
    received = deliver(text, "+" + number)
    named = deliver(text, text.strip()[:8])
    told = SmsStatusReport.from_bytes(split_smsc(bytes.fromhex(report(7)))[1])
    about = SmsStatusReport(7, Address.from_text("+" + number), told.tp_scts, told.tp_dt, 0).to_bytes()
    (submit,) = build_submits(segment(text), Address.from_text("+" + number), reference=3)
    wide = text.encode("utf-16-be").hex().upper()
    sim = ("89" + number * 2)[:19]
    return [
        [f">AT+CMGS={len(submit.to_bytes())}", "<> ", f">00{submit.to_bytes().hex().upper()}\x1a", "<+CMGS: 12", "<OK"],
        [f">AT+CMGF=0;+CMGS={len(submit.to_bytes())}", "<> ", f">00{submit.to_bytes().hex().upper()}\x1a", "<OK"],
        [f'>AT+CMGS="+{number}"', "<> ", f">{text}\x1a", "<+CMGS: 12", "<OK"],
        [">AT+CMGR=1", f"<+CMGR: 0,,{length_of(received)}", f"<{received}", "<OK"],
        [">AT+CMGL=4", f"<+CMGL: 1,1,,{length_of(named)}", f"<{named}", "<OK"],
        [f'<+CMT: "{text.strip()}",{length_of(received)}', f"<{received}", f"<+CDS: {len(about)}", f"<00{about.hex()}"],
        [">AT+CMGR=1", f"<{received}", "<OK"],
        [">AT+CMGR=1", f"<+CMGR: 0,,3{length_of(received)}", f"<{received}", "<OK"],
        [">AT+CMGR=1", f'<+CMGR: "REC READ","+{number}",,"26/01/02,10:00:00+04"', f"<{text}", "<", "<OK"],
        [">AT+CMGL=\"ALL\"", f'<+CMGL: 1,"REC READ","{wide}",,"26/01/02,10:00:00+04"', f"<{wide}", f"<{text}", "<OK"],
        [f'<+CMT: "+{number}",,"26/01/02,10:00:00+04"', f"<{text}", "<"],
        ["<RING", f'<+CLIP: "+{number}",145,"",,"{text}"', f'<+XYZ: "{text}"'],
        [f'>AT+CPIN="{pin}"', "<OK", f'>AT+CPIN="{pin}","{pin[::-1]}"', "<OK", f">AT+CPIN={pin}", "<+CME ERROR: 16"],
        [f'>AT+CLCK="SC",1,"{pin}"', "<OK", f'>AT+CPWD="SC","{pin}","{pin}"', "<OK", f'>AT^CPIN="{pin}"', "<OK"],
        [f'>AT+CPIN="{pin}"', f'<AT+CPIN="{pin}"', "<OK"],
        [f'>AT+CPIN="{pin}"', "<AT+CPI", f'<N="{pin}"', "<OK"],
        [f'>AT+CUSD=1,"*101*{pin}#",15', "<OK", f'<+CUSD: 0,"{text}",15', f"<+CUSD: 0,{text}, {number},15"],
        [f'<+CUSD: 0,"{text}', f"<{text}", f'<{text}",15', f'<+CUSD: 2,"{wide}",72', f"<+CUSD: 1,{text}"],
        [">AT+CGSN", f"<{number}", "<OK", ">AT+CIMI", f"<{number}", "<OK", ">AT+CGSN", f"<+CGSN: {number}", "<OK"],
        [">AT+CCID", f"<+CCID: {sim}", "<OK", f"<^ICCID: {sim}F", ">AT+CCID", f"<{sim}", "<OK", f'<+CCID: "{sim}"'],
        [">AT+CRSM=176,12258,0,0,10", f'<+CRSM: 144,0,"{sim}F"', "<OK", ">AT+CNUM", f'<+CNUM: "{text}","{number}",129'],
        [">ATI", "<Manufacturer: huawei", f"<IMEI: {number}", "<OK", f">ATD+{number};", f">ATD*99#{number}"],
        [">AT+CPBR=1", f'<+CPBR: 1,"+{number}",145,"{text}"', "<OK", f'>AT+CPBW=1,"{number}",129,"{text}"', "<OK"],
        [f'>AT+CSCA="+{number}",145', "<OK", ">AT+CSCA?", f'<+CSCA: "+{number}",145', f">AT+XYZ={text},{number}"],
        [f"<+XYZ: {text},{number}", f'<^ABC: "{text}","{number}"', f"<{text}", f">{text} {number}"],
        [">AT+CPIN?", f"<+CME ERROR: {number}"],
    ]  # fmt: skip


@given(number=NUMBERS, text=TEXTS, pin=PINS)
def test_no_canary_survives(number: str, text: str, pin: str) -> None:
    swapped = "".join(f"{(number + 'F')[at + 1]}{number[at]}" for at in range(0, len(number) - 1, 2))
    hidden = [number, pin, pin[::-1], swapped, text.encode("utf-16-be").hex().upper()]
    hidden += re.findall(r"[a-z]{5,}", text)
    for passed in dialogues(number, text, pin):
        whole = "\n".join(Traced().run(*passed)).upper()
        for canary in hidden:
            assert canary.upper() not in whole, passed


@given(number=NUMBERS, text=TEXTS, pin=PINS)
def test_a_line_keeps_its_length_and_a_dialogue_its_lines(number: str, text: str, pin: str) -> None:
    for passed in dialogues(number, text, pin):
        shown = Traced().run(*passed)
        expected = [each.strip() for each in passed if len(each) > 1]
        assert [len(each.strip()) for each in shown] == [len(each) for each in expected]


@given(pin=PINS, number=NUMBERS, text=TEXTS)
def test_a_pin_is_never_shown_even_where_all_else_is(pin: str, number: str, text: str) -> None:
    about_pins = [passed for passed in dialogues(number, text, pin) if passed[0].startswith((">AT+CPIN=", ">AT+CLCK"))]
    assert len(about_pins) == 4
    whole = "\n".join("\n".join(Traced(redacted=False).run(*passed)) for passed in about_pins)
    assert pin not in whole
    assert pin[::-1] not in whole
    assert number in "\n".join(Traced(redacted=False).run(">AT+CGSN", f"<{number}", "<OK"))


def _fields(pdu: bytes, origin: Origin) -> tuple[object, ...]:
    """What of a PDU a replay rests on."""
    smsc, tpdu = split_smsc(pdu)
    value = decode(tpdu, origin)
    address = value.tp_oa if isinstance(value, SmsDeliver) else value.tp_da if isinstance(value, SmsSubmit) else None
    if isinstance(value, SmsStatusReport):
        return tpdu[0], len(pdu), value.tp_mr, value.tp_st, value.tp_scts, value.tp_dt, len(value.tp_ra.value)
    assert isinstance(value, SmsDeliver | SmsSubmit)
    assert address is not None
    length = len(value.tp_ud.units)
    concatenation = value.tp_ud.concatenation
    kind = address.ton, address.npi, smsc and smsc.ton, smsc and len(smsc.value)
    return tpdu[0], len(pdu), kind, value.tp_dcs, value.tp_pid, length, concatenation


WHOLE = [pytest.param(vector, id=vector["id"]) for vector in VECTORS if len(vector["pdu"]) % 2 == 0]


@pytest.mark.parametrize("vector", WHOLE)
def test_a_redacted_pdu_decodes_to_the_same_but_for_its_people(vector: dict[str, str]) -> None:
    pdu = bytes.fromhex(with_smsc(vector))
    for origin in Origin:
        try:
            before = _fields(pdu, origin)
        except (TpduError, AssertionError):
            continue
        redacted = redact_pdu(pdu, len(pdu) - 1 - pdu[0], origin, Placeholders())
        assert _fields(redacted, origin) == before
        assert len(redacted) == len(pdu)


@given(st.binary(max_size=60), st.integers(0, 60), st.sampled_from(list(Origin)))
def test_any_octets_are_replaced_by_as_many(pdu: bytes, length: int, origin: Origin) -> None:
    assert len(redact_pdu(pdu, length, origin, Placeholders())) == len(pdu)


def test_a_number_has_one_placeholder_in_a_pdu_and_in_a_line() -> None:
    received = deliver("Hello", "+33612345678")
    shown = Traced().run(
        '<+CLIP: "+33612345678",145', ">AT+CMGR=1", f"<+CMGR: 0,,{length_of(received)}", f"<{received}", "<OK"
    )
    number = re.search(r'"\+(\d+)"', shown[0])
    assert number is not None
    _, tpdu = split_smsc(bytes.fromhex(shown[3][1:]))
    redacted = SmsDeliver.from_bytes(tpdu)
    assert redacted.tp_oa.value == number.group(1) == "99900000001"
    assert redacted.tp_ud.text == "xxxxx"


def test_a_submit_is_shown_with_the_same_placeholder_and_decodes() -> None:
    (submit,) = build_submits(segment("Hello"), Address.from_text("+33612345678"), reference=3)
    octets = submit.to_bytes()
    typed = f">00{octets.hex().upper()}"
    shown = Traced().run(f">AT+CMGS={len(octets)}", "<> ", typed + "\x1a", f"<{typed[1:]}", "<+CMGS: 12", "<OK")
    assert shown[0] == f">AT+CMGS={len(octets)}"
    redacted = SmsSubmit.from_bytes(bytes.fromhex(shown[2][3:-1]))
    assert (redacted.tp_da.text, redacted.tp_ud.text) == ("+99900000001", "xxxxx")
    assert shown[3] == "<" + shown[2][1:-1]
    assert shown[4:] == ["<+CMGS: 12", "<OK"]


PLAIN = [
    "<OK", "<+CMS ERROR: 304", "<+CME ERROR: SIM not inserted", "<+CPIN: SIM PIN", '<+CMTI: "SM",12', "<+CREG: 0,1",
    '<+CPMS: "SM",3,20,"SM",3,20,"SM",3,20', '<+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")', "<+CNMI: 2,1,2,1,0",
    "<^RSSI: 17", "<^HCSQ: \"LTE\",46,36,111,14", "<RDY", "<SMS DONE", '<+QIND: "csq",20,99', "<+WIND: 4", "<^SYSSTART",
    "<+CSQ: 20,99", '<+COPS: 0,0,"Orange F",7', "<+ZPASR: \"UMTS\"", "<RING", "<NO CARRIER", "<+PBREADY", "<#QSS: 1",
    ">ATE0", ">ATZ", ">AT+CMEE=1", ">AT+CNMI=2,1,2,1,0", '>AT+CPMS="SM","SM","SM"', ">AT+CMGD=1;+CMGD=2", ">AT+CMGR=12",
    ">AT+CRSM=176,12258,0,0,10", ">AT^CURC=0", ">AT+CMGF?", ">AT+CFUN=1,1", ">AT&F", ">AT+CSMP=17,167,0,0",
]  # fmt: skip


@pytest.mark.parametrize("line", PLAIN)
def test_what_a_dialogue_rests_on_stays_as_it_is(line: str) -> None:
    assert Traced().run(line) == [line]


@pytest.mark.parametrize("name", ["AT+CGMI", "AT+CGMM", "AT+CGMR", "ATI"])
def test_what_the_modem_says_of_itself_stays(name: str) -> None:
    assert Traced().run(f">{name}", "<E3372 rev 22.200.09.01.161", "<OK")[1] == "<E3372 rev 22.200.09.01.161"


Feed = Callable[[Recorder], None]


def test_octets_cut_anywhere_make_the_same_records() -> None:
    octets = b'AT+CMGF?\r\r\n+CMGF: 0\r\n\r\nOK\r\n\r\n+CMTI: "SM",1\r\n\r\n>'
    whole, cut = Traced(), Traced()
    whole.recorder.received(octets)
    for at in range(len(octets)):
        cut.recorder.received(octets[at : at + 1])
    assert cut.lines == whole.lines
    assert [line.split(" ", 2)[2] for line in whole.lines] == [
        "xxxxxxxx<CR><CR><LF>",
        "+CMGF: 0<CR><LF>",
        "<CR><LF>OK<CR><LF>",
        '<CR><LF>+CMTI: "SM",1<CR><LF>',
        "<CR><LF>>",
    ]


def test_what_had_no_end_is_filled_when_the_line_ends() -> None:
    traced = Traced()
    traced.recorder.received(b'\r\n+CLIP: "+33612345')
    traced.recorder.ended("gone")
    records = [parse_record(line) for line in traced.lines]
    assert [(one.direction, one.text) for one in records if one] == [
        (Direction.RECEIVED, "x" * 17),
        (Direction.LOST, "gone"),
    ]


def test_a_text_that_goes_on_behind_an_identification_is_filled() -> None:
    traced = Traced()
    shown = traced.run(">ATI\r", "<Maker", "<OK", '<+CUSD: 0,"dear tomato', '<your code is onion",15')
    assert "Maker" in "".join(shown)
    assert not any(word in line for line in shown for word in ("tomato", "onion"))


def test_what_the_sim_has_the_telephone_show_is_filled() -> None:
    shown = Traced().run('<#STN: 33,1,"tomato"', '<+CUSATP: "D0118103018D0604486F6D6174"')
    assert not any(word in line for line in shown for word in ("tomato", "6F6D6174"))


def test_what_the_driver_tells_each_family_is_shown() -> None:
    """None of it is about a person, and a trace is of use by what the modem was told."""
    for profile in PROFILES.values():
        steps = (*profile.start_up, *(step for _, step in profile.news_to))
        said = [*itertools.chain.from_iterable(steps), *profile.reset, *profile.radio_off, *profile.radio_on]
        # What the SIM has the telephone show is of people, and its switch bears the same name.
        said = [command for command in said if "#STN" not in command and "+CUSATP" not in command]
        for command in (*said, *profile.iccid, "AT+CMGF=0;+CMGS=20", "AT+CLIP=1", "AT+CNMI=2,1,2,1,0"):
            assert Traced().run(f">{command}") == [f">{command}"], profile.name
