"""The bits of the first octet of a TPDU (3GPP TS 23.040, 9.2.2 and 9.2.3)."""

from enum import IntEnum

from drivers.tpdu.errors import TpduError, take_octet


class MessageType(IntEnum):
    """TP-MTI, bits 1 and 0 (9.2.3.1): one value for each direction."""

    DELIVER = 0  # from the network; DELIVER-REPORT from the mobile
    SUBMIT = 1  # from the mobile; SUBMIT-REPORT from the network
    STATUS_REPORT = 2  # from the network; COMMAND from the mobile
    RESERVED = 3


MMS_OR_RD = 0x04  # TP-MMS (9.2.3.2), in a SUBMIT TP-RD (9.2.3.25)
LP = 0x08  # TP-LP (9.2.3.28)
REPORT = 0x20  # TP-SRI, TP-SRR, TP-SRQ (9.2.3.4, 9.2.3.5, 9.2.3.26)
UDHI = 0x40  # TP-UDHI (9.2.3.23)
RP = 0x80  # TP-RP (9.2.3.17)


def take_first_octet(tpdu: bytes, *allowed: MessageType) -> int:
    """The first octet of `tpdu`; TpduError where its TP-MTI is none of `allowed`."""
    first = take_octet(tpdu, 0, "TP-MTI")
    if first & 0x03 not in allowed:
        raise TpduError("TP-MTI", 0, f"is {first & 0x03}, another TPDU than expected")
    return first


def bits(**flags: bool) -> int:
    """An octet with the bits set that are named by the constants of this module, in lower case."""
    return sum(_NAMED[name] for name, flag in flags.items() if flag)


_NAMED = {"mms": MMS_OR_RD, "rd": MMS_OR_RD, "lp": LP, "report": REPORT, "udhi": UDHI, "rp": RP}
