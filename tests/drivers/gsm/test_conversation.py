"""A line given by hand: what may be asked, what is refused, what comes back."""

import asyncio

import pytest
from support.driven import Drive, Driven
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import CommandRefusedHere, CommandTimeout
from drivers.gsm.conversation import checked
from drivers.gsm.modem import GsmModem


def modem_of(driven: Driven) -> GsmModem:
    modem = driven.supervisor._upkeep.modem
    assert modem is not None
    return modem


async def started(drive: Drive, **answers: str | None) -> Driven:
    driven = drive(ScriptedModem(answers=dict(PLAIN)))
    await driven.ready()
    driven.modem.answers.update({name.replace("_", "+"): answer for name, answer in answers.items()})
    return driven


@pytest.mark.parametrize(
    "line",
    [
        "AT",
        "ATI",
        "ati",
        "AT&V",
        "AT+CSQ",
        "at+csq",
        "AT+CPIN?",
        "AT+CPIN=?",
        "AT+CPINC?",
        "AT^CPIN?",
        "AT+CMGF?",
        "AT+CMGF=?",
        "AT+CPMS?",
        "AT+CNMI?",
        "AT+CRSM=176,12258,0,0,10",
        "AT+CMGL=4",
        "AT+COPS=?",
        'AT+COPS=1,2,"20801"',
        "AT+CFUN?",
        "AT+CFUN=?",
        "AT+CSCA?",
        "AT+CUSD?",
        "AT+CGDCONT?",
        "AT+CRSM=178,28480,1,4,28",
        "AT+CRSM=192,28589",
        "AT^SETPORT?",
        "AT+CGMI;+CGMM",
        "ATI;+CSQ",
        "AT^SYSINFOEX",
        'AT+QCFG="nwscanmode"',
        "ATE?",
    ],
)
def test_what_may_be_given(line: str) -> None:
    assert checked(line, 5).text == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "A/",
        "+++",
        "AT\rAT+CMGS=1",
        "AT+CSQ\x1a",
        "AT+CSQ\x1b",
        "ATé",
        "AT+CSQ" + " " * 1000 + "=1",
        'AT+CPIN="1234"',
        'at + cpin = "1234"',
        'AT+CPIN="12345678","1234"',
        'AT^CPIN="1234"',
        'AT+CLCK="SC",0,"1234"',
        'AT+CPWD="SC","1234","4321"',
        'AT+XPIN="1234"',
        'AT#PINENTRY="1"',
        "AT+CMGS=20",
        "AT + CMGS = 20",
        "AT+CSQ;+CMGS=20",
        "ATE0+CMGS=20",
        "ATI+CMGS=20",
        "AT+CMGW=20",
        'AT#CMGS=14,"0001000B91"',
        'AT+QCMGS="+33639981299"',
        'AT+CMGSO="+33639981299","text"',
        'AT^HCMGS="+33639981299"',
        "AT+CMSSEX=1",
        'AT+CKPD="0639981299S"',
        "ATD0639981299?;",
        "ATA?",
        "AT+CMGD=1,4",
        'AT+CACM="1234"',
        "AT+CMSS=1",
        "AT+CMGC=1",
        "AT+CNMA",
        "AT+CNMA=0",
        "ATD+33612345678;",
        "ATDT123",
        "ATE0D123",
        "AT+CSQ;D123",
        "AT+CSQ; d123",
        "ATA",
        "ATO",
        "ATZ",
        "AT&F",
        "ATE1",
        "ATQ1",
        "ATS0=1",
        "AT+CMGF=1",
        'AT+CPMS="SM"',
        "AT+CNMI=0,0,0,0,0",
        "AT+IPR=9600",
        "AT+CMUX=0",
        "AT+CSIM=10,0020000108",
        "AT+CRSM=214,28589,0,0,1",
        "AT+CRSM=220,28480,1,4,28",
        "AT+CRSM=242",
        "AT+CRSM=1760",
        'AT+CMAR="1234"',
        'AT+CSCA="+33639980100"',
        'AT+CPBW=1,"0639980101"',
        'AT+CMGDA="DEL ALL"',
        "AT+CMGDA=6",
        'AT^SETPORT="A1;1,2"',
        'AT+CCFC=0,3,"0639980101"',
        'AT+CUSD=1,"*21*0639980101#",15',
        "AT$QCPWRDN",
        "AT+CPOF",
        "AT#SHDN",
        "AT+CFUN=1,1",
        "AT+CFUN=0",
        "AT+CSQ;+CFUN=0",
        "AT#REBOOT",
        "AT+CSAS",
        "AT+CSAS=0",
        "AT+CRES",
        "AT+QISEND=0",
        "AT+CIPSEND",
        "AT+CFTPPUT=1",
        "AT?",
        "AT=1",
    ],
)
def test_what_is_refused(line: str) -> None:
    with pytest.raises(CommandRefusedHere):
        checked(line, 5)


