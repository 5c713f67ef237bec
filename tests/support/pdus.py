"""PDUs as modems give them, for tests that are not about the codec."""

from __future__ import annotations

from drivers.tpdu import Address, SmsDeliver, SmsStatusReport, TimeStamp, UserData, join_smsc

SMSC = Address.from_text("+33639980000")
_STAMP = TimeStamp(bytes.fromhex("62112221430000"))


def deliver(text: str, sender: str = "+33612345678", *, smsc: bool = True, dcs: int = 0) -> str:
    """A received message in hexadecimal, with or without the service centre field."""
    tpdu = SmsDeliver(Address.from_text(sender), _STAMP, UserData(text), tp_dcs=dcs).to_bytes()
    return (join_smsc(SMSC, tpdu) if smsc else tpdu).hex().upper()


def report(reference: int, *, status: int = 0, smsc: bool = True) -> str:
    """A status report in hexadecimal."""
    tpdu = SmsStatusReport(reference, Address.from_text("+33639981299"), _STAMP, _STAMP, status).to_bytes()
    return (join_smsc(SMSC, tpdu) if smsc else tpdu).hex().upper()


def length_of(pdu: str) -> int:
    """The TPDU's octets, as they stand beside it."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)
