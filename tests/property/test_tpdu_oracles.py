"""Codecs that others wrote read what we write. What they themselves get wrong is left out, by name."""

from __future__ import annotations

import warnings
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.tpdu import (
    Address,
    SmsDeliver,
    SmsSubmit,
    TimeStamp,
    UserData,
    build_submits,
    decode,
    join_smsc,
    segment,
    split_smsc,
)
from drivers.tpdu.data_coding import Alphabet, dcs_of
from drivers.tpdu.gsm7 import DEFAULT

SMSC = Address.from_text("+33609001390")
STAMP = TimeStamp(bytes.fromhex("51507132200523"))
NUMBERS = st.from_regex(r"\+?[1-9][0-9]{2,14}", fullmatch=True).map(Address.from_text)  # gammu turns 00 into +
GSM7_TEXTS = st.text(st.sampled_from(sorted(DEFAULT.characters)), max_size=400)
# For python-gammu NUL ends a string, and U+0001 and "~" in UCS-2 are characters of some telephones.
GAMMU_TEXTS = GSM7_TEXTS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\1~"), max_size=160)
TEXTS = GSM7_TEXTS | st.text(st.characters(exclude_categories=["Cs"]), max_size=160)


@pytest.fixture(scope="module")
def gammu() -> Any:
    return pytest.importorskip("gammu", reason="install the package python-gammu to run it")


@pytest.fixture(scope="module")
def smspdudecoder() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # smspdudecoder and bitstring compile with warnings of their own
        return pytest.importorskip("smspdudecoder.fields", reason="install smspdudecoder and bitstring<5 to run it")


def _same(theirs: str, ours: str) -> bool:
    """smspdudecoder counts characters where TP-UDL counts septets: behind extension characters it reads padding."""
    return theirs == ours or (theirs == ours + "@" and len(DEFAULT.encode(ours)) > len(ours))


def _submits(text: str, destination: Address, reference: int) -> tuple[SmsSubmit, ...]:
    return build_submits(segment(text), destination, reference=reference)


@given(text=GAMMU_TEXTS, destination=NUMBERS, reference=st.integers(0, 255))
def test_python_gammu_reads_our_submits(gammu: Any, text: str, destination: Address, reference: int):
    for submit in _submits(text, destination, reference):
        read = gammu.DecodePDU(join_smsc(SMSC, submit.to_bytes()), True)
        # With an extension character in it python-gammu reads on behind the end: what follows NUL is not ours.
        assert read["Text"].split("\0")[0] == submit.tp_ud.text
        assert (read["Type"], read["Number"], read["SMSC"]["Number"]) == ("Submit", destination.text, SMSC.text)
        concat, udh = submit.tp_ud.concatenation, read["UDH"]
        assert (concat is None) is (udh["Type"] == "NoUDH")
        if concat:
            assert (udh["ID8bit"], udh["AllParts"], udh["PartNumber"]) == (reference, concat.total, concat.sequence)


@given(text=GAMMU_TEXTS, reference=st.integers(256, 65535))
def test_python_gammu_reads_our_long_references(gammu: Any, text: str, reference: int):
    for submit in build_submits(segment(text, bits=16), SMSC, reference=reference, bits=16):
        read = gammu.DecodePDU(join_smsc(None, submit.to_bytes()), True)
        assert read["Text"].split("\0")[0] == submit.tp_ud.text
        if submit.tp_ud.concatenation:
            assert read["UDH"]["ID16bit"] == reference


@given(text=GAMMU_TEXTS.map(lambda text: text[:60]), destination=NUMBERS)
def test_we_read_the_submits_of_python_gammu(gammu: Any, text: str, destination: Address):
    encoding = "Default_No_Compression" if DEFAULT.characters.issuperset(text) else "Unicode_No_Compression"
    message = {
        "Text": text,
        "Number": destination.text,
        "SMSC": {"Number": SMSC.text},
        "Coding": encoding,
        "Class": -1,
        "Type": "Submit",
        "MessageReference": 7,
        "Folder": 1,
        "Location": 0,
    }
    smsc, tpdu = split_smsc(gammu.EncodePDU(message, "Submit"))
    read = decode(tpdu)
    assert isinstance(read, SmsSubmit)
    assert smsc == SMSC
    assert (read.tp_ud.text, read.tp_da.text, read.tp_mr) == (text, destination.text, 7)


@given(text=TEXTS, destination=NUMBERS, reference=st.integers(0, 255))
def test_smspdudecoder_reads_our_submits(smspdudecoder: Any, text: str, destination: Address, reference: int):
    for submit in _submits(text, destination, reference):
        read = smspdudecoder.SMSSubmit.decode(StringIO(join_smsc(SMSC, submit.to_bytes()).hex()))
        assert _same(read["user_data"]["data"], submit.tp_ud.text)
        assert read["recipient"]["number"] == destination.value
        assert read["header"]["srr"] is True


@given(text=TEXTS.map(lambda text: text[:70]), sender=st.sampled_from(["+33639980001", "38000", "Clinic", "AMELI-FR"]))
def test_smspdudecoder_reads_our_delivers(smspdudecoder: Any, text: str, sender: str):
    alphabet = Alphabet(segment(text).encoding)
    if len(segment(text).parts) > 1:
        text = segment(text).parts[0]
    deliver = SmsDeliver(Address.from_text(sender), STAMP, UserData(text), tp_dcs=dcs_of(alphabet))
    read = smspdudecoder.SMSDeliver.decode(StringIO(join_smsc(SMSC, deliver.to_bytes()).hex()))
    assert _same(read["user_data"]["data"], text)
    assert read["sender"]["number"] == deliver.tp_oa.value  # not seven letters: it gives them an "@"
    assert read["scts"] == STAMP.datetime