def test_a_line_of_several_commands_is_never_repeated() -> None:
    assert checked("AT+CSQ", 5).only_reads
    assert not checked("AT+CSQ;+COPS=0", 5).only_reads
    assert not checked("AT+COPS=0;+CSQ?", 5).only_reads


async def test_the_lines_of_the_answer_and_how_it_ended(drive: Drive) -> None:
    driven = await started(drive, AT_CSQ="+CSQ: 20,99\nOK", ATI="Maker\nModel\n+GCAP: +CGSM\nOK", AT_CEER="what\nERROR")
    modem = modem_of(driven)
    assert await modem.converse("AT+CSQ", 5) == ("+CSQ: 20,99", "OK")
    assert await modem.converse("ATI", 5) == ("Maker", "Model", "+GCAP: +CGSM", "OK")
    assert await modem.converse("AT+CEER", 5) == ("what", "ERROR")
    assert await modem.converse("AT+UNKNOWN", 5) == ("ERROR",)


async def test_the_names_of_every_command_of_the_line_are_answers(drive: Drive) -> None:
    driven = await started(drive)
    driven.modem.answers["AT+CSQ;+CCLK?"] = '+CSQ: 20,99\n+CCLK: "26/11/26"\nOK'
    assert await modem_of(driven).converse("AT+CSQ;+CCLK?", 5) == ("+CSQ: 20,99", '+CCLK: "26/11/26"', "OK")


async def test_news_in_the_middle_is_no_answer(drive: Drive) -> None:
    driven = await started(drive, ATI="Maker\nRING\n+CREG: 1\nModel\nOK", AT_CSQ="+CREG: 1\n^RSSI: 9\n+CSQ: 20,99\nOK")
    modem = modem_of(driven)
    assert "RING" not in await modem.converse("ATI", 5)
    driven.modem.answers["AT&V"] = "+CREG: 0\n+CMGF: 0\nOK"
    assert await modem.converse("AT&V", 5) == ("+CREG: 0", "+CMGF: 0", "OK")
    assert driven.supervisor.status().registration == "home"
    assert await modem.converse("AT+CSQ", 5) == ("+CSQ: 20,99", "OK")


@pytest.mark.parametrize("answer", [None, "> "])
async def test_silence_or_a_prompt_ends_in_time_and_the_modem_goes_on(drive: Drive, answer: str | None) -> None:
    driven = await started(drive)
    driven.modem.answers["AT+CODD"] = answer
    with pytest.raises(CommandTimeout):
        await modem_of(driven).converse("AT+CODD", 0.5)
    tpdu = bytes.fromhex("31070B913336998921F90000A7024834")
    assert (await driven.supervisor.submit(tpdu)).reference == 7


async def test_a_submit_waits_for_a_line_given_by_hand(drive: Drive) -> None:
    driven = await started(drive, AT_CSLOW=None)
    talk = asyncio.create_task(modem_of(driven).converse("AT+CSLOW", 5))
    await eventually(lambda: "AT+CSLOW" in driven.modem.commands)
    submit = asyncio.create_task(driven.supervisor.submit(bytes.fromhex("31070B913336998921F90000A7024834")))
    driven.modem.say("+CSLOW: 1\nOK")
    assert await talk == ("+CSLOW: 1", "OK")
    assert (await submit).reference == 7
