"""Packing of 7-bit characters into octets (3GPP TS 23.038, 6.1.2). Knows nothing of alphabets.

A long integer is spread (or closed up) in halves: 256 septets lie in one block of 1792 bits, the upper half moves up by
128 bits, then both halves do the same, down to single septets. That is at most eight shifts for any length instead of
a loop over characters.
"""

CARRIAGE_RETURN = 0x0D
_LARGEST_LEVEL = 8  # 2**8 septets, more than any TP-UDL can count


def _level(exponent: int) -> tuple[int, int, int]:
    """Masks of the lower halves (spread, and packed) of every block of 2**exponent septets, and the shift between."""
    half_septets = 1 << (exponent - 1)
    lane = 8 * 2 * half_septets
    ones = (1 << (7 * half_septets)) - 1
    lower = upper = 0
    for start in range(0, 8 << _LARGEST_LEVEL, lane):
        lower |= ones << start
        upper |= ones << (start + 7 * half_septets)
    return lower, upper, half_septets


_LEVELS = tuple(_level(exponent) for exponent in range(1, _LARGEST_LEVEL + 1))


def unpack(octets: bytes, count: int) -> bytes:
    """The first `count` septets (≤ 256) of `octets`, one in each byte."""
    value = int.from_bytes(octets, "little") & ((1 << (7 * count)) - 1)
    for lower, upper, shift in reversed(_LEVELS[: max(count - 1, 0).bit_length()]):
        value = (value & lower) | ((value & upper) << shift)
    return value.to_bytes(count, "little")


def pack_to_int(septets: bytes) -> int:
    """`septets` (≤ 256, one in each byte) closed up, the first one in the lowest seven bits."""
    value = int.from_bytes(septets, "little")
    for lower, upper, shift in _LEVELS[: max(len(septets) - 1, 0).bit_length()]:
        value = (value & lower) | ((value >> shift) & upper)
    return value


def octets_for(count: int) -> int:
    """How many octets `count` septets need."""
    return (count * 7 + 7) // 8


def pack(septets: bytes) -> bytes:
    """`septets` (one in each byte) packed for SMS: spare bits are zero (6.1.2.1)."""
    return pack_to_int(septets).to_bytes(octets_for(len(septets)), "little")


def pack_ussd(septets: bytes) -> bytes:
    """`septets` packed for USSD, where seven spare bits are a <CR> so that nobody reads an "@" (6.1.2.3.1)."""
    ends_octet = len(septets) % 8 == 0
    if len(septets) % 8 == 7 or (septets and ends_octet and septets[-1] == CARRIAGE_RETURN):
        septets += bytes([CARRIAGE_RETURN])
    return pack(septets)


def unpack_ussd(octets: bytes) -> bytes:
    """The septets of a USSD string without the <CR> that only fills the last octet (6.1.2.3.1)."""
    septets = unpack(octets, len(octets) * 8 // 7)
    if septets and len(septets) % 8 == 0 and septets[-1] == CARRIAGE_RETURN:
        return septets[:-1]
    return septets
