"""A terminal at a simulated modem, without a wire, and what it can ask about the modem's troubles."""

from __future__ import annotations

from drivers.sim import SimulatedModem
from drivers.tpdu import Address, SmsSubmit, UserData

#: A message to somebody outside, with a report asked for.
TPDU = SmsSubmit(tp_da=Address.from_text("+33639985555"), tp_ud=UserData(text="Hello"), tp_srr=True).to_bytes()


def happened(modem: SimulatedModem) -> list[str]:
    """What has become of the modem's troubles, in order: a strike by its note."""
    return [event.note or event.happening for event in modem.troubles.history]


class Terminal:
    """The other end of a modem's wire, without a wire."""

    def __init__(self, modem: SimulatedModem) -> None:
        self.modem = modem
        self._heard = bytearray()
        self.attach()

    def attach(self) -> None:
        """Open the modem's port, also once more."""
        self.modem.attach(self._heard.extend)

    @property
    def waits(self) -> bool:
        """Whether the modem has said something since."""
        return bool(self._heard)

    def octets(self) -> bytes:
        """What the modem has said since the last call, as it came."""
        data = bytes(self._heard)
        self._heard.clear()
        return data

    def heard(self) -> list[str]:
        """The lines since the last call, without empty ones."""
        return [line for line in self.octets().decode().split("\r\n") if line]

    def say(self, *pieces: str) -> list[str]:
        """Send each piece and return what the modem said meanwhile."""
        for piece in pieces:
            self.modem.receive_data(piece.encode())
        return self.heard()

    def command(self, text: str) -> list[str]:
        """One command line's answer, which must end with OK; OK itself is left out."""
        answer = self.say(text + "\r")
        assert answer[-1] == "OK", answer
        return answer[:-1]

    def submit(self, tpdu: bytes) -> list[str]:
        """Send a TPDU in PDU mode through the service centre of the SIM."""
        return self.say(f"AT+CMGS={len(tpdu)}\r", "00" + tpdu.hex() + "\x1a")
