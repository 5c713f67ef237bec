"""Short messages that are not simply words for somebody: by TP-PID, TP-DCS and header, as data with the clause.

Every one of them is kept as it came, so that nothing is lost by this table. What is not *shown* makes no inbox item, is
no reply, no STOP and no event: it is meant for the telephone or the SIM, not for a person.

Replace types (TP-PID 0x41 to 0x47) ask a telephone to overwrite what came before from the same sender. Both are shown:
an inbox is a record of what came, and a forged sender must not be able to take words out of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.tpdu import SmsDeliver
from drivers.tpdu.data_coding import CodingGroup

_INDICATION = 0x01  # IEI of the special SMS message indication
_STORE = 0x80  # bit 7 of its first octet: the message is to be stored


@dataclass(frozen=True, slots=True)
class Special:
    """A kind of message: what it is called, the clause that says so, whether people see it, and how it is told."""

    name: str
    clause: str
    shown: bool
    fits: Callable[[SmsDeliver], bool]


def _pid(first: int, last: int | None = None) -> Callable[[SmsDeliver], bool]:
    most = first if last is None else last
    return lambda deliver: first <= deliver.tp_pid <= most


def _group(group: CodingGroup) -> Callable[[SmsDeliver], bool]:
    return lambda deliver: deliver.data_coding.group is group


def _class(number: int) -> Callable[[SmsDeliver], bool]:
    return lambda deliver: deliver.data_coding.message_class == number


def _indicates(*, stored: bool) -> Callable[[SmsDeliver], bool]:
    def fits(deliver: SmsDeliver) -> bool:
        found = [each.data for each in deliver.tp_ud.udh if each.iei == _INDICATION and len(each.data) == 2]
        return bool(found) and any(data[0] & _STORE for data in found) is stored

    return fits


#: The first that fits is what a message is; most fit none.
SPECIALS: tuple[Special, ...] = (
    Special("silent, type 0", "23.040, 9.2.3.9", False, _pid(0x40)),
    Special("device triggering", "23.040, 9.2.3.9", False, _pid(0x48)),
    Special("ANSI-136 R-DATA", "23.040, 9.2.3.9", False, _pid(0x7C)),
    Special("data download to the equipment", "23.040, 9.2.3.9", False, _pid(0x7D)),
    Special("de-personalization of the equipment", "23.040, 9.2.3.9", False, _pid(0x7E)),
    Special("data download to the SIM", "23.040, 9.2.3.9; 31.111, 7.1", False, _pid(0x7F)),
    Special("message waiting, discard", "23.038, 4", False, _group(CodingGroup.WAITING_DISCARD)),
    Special("message waiting, discard (header)", "23.040, 9.2.3.24.2", False, _indicates(stored=False)),
    Special("message waiting, store", "23.038, 4", True, _group(CodingGroup.WAITING_STORE)),
    Special("message waiting, store, UCS-2", "23.038, 4", True, _group(CodingGroup.WAITING_STORE_UCS2)),
    Special("message waiting, store (header)", "23.040, 9.2.3.24.2", True, _indicates(stored=True)),
    Special("replace, types 1 to 7", "23.040, 9.2.3.9", True, _pid(0x41, 0x47)),
    Special("return call", "23.040, 9.2.3.9", True, _pid(0x5F)),
    Special("flash, class 0", "23.038, 4", True, _class(0)),
    Special("for the equipment, class 1", "23.038, 4", True, _class(1)),
    Special("for the SIM, class 2", "23.038, 4", True, _class(2)),
    Special("for the terminal, class 3", "23.038, 4", True, _class(3)),
)


def special_of(deliver: SmsDeliver) -> Special | None:
    """What kind of special message this is; None for an ordinary one."""
    if deliver.tp_pid < 0x40 and not deliver.tp_dcs and not deliver.tp_ud.udh:
        return None  # nearly all
    return next((each for each in SPECIALS if each.fits(deliver)), None)
