"""Every text and every value goes round, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from drivers.tpdu import (
    AbsoluteValidity,
    Address,
    Concatenation,
    DataCoding,
    EnhancedValidity,
    InformationElement,
    NumberingPlan,
    RelativeValidity,
    SmsDeliver,
    SmsStatusReport,
    SmsSubmit,
    TimeStamp,
    TypeOfNumber,
    UserData,
    build_submits,
    decode,
    describe,
    join_smsc,
    join_text,
    segment,
    split_smsc,
)
from drivers.tpdu.gsm7 import DEFAULT, gsm7_alphabet
from drivers.tpdu.languages import Language

PEER = Address.from_text("+33639980001")
OCTET = st.integers(0, 255)
GSM7_TEXT = st.text(st.sampled_from(sorted(DEFAULT.characters)))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
GRAPHEMES = ["👨‍👩‍👧‍👦", "👍🏽", "🇫🇷", "e\u0301", "€", "a", "\r\n", "ş", "क्षि", "😀"]
EMOJI = st.lists(st.sampled_from(GRAPHEMES)).map("".join)
TEXTS = st.one_of(
    GSM7_TEXT,
    ANY_TEXT,
    EMOJI,
    st.builds(lambda text, times: text * times, st.one_of(GSM7_TEXT, EMOJI, ANY_TEXT), st.integers(1, 60)),
)
NUMBERS = st.builds(
    Address,
    st.text("0123456789*#abc", max_size=20),
    st.sampled_from([ton for ton in TypeOfNumber if ton is not TypeOfNumber.ALPHANUMERIC]),
    st.sampled_from(NumberingPlan),
)
NAMES = st.builds(
    Address,
    GSM7_TEXT.filter(lambda text: len(DEFAULT.encode(text)) <= 11),
    st.just(TypeOfNumber.ALPHANUMERIC),
    st.just(NumberingPlan.UNKNOWN),
)
STAMPS = st.builds(TimeStamp, st.binary(min_size=7, max_size=7))
ELEMENTS = st.lists(st.builds(InformationElement, OCTET, st.binary(max_size=8)), max_size=4).map(tuple)
VALIDITIES = st.one_of(
    st.none(),
    st.builds(RelativeValidity, OCTET),
    st.builds(AbsoluteValidity, STAMPS),
    st.builds(EnhancedValidity, st.binary(min_size=7, max_size=7)),
)


@st.composite
def user_data(draw: st.DrawFn) -> tuple[int, UserData]:
    """TP-DCS, and what suits it: a text of the alphabet that the header chooses, or octets."""
    tp_dcs, udh = draw(OCTET), draw(ELEMENTS)
    coding = DataCoding.from_octet(tp_dcs)
    room = 140 - len(UserData(udh=udh).header) - 1
    if coding.packed:
        characters = sorted(UserData(udh=udh).alphabet.characters)
        return tp_dcs, UserData(draw(st.text(st.sampled_from(characters), max_size=room // 2)), udh=udh)
    if coding.alphabet == "ucs2" and not coding.compressed:
        return tp_dcs, UserData(draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=room // 4)), udh=udh)
    return tp_dcs, UserData(data=draw(st.binary(max_size=room)), udh=udh)


@given(TEXTS, st.booleans(), st.sampled_from([8, 16]), st.integers(0, 255))
def test_every_text_goes_round(text: str, national_tables: bool, bits: int, reference: int):
    found = segment(text, national_tables=national_tables, bits=bits)
    submits = build_submits(found, PEER, reference=reference, bits=bits)
    received = [SmsSubmit.from_bytes(submit.to_bytes()) for submit in submits]
    assert received == list(submits)
    assert join_text(received) == text
    assert [one.tp_ud.text for one in received] == list(found.parts)
    if len(received) > 1:
        expected = [Concatenation(reference, len(received), number, bits) for number in range(1, len(received) + 1)]
        assert [one.tp_ud.concatenation for one in received] == expected


@given(TEXTS)
def test_no_other_coding_takes_fewer_parts(text: str):
    chosen = segment(text)
    if DEFAULT.characters.issuperset(text):
        assert (chosen.encoding, chosen.forced_ucs2_by) == ("gsm7", ())
    else:
        assert chosen.encoding == "ucs2"
        assert chosen.forced_ucs2_by
    assert len(segment(text, national_tables=True).parts) <= len(chosen.parts)
    assert 0 <= chosen.remaining <= 160


@given(st.text(st.sampled_from("abc{€\r\nç😀e\u0301👍🏽"), max_size=400))
def test_no_cut_in_a_grapheme(text: str):
    import regex  # noqa: PLC0415  the oracle of this test alone

    boundaries = {match.end() for match in regex.finditer(r"\X", text)}
    end = 0
    for part in segment(text).parts[:-1]:
        end += len(part)
        assert end in boundaries


@given(st.one_of(NUMBERS, NAMES), STAMPS, user_data(), OCTET, st.tuples(*[st.booleans()] * 4))
def test_every_deliver_goes_round(
    peer: Address, stamp: TimeStamp, content: tuple[int, UserData], pid: int, flags: tuple
):
    deliver = SmsDeliver(peer, stamp, content[1], pid, content[0], *flags)
    assert decode(deliver.to_bytes()) == deliver


@st.composite
def submits(draw: st.DrawFn) -> SmsSubmit:
    tp_dcs, tp_ud = draw(user_data())
    head = (draw(st.one_of(NUMBERS, NAMES)), tp_ud, draw(OCTET), draw(OCTET), tp_dcs, draw(VALIDITIES))
    return SmsSubmit(*head, draw(st.booleans()), draw(st.booleans()), draw(st.booleans()))


@given(submits())
def test_every_submit_goes_round(submit: SmsSubmit):
    assert decode(submit.to_bytes()) == submit
    record = describe(join_smsc(PEER, submit.to_bytes()))
    assert (record["smsc"], record["reference"], record["dcs"]) == (PEER.text, submit.tp_mr, submit.tp_dcs)
    assert record["text"] == submit.tp_ud.text
    assert record["data"] == (None if submit.tp_ud.data is None else submit.tp_ud.data.hex())


@st.composite
def status_reports(draw: st.DrawFn) -> SmsStatusReport:
    tp_dcs, tp_ud = draw(st.none() | user_data()) or (None, None)
    head = (draw(OCTET), draw(NUMBERS), draw(STAMPS), draw(STAMPS), draw(OCTET))
    return SmsStatusReport(*head, tp_pid=draw(st.none() | OCTET), tp_dcs=tp_dcs, tp_ud=tp_ud)


@given(status_reports())
def test_every_status_report_goes_round(report: SmsStatusReport):
    assert decode(report.to_bytes()) == report


@given(st.none() | NUMBERS, st.binary())
def test_every_service_centre_goes_round(smsc: Address | None, tpdu: bytes):
    read, rest = split_smsc(join_smsc(smsc, tpdu))
    assert (read, rest) == (smsc, tpdu)


@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2089, 12, 30)),  # noqa: DTZ001  the offset is drawn beside it
    st.integers(-79, 79),
)
def test_every_moment_goes_round(moment: datetime, quarters: int):
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15) * quarters))
    stamp = TimeStamp.from_datetime(moment)
    assert stamp.datetime == moment
    assert stamp.datetime.utcoffset() == moment.utcoffset()
    assert TimeStamp.from_datetime(moment.astimezone(UTC)).datetime == moment


@given(
    st.sampled_from(Language), st.sampled_from(Language), st.binary(max_size=200).map(lambda raw: raw.translate(SEVEN))
)
def test_septets_mean_one_text_and_a_text_its_septets(locking: Language, single: Language, septets: bytes):
    alphabet = gsm7_alphabet(locking, single)
    text = alphabet.decode(septets)
    assert alphabet.characters.issuperset(text)
    assert alphabet.decode(alphabet.encode(text)) == text


SEVEN = bytes(octet & 0x7F for octet in range(256))
