"""Whether a modem that says of everything that it was sent still sends: reports that used to come tell it.

Pure counting: time is given, in seconds of any clock that does not go back. Sources: TS 23.040, 9.2.3.5 (TP-SRR).
"""

from __future__ import annotations

#: So many in a row without any report are too many where reports used to come.
SUSPICIOUS = 20
# A burst is submitted before the first of its reports can be there.
_PATIENCE_SECONDS = 120.0
_ASKS_FOR_REPORT = 0x20


class ReportWatch:
    """Counts the submits that asked for a report since the last report of any message."""

    def __init__(self) -> None:
        self._used_to_come = False
        self._unreported = 0
        self._since = 0.0
        self._told = False

    def submitted(self, tpdu: bytes, now: float) -> bool:
        """A submit was accepted; True once when from here on the modem is not to be believed."""
        if not tpdu[0] & _ASKS_FOR_REPORT:
            return False
        self._since = self._since if self._unreported else now
        self._unreported += 1
        lies = self._used_to_come and self._unreported >= SUSPICIOUS and now - self._since >= _PATIENCE_SECONDS
        news, self._told = lies and not self._told, self._told or lies
        return news

    def reported(self) -> None:
        """A report came, of whichever message."""
        self._used_to_come, self._unreported, self._told = True, 0, False
