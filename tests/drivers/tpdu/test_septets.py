from __future__ import annotations

import pytest

from drivers.tpdu.septets import octets_for, pack, pack_ussd, unpack, unpack_ussd


def _pack_slowly(septets: bytes) -> bytes:
    """Bit by bit, as the figures of 23.038, 6.1.2.1 draw it."""
    bits = [septet >> bit & 1 for septet in septets for bit in range(7)]
    bits += [0] * (-len(bits) % 8)
    return bytes(sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))


@pytest.mark.parametrize("count", [*range(20), 63, 64, 65, 127, 128, 129, 153, 160, 255, 256])
def test_packing_is_that_of_the_figures(count: int):
    septets = bytes((37 * place + 11) % 128 for place in range(count))
    packed = pack(septets)
    assert packed == _pack_slowly(septets)
    assert len(packed) == octets_for(count)
    assert unpack(packed, count) == septets


def test_a_known_text():
    assert pack(b"hellohello").hex() == "e8329bfd4697d9ec37"
    assert unpack(bytes.fromhex("e8329bfd4697d9ec37"), 10) == b"hellohello"


def test_unpack_takes_no_more_than_it_was_asked_for():
    assert unpack(bytes.fromhex("e8329bfd4697d9ec37"), 5) == b"hello"


@pytest.mark.parametrize(
    ("septets", "octets"),
    [
        (b"*100#", "aa180c3602"),
        (b"1234567", "31d98c56b3dd1a"),  # the seven spare bits are a <CR>
        (b"1234567\r", "31d98c56b3dd1a0d"),  # a wanted <CR> on an octet boundary is doubled
        (b"12345678", "31d98c56b3dd70"),
        (b"", ""),
    ],
)
def test_ussd_padding(septets: bytes, octets: str):
    assert pack_ussd(septets).hex() == octets


@pytest.mark.parametrize("septets", [b"*100#", b"1234567", b"12345678", b"", b"1\r", b"@" * 15])
def test_ussd_goes_round(septets: bytes):
    assert unpack_ussd(pack_ussd(septets)) == septets


def test_ussd_ends_without_the_filling_carriage_return():
    assert unpack_ussd(pack(b"1234567\r")) == b"1234567"
