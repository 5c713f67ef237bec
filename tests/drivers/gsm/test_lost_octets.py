"""What a line that lost octets makes of a message that is whole in its slot."""

from support.driven import Drive
from support.pdus import deliver, length_of
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.events import DeliverReceived, PduUndecodable


def _short(pdu: str) -> str:
    return pdu[:40] + pdu[42:]


async def test_a_reading_that_lost_octets_is_read_again(drive: Drive) -> None:
    pdu, asked = deliver("AIDE"), []

    def read(_: str) -> str:
        asked.append(1)
        told = _short(pdu) if len(asked) == 1 else pdu
        return f"+CMGR: 0,,{length_of(pdu)}\n{told}\nOK"

    modem = ScriptedModem(memories={"SM": {}}, answers={**PLAIN, "AT+CMGR=1": read})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: "AT+CMGL=4" in modem.commands)
    modem.memories["SM"][1] = 0, pdu
    modem.say('+CMTI: "SM",1')
    await eventually(lambda: driven.messages)
    (event,) = driven.messages
    assert isinstance(event, DeliverReceived)


async def test_a_listing_that_lost_octets_is_read_again(drive: Drive) -> None:
    pdu = deliver("AIDE")
    modem = ScriptedModem(
        memories={"SM": {1: (0, pdu)}},
        answers={**PLAIN, "AT+CMGL=4": f"+CMGL: 1,0,,{length_of(pdu)}\n{_short(pdu)}\nOK"},
    )
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: driven.messages)
    assert isinstance(driven.messages[0], DeliverReceived), driven.messages


async def test_what_never_fits_is_told_all_the_same(drive: Drive) -> None:
    pdu = deliver("AIDE")
    odd = f"+CMGR: 0,,{length_of(pdu)}\n{_short(pdu)}\nOK"
    driven = drive(ScriptedModem(memories={"SM": {1: (0, pdu)}}, listing=False, answers={**PLAIN, "AT+CMGR=1": odd}))
    await driven.ready()
    await eventually(lambda: driven.messages)
    assert isinstance(driven.messages[0], PduUndecodable)
