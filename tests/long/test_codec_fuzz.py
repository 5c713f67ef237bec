"""Octets that no network should send, and texts that no person would write, for as long as there is time."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from itertools import cycle

import pytest
from support.long_run import LongRun

from drivers.tpdu import (
    Address,
    Origin,
    SmsDeliver,
    SmsStatusReport,
    SmsSubmit,
    TimeStamp,
    TpduError,
    build_submits,
    decode,
    describe,
    join_smsc,
    join_text,
    segment,
)

pytestmark = pytest.mark.long

SHORT_S = 10.0
BATCH = 500
ORIGINS = (None, Origin.NETWORK, Origin.MOBILE)
TEXTS = ("Hello", "€[]{}|~^\\", "ç" * 200, "Ωμέγα ğüş", "🎉 fête", "x" * 161)
# What texts are made of: the default alphabet and its extension, shift tables, other scripts, clusters, controls.
CHARACTERS = "aZ09 @£$_\n\rΔΩ€[]{}^|~\\\fçğşıİãõÉ日本क्षि\u0301\u200d\ufe0f\x00\x1b🎉👩🏽‍🚀🇫🇷"


def _time_stamp() -> TimeStamp:
    return TimeStamp.from_datetime(datetime(2026, 11, 5, 10, 0, tzinfo=timezone(timedelta(hours=1))))


def _seeds() -> list[bytes]:
    """Well-formed PDUs of the types that modems hand over, with service centre."""
    somebody, centre = Address.from_text("+33639980101"), Address.from_text("+33639980000")
    submits = [
        submit
        for text in TEXTS
        for submit in build_submits(
            segment(text, national_tables=True), somebody, reference=7, validity=timedelta(hours=6), message_class=0
        )
    ]
    senders = cycle(("+33639980102", "Clinic", "38200"))
    delivers = [
        SmsDeliver(Address.from_text(sender), _time_stamp(), submit.tp_ud, tp_dcs=submit.tp_dcs)
        for submit, sender in zip(submits, senders, strict=False)
    ]
    report = SmsStatusReport(tp_mr=7, tp_ra=somebody, tp_scts=_time_stamp(), tp_dt=_time_stamp(), tp_st=0)
    return [join_smsc(centre, tpdu.to_bytes()) for tpdu in (*submits, *delivers, report)]


def _mutated(octets: bytes, chance: random.Random) -> bytes:
    """A few changes of the kinds that lines, storages and enemies make."""
    data = bytearray(octets)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 2:
                del data[place : place + chance.randint(1, 4)]
            case 3:
                data[place:place] = chance.randbytes(chance.randint(1, 4))
            case 4:
                del data[place:]
            case _:
                data += data[place : place + 20]
    return bytes(data)


def _check(octets: bytes) -> int:
    """A record that JSON can hold, or a `TpduError` that points into the octets; returns how many were read."""
    read = 0
    for origin in ORIGINS:
        for smsc in (True, False):
            error = _described(octets, smsc=smsc, origin=origin)
            if error is None:
                read += 1
            else:
                assert error.field
                assert 0 <= error.octet <= len(octets), octets.hex()
    return read


def _described(octets: bytes, *, smsc: bool, origin: Origin | None) -> TpduError | None:
    try:
        json.dumps(describe(octets, smsc=smsc, origin=origin)).encode("utf-8")
    except TpduError as error:
        return error
    return None


def _check_again(octets: bytes) -> None:
    """What was read and can be written is read as the same again."""
    try:
        value = decode(octets)
        again = value.to_bytes()
    except TpduError:
        return
    assert decode(again, Origin.MOBILE if isinstance(value, SmsSubmit) else Origin.NETWORK) == value, octets.hex()


def test_any_octets_give_a_record_or_a_tpdu_error(long_run: LongRun, seeded: random.Random):
    seeds = _seeds()
    read = 0
    while long_run.goes_on(SHORT_S):
        for _ in range(BATCH):
            octets = _mutated(seeded.choice(seeds), seeded) if seeded.random() < 0.9 else seeded.randbytes(40)
            read += _check(octets)
            _check_again(octets)
    assert read > long_run.rounds, "a fuzz whose every case is refused at once looks at nothing"


def _text(chance: random.Random) -> str:
    alphabet = chance.sample(CHARACTERS, chance.randint(1, len(CHARACTERS)))
    return "".join(chance.choices(alphabet, k=chance.randint(1, chance.choice((20, 170, 700)))))


def _joined(text: str, submits: tuple[SmsSubmit, ...]) -> str:
    """The text that the recipient reads: the octets, read by the decoder."""
    return join_text([SmsSubmit.from_bytes(submit.to_bytes()) for submit in submits])


def test_any_text_comes_out_as_it_went_in(long_run: LongRun, seeded: random.Random):
    somebody = Address.from_text("+33639980101")
    while long_run.goes_on(SHORT_S):
        for _ in range(BATCH // 10):
            text, national = _text(seeded), seeded.random() < 0.5
            found = segment(text, national_tables=national)
            submits = build_submits(found, somebody, reference=seeded.randrange(256))
            assert "".join(found.parts) == text
            assert _joined(text, submits) == text, ascii(text)
            assert all(len(submit.to_bytes()) <= 164 for submit in submits)
            assert all(submit.data_coding.alphabet == found.alphabet for submit in submits)
