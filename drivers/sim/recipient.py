"""How somebody in the simulated network takes messages: what becomes of them, when, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.at.codes import CmsError

DELIVERED = 0  # TP-ST, 23.040, 9.2.3.15: received by the SME
EXPIRED = 0x46  # validity period expired: permanent, the service centre tries no more


@dataclass(frozen=True, slots=True)
class Recipient:
    """`status` is the TP-ST of the report, None for a network that never reports; it comes after `report_delay` seconds
    (None: as the modem's settings say). `answer` is a text that comes back to what was delivered. With `refusal` the
    submit ends with that +CMS ERROR, and nothing leaves.
    """

    status: int | None = DELIVERED
    report_delay: float | None = None
    answer: str | None = None
    refusal: CmsError | None = None


#: Everybody of whom nothing else is said.
USUAL = Recipient()
