"""Whatever a terminal sends, the modem stays a modem."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from drivers.sim import SimSettings, SimulatedModem

SYNTAX = [
    b"AT",
    b"A/",
    b"\r",
    b"\n",
    b"\x1a",
    b"\x1b",
    b"\x08",
    b"=?",
    b"?",
    b"=",
    b";",
    b",",
    b'"',
    b" ",
    b"\xff",
    b"\xc3",
]
VALUES = [
    b"0",
    b"1",
    b"10",
    b"14",
    b"9999999999",
    b'"+336"',
    b'"+33639981001"',
    b"0001000B913336991800F1000000",
    b"004F60",
]
COMMANDS = b"""
E1 V0 Q1 Z S5=65 +CMGS= +CMGW= +CMGR=1 +CMGL +CMGD=1,4 +CMSS=1 +CNMA=1,4 +CMGF=1 +CSCS="UCS2" +CSCS="GSM"
+CSDH=1 +CSMS=1 +CSMP=49,255,0,8 +CPMS="MT","ME","MT" +CNMI=2,2,0,1,0
^SIMSMS="+336","x" +CFUN= +COPS= +CLCK= +CSCA= +CREG=2 +CPIN=
""".split()


async def converse(pieces: list[bytes]) -> bytes:
    """Say everything, then ask who is there; the answer to that."""
    modem, heard = SimulatedModem(SimSettings(echo=False, report_delay=0)), bytearray()
    modem.attach(heard.extend)
    for piece in pieces:
        modem.receive_data(piece)
    # Out of a prompt, then out of a line, whichever character ends it by now, then back to known settings.
    modem.receive_data(b"\x1b" + bytes(range(128)) + b"\r")
    modem.receive_data(b"\x1bATQ0V1S3=13\r")
    await asyncio.sleep(0)
    heard.clear()
    modem.receive_data(b"AT+CGMI\r")
    modem.close()
    return bytes(heard)


@given(st.lists(st.sampled_from([*SYNTAX, *VALUES, *COMMANDS]) | st.binary(max_size=8), max_size=60))
def test_it_answers_after_anything(pieces: list[bytes]) -> None:
    assert asyncio.run(converse(pieces)).endswith(b"\r\nTocsin\r\n\r\nOK\r\n")
