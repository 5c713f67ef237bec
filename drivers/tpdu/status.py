"""TP-ST, the status of an SMS-SUBMIT (3GPP TS 23.040, 9.2.3.15)."""

from enum import StrEnum


class StatusOutcome(StrEnum):
    """What a value of TP-ST says about the message."""

    DELIVERED = "delivered"
    UNCONFIRMED = "unconfirmed"  # the service centre passed it on and cannot know whether it arrived
    STILL_TRYING = "still trying"
    UNDELIVERED = "undelivered"

    @property
    def final(self) -> bool:
        """The service centre makes no more attempts."""
        return self is not StatusOutcome.STILL_TRYING


_REASONS = {
    0x00: "received by the recipient",
    0x01: "forwarded, delivery not confirmed",
    0x02: "replaced by the service centre",
    0x20: "congestion",
    0x21: "recipient busy",
    0x22: "no response from the recipient",
    0x23: "service rejected",
    0x24: "quality of service not available",
    0x25: "error in the recipient's device",
    0x40: "remote procedure error",
    0x41: "incompatible destination",
    0x42: "connection rejected by the recipient",
    0x43: "not obtainable",
    0x44: "quality of service not available",
    0x45: "no interworking available",
    0x46: "validity period expired",
    0x47: "deleted by the sender",
    0x48: "deleted by the service centre",
    0x49: "message does not exist",
    0x60: "congestion",
    0x61: "recipient busy",
    0x62: "no response from the recipient",
    0x63: "service rejected",
    0x64: "quality of service not available",
    0x65: "error in the recipient's device",
}


# Last value of each group that the clause defines, and the first one that it leaves to the service centre.
_DEFINED = (0x02, 0x25, 0x49, 0x65)
_SPECIFIC = 0x10
_GROUPS = (
    StatusOutcome.UNCONFIRMED,  # transaction completed
    StatusOutcome.STILL_TRYING,  # temporary error
    StatusOutcome.UNDELIVERED,  # permanent error
    StatusOutcome.UNDELIVERED,  # temporary error, no more attempts
)


def outcome_of(tp_st: int) -> StatusOutcome:
    """The outcome for TP-ST 0 to 255.

    Bits 6 and 5 choose the group; only 0 says that the recipient has it. Reserved values (all from 0x80 on too) are to
    be read as "service rejected", 0x63; those that are specific to a service centre mean what their group means.
    """
    if tp_st == 0:
        return StatusOutcome.DELIVERED
    group = tp_st >> 5
    if tp_st & 0x80 or _DEFINED[group] < tp_st < (group << 5 | _SPECIFIC):
        return StatusOutcome.UNDELIVERED
    return _GROUPS[group]


def reason_of(tp_st: int) -> str | None:
    """What the clause says about the value, in few words; None for a reserved or service centre specific one."""
    return _REASONS.get(tp_st)
