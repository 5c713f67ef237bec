"""Hostile octets: a value or a TpduError, nothing else, and nothing slow."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from support.tpdu_vectors import VECTORS, with_smsc

from drivers.tpdu import Origin, Tpdu, TpduError, decode, describe, split_smsc

MUTATIONS = 100_000
ORIGINS = (None, Origin.NETWORK, Origin.MOBILE)
SEEDS = [bytes.fromhex(with_smsc(vector)) for vector in VECTORS if len(vector["pdu"]) % 2 == 0]


def _mutated(pdu: bytes, chance: random.Random) -> bytes:
    """Octets changed, cut off, put in, or lengths set to their extremes."""
    octets = bytearray(pdu)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(octets)) if octets else 0
        match chance.randrange(6):
            case 0:
                octets[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                octets[at : at + 1] = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))])
            case 2:
                del octets[at:]
            case 3:
                octets[at:at] = chance.randbytes(chance.randint(1, 8))
            case 4:
                del octets[at : at + chance.randint(1, 4)]
            case _:
                octets[at : at + 1] = bytes([(octets[at] + chance.choice((-1, 1))) & 0xFF]) if octets else b""
    return bytes(octets)


def _read(octets: bytes, origin: Origin | None) -> Tpdu | None:
    """What the octets are; None where they are said to be nothing."""
    try:
        _, tpdu = split_smsc(octets)
        return decode(tpdu, origin)
    except TpduError as error:
        _check_error(error, octets)
        return None


def _check_error(error: TpduError, octets: bytes) -> None:
    assert error.field.startswith(("TP-", "SMSC"))
    assert 0 <= error.octet <= len(octets)


def _check_rewritten(tpdu: Tpdu, origin: Origin | None) -> bool:
    """What was read can be written again and means the same; a length no sender may use is said to be one."""
    try:
        written = tpdu.to_bytes()
    except TpduError:
        return False
    again = decode(written, origin)
    assert again.to_bytes() == written
    return True


def test_mutated_pdus_give_a_value_or_an_error(seeded: random.Random, tell: Callable[[str], None]):
    read = rewritten = 0
    started = time.perf_counter()
    for number in range(MUTATIONS):
        origin = ORIGINS[number % 3]
        tpdu = _read(_mutated(seeded.choice(SEEDS), seeded), origin)
        if tpdu is not None:
            read += 1
            rewritten += _check_rewritten(tpdu, origin)
    took = time.perf_counter() - started
    tell(f"{MUTATIONS} mutated PDUs: {read} read, {rewritten} of them written again; {took:.1f} s")
    assert MUTATIONS // 10 < rewritten <= read < MUTATIONS


@given(st.binary(max_size=200), st.sampled_from(ORIGINS), st.booleans())
def test_any_octets_give_a_record_or_an_error(octets: bytes, origin: Origin | None, smsc: bool):
    try:
        record = describe(octets, smsc=smsc, origin=origin)
    except TpduError as error:
        _check_error(error, octets)
    else:
        assert str(record["text"]).encode()  # no half of a surrogate pair is left in it
