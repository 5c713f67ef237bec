"""The one error of the TPDU codec. It never carries the digits or the text of a message."""


class TpduError(ValueError):
    """Octets that are no TPDU, or a value that no TPDU can carry.

    `field` is the name of 3GPP TS 23.040 (such as "TP-DA"), `octet` the offset counted from 0 in the octets that were
    given (in an encoder: where the field would have stood), `message` says what is wrong without quoting the content.
    """

    def __init__(self, field: str, octet: int, message: str) -> None:
        super().__init__(f"{field} at octet {octet}: {message}")
        self.field = field
        self.octet = octet
        self.message = message

    def moved(self, octets: int) -> "TpduError":
        """The same error seen from an outer frame that begins `octets` earlier."""
        return TpduError(self.field, self.octet + octets, self.message)

    def __reduce__(self) -> tuple[type["TpduError"], tuple[str, int, str]]:
        return TpduError, (self.field, self.octet, self.message)


def take_octet(tpdu: bytes, at: int, field: str) -> int:
    """The octet of `field` at offset `at`; TpduError where the octets have ended."""
    if at >= len(tpdu):
        raise TpduError(field, at, "missing: the octets end before it")
    return tpdu[at]


def take(tpdu: bytes, at: int, length: int, field: str) -> bytes:
    """`length` octets of `field` from offset `at`; TpduError where there are fewer."""
    octets = tpdu[at : at + length]
    if len(octets) < length:
        raise TpduError(field, at, f"needs {length} octets, {len(octets)} are left")
    return octets


def put_octet(value: int, at: int, field: str) -> int:
    """`value` when it fits one octet; TpduError otherwise."""
    if not 0 <= value <= 0xFF:
        raise TpduError(field, at, f"{value} does not fit one octet")
    return value
