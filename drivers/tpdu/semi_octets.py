"""Semi-octet representation (3GPP TS 23.040, 9.1.2.3): two digits in each octet, the first one in the lower half."""

# The extended digits 1010 to 1110 in the order of their codes; 1111 only fills up.
_DIGITS = str.maketrans("abcdef", "*#abc\x00")
_CODES = str.maketrans("*#abc", "abcde")
_SWAPPED = bytes((octet << 4 | octet >> 4) & 0xFF for octet in range(256))

DIGITS = frozenset("0123456789*#abc")


def decode_digits(octets: bytes, count: int) -> str:
    """The first `count` digits of `octets`; fill characters (1111) are left out."""
    digits = octets.translate(_SWAPPED).hex()[:count].translate(_DIGITS)
    return digits.replace("\x00", "")


def encode_digits(digits: str) -> bytes:
    """`digits` (each in DIGITS) as octets; an odd number of them is filled up with 1111."""
    codes = digits.translate(_CODES)
    return bytes.fromhex(codes if len(codes) % 2 == 0 else codes + "f").translate(_SWAPPED)
