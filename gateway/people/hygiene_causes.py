"""Which causes of the network say that nothing will ever arrive at a number, and how often each has to say so. Pure.

A cause speaks of the number alone where its clause does; what speaks of the sender, of the modem or of the moment is
not here. "Certain" is one message; the others are said of phones that are merely away, too, by some networks, so that
three messages in a row have to end so, with no delivery between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

_RP: Final = "TS 24.011, annex E-2"
_FCS: Final = "TS 23.040, 9.2.3.22"
_ST: Final = "TS 23.040, 9.2.3.15"
CERTAIN, DOUBTFUL = 1, 3


class Cause(NamedTuple):
    """What a code says of the number, after how many messages it is believed, and the clause that says so."""

    says: str
    messages: int
    clause: str


#: By the code that a message ends with.
CAUSES: Final[Mapping[str, Cause]] = {
    "cms_1": Cause("the number is not assigned to anybody", CERTAIN, _RP),
    "cms_30": Cause("no subscriber has the number", CERTAIN, _RP),
    "cms_28": Cause("the subscriber is not registered in the network", DOUBTFUL, _RP),
    "cms_195": Cause("the address is none that the service centre can use", DOUBTFUL, _FCS),
    "cms_196": Cause("the recipient is barred", DOUBTFUL, _FCS),
    "tp_st_41": Cause("the destination is none that takes messages", CERTAIN, _ST),
    "tp_st_40": Cause("the recipient's network answered with an error, for good", DOUBTFUL, _ST),
    "tp_st_42": Cause("the recipient's device refused the connection, for good", DOUBTFUL, _ST),
    "tp_st_43": Cause("the number cannot be obtained", DOUBTFUL, _ST),
    "tp_st_45": Cause("nothing leads to the recipient's network", DOUBTFUL, _ST),
}


def verdict_of(endings: Sequence[str | None]) -> str | None:
    """The code by which a number is dead, of how the last messages to it ended, the latest first (None: delivered);
    None where it is not, or not yet."""
    code = endings[0] if endings else None
    cause = CAUSES.get(code) if code is not None else None
    if cause is None or len(endings) < cause.messages:
        return None
    return code if all(each in CAUSES for each in endings[: cause.messages]) else None
