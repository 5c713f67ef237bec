"""A message that is handed over while a port is asked whose it is."""

from support.pdus import deliver, length_of
from support.scripted_modem import ScriptedLine, ScriptedModem

from drivers.at.connection import AtConnection
from drivers.at.events import Urc
from drivers.at.framing import Mark
from drivers.gsm.asking import Talk

IMEI = "356938035643809"


class Heard:
    """The receiver that takes the port over."""

    def __init__(self) -> None:
        self.news: list[Urc] = []
        self._connection = AtConnection()

    def data_received(self, data: bytes) -> None:
        self._connection.receive_data(data)
        while not isinstance(event := self._connection.next_event(), Mark):
            if isinstance(event, Urc):
                self.news.append(event)

    def transport_lost(self, error: Exception) -> None:
        raise AssertionError(error)


async def test_the_octets_of_a_message_are_no_imei_and_are_not_lost() -> None:
    pdu = deliver("AIDE")
    modem = ScriptedModem(answers={"AT": "OK", "AT+CGSN": f"+CMT: ,{length_of(pdu)}\n{pdu}\n{IMEI}\nOK"})
    line, heard = ScriptedLine(modem), Heard()
    talk = Talk(line)
    await line.open(talk)
    assert await talk.answers()
    assert await talk.imei() == IMEI
    talk.hand_over(heard)
    assert [(news.name, news.pdu) for news in heard.news] == [("+CMT", pdu)]
    await line.close()
