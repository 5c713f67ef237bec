"""Routes that speak other systems' language (contract section 8): one small file for each, on the same services."""

from __future__ import annotations

from typing import Final

from api.endpoint import Intake
from api.intakes import alertmanager, gammu, listmonk, uptime_kuma
from api.intakes.kannel import KANNEL
from api.intakes.smsgate import SMSGATE
from api.intakes.twilio import TWILIO

#: Every route of every intake.
INTAKES: Final[tuple[Intake, ...]] = (
    *KANNEL,
    *SMSGATE,
    *TWILIO,
    *alertmanager.ROWS,
    *uptime_kuma.ROWS,
    *gammu.ROWS,
    *listmonk.ROWS,
)
