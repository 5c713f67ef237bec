"""I03: special short messages, one by one: what each is by the table, and that its octets say so."""

from __future__ import annotations

import pytest

from drivers.tpdu import Address, SmsDeliver, TimeStamp, UserData
from drivers.tpdu.user_data_header import InformationElement
from gateway.rules.special import SPECIALS, special_of

STAMP = TimeStamp(bytes.fromhex("62103101010000"))


def deliver(pid: int = 0, dcs: int = 0, udh: tuple[InformationElement, ...] = (), text: str = "hello") -> SmsDeliver:
    """The DELIVER that these octets are, read back."""
    made = SmsDeliver(Address.from_text("+33639980101"), STAMP, UserData(text=text, udh=udh), pid, dcs)
    return SmsDeliver.from_bytes(made.to_bytes())


def indication(octet: int) -> tuple[InformationElement, ...]:
    return (InformationElement(0x01, bytes((octet, 1))),)


TABLE = [
    ("ordinary", deliver(), None, True),
    ("telex", deliver(pid=0x21), None, True),
    ("silent, type 0", deliver(pid=0x40), "silent, type 0", False),
    *(("replace", deliver(pid=0x40 + number), "replace, types 1 to 7", True) for number in range(1, 8)),
    ("device triggering", deliver(pid=0x48), "device triggering", False),
    ("return call", deliver(pid=0x5F), "return call", True),
    ("R-DATA", deliver(pid=0x7C), "ANSI-136 R-DATA", False),
    ("ME data download", deliver(pid=0x7D), "data download to the equipment", False),
    ("depersonalization", deliver(pid=0x7E), "de-personalization of the equipment", False),
    ("SIM data download", deliver(pid=0x7F, dcs=0x12), "data download to the SIM", False),
    ("flash", deliver(dcs=0x10), "flash, class 0", True),
    ("class 1", deliver(dcs=0x11), "for the equipment, class 1", True),
    ("class 2", deliver(dcs=0x12), "for the SIM, class 2", True),
    ("class 3", deliver(dcs=0xF3), "for the terminal, class 3", True),
    ("voicemail on, discard", deliver(dcs=0xC8), "message waiting, discard", False),
    ("voicemail off, discard", deliver(dcs=0xC0), "message waiting, discard", False),
    ("voicemail on, store", deliver(dcs=0xD8), "message waiting, store", True),
    ("voicemail on, store, UCS-2", deliver(dcs=0xE8), "message waiting, store, UCS-2", True),
    ("header, discard", deliver(udh=indication(0x00)), "message waiting, discard (header)", False),
    ("header, store", deliver(udh=indication(0x80)), "message waiting, store (header)", True),
]


@pytest.mark.parametrize(("what", "message", "kind", "shown"), TABLE, ids=[row[0] for row in TABLE])
def test_i03_what_a_message_is(what: str, message: SmsDeliver, kind: str | None, shown: bool) -> None:
    found = special_of(message)
    assert (found.name if found else None, found is None or found.shown) == (kind, shown)


def test_every_line_of_the_table_is_met_and_names_its_clause() -> None:
    assert {kind for _, _, kind, _ in TABLE if kind} == {each.name for each in SPECIALS}
    assert all(each.clause.startswith(("23.040, 9.2.3", "23.038, 4")) for each in SPECIALS)
