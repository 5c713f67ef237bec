"""USSD: a code out, a text back, in each way that modems write them."""

import asyncio

import pytest
from support.driven import Drive, Driven
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import UssdFailed
from drivers.gsm.modem import GsmModem
from drivers.gsm.profiles import UssdForm
from drivers.gsm.ussd import coding_of, decode
from drivers.tpdu.data_coding import Alphabet

# How a Huawei stick wrote the answer to *100#, from a transcript that its owner published: packed septets.
PACKED = "C135BD1E66BBF3A0393DEC06ADDF6E7A1844668741EE7ABB2CAF8368B85C2E97CBE572B91C0C"
MANY = {"AT+CUSD=2": "OK"}


async def started(drive: Drive, manufacturer: str = "", **answers: str | None) -> Driven:
    modem = ScriptedModem(answers={**PLAIN, "AT+CGMI": f"{manufacturer}\nOK", **MANY, **answers})
    driven = drive(modem)
    await driven.ready()
    return driven


def modem_of(driven: Driven) -> GsmModem:
    modem = driven.supervisor._upkeep.modem
    assert modem is not None
    return modem


ASK = 'AT+CUSD=1,"*123#",15'


@pytest.mark.parametrize("order", ["before", "after"])
async def test_the_text_of_an_answer_before_or_after_the_ok(drive: Drive, order: str) -> None:
    driven = await started(drive)
    news = '+CUSD: 0,"Your credit is 5 EUR",15'
    driven.modem.answers[ASK] = f"{news}\nOK" if order == "before" else f"OK\n{news}"
    assert await modem_of(driven).ussd("*123#", 5) == "Your credit is 5 EUR"
    assert "AT+CUSD=2" not in driven.modem.commands


async def test_the_code_is_packed_for_a_family_that_wants_it_so(drive: Drive) -> None:
    driven = await started(drive, "huawei")
    driven.modem.answers['AT+CUSD=1,"AA180C3602",15'] = f'OK\n+CUSD: 0,"{PACKED}",15'
    text = await modem_of(driven).ussd("*100#", 5)
    assert text.startswith("Aktualny stan konta")


async def test_a_menu_is_read_and_ended(drive: Drive) -> None:
    driven = await started(drive)
    driven.modem.answers[ASK] = 'OK\n+CUSD: 1,"1 credit 2 offers",15'
    assert await modem_of(driven).ussd("*123#", 5) == "1 credit 2 offers"
    assert driven.modem.commands[-1] == "AT+CUSD=2"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("OK\n+CUSD: 2", "ended"),
        ("OK\n+CUSD: 3", "answered_elsewhere"),
        ("OK\n+CUSD: 4", "not_supported"),
        ("OK\n+CUSD: 5", "timeout"),
        ("OK\n+CUSD: 0", "ended"),
        ("OK\n+CUSD:", "ended"),
        ('OK\n+CUSD: 0,"0102",68', "unreadable"),
        ("+CME ERROR: 30", "refused"),
        ("ERROR", "refused"),
    ],
)
async def test_answers_without_a_text(drive: Drive, answer: str, cause: str) -> None:
    driven = await started(drive)
    driven.modem.answers[ASK] = answer
    with pytest.raises(UssdFailed) as raised:
        await modem_of(driven).ussd("*123#", 5)
    assert raised.value.cause == cause


async def test_no_answer_in_time_ends_the_dialogue_and_the_modem_goes_on(drive: Drive) -> None:
    driven = await started(drive)
    driven.modem.answers[ASK] = "OK"
    with pytest.raises(UssdFailed) as raised:
        await modem_of(driven).ussd("*123#", 0.05)
    assert raised.value.cause == "timeout"
    assert driven.modem.commands[-1] == "AT+CUSD=2"
    driven.modem.say('+CUSD: 0,"too late",15')
    driven.modem.answers[ASK] = 'OK\n+CUSD: 0,"in time",15'
    assert await modem_of(driven).converse("AT", 5) == ("OK",)  # what was said before has been heard by now
    assert await modem_of(driven).ussd("*123#", 5) == "in time"


@pytest.mark.parametrize("code", ["", "hello", "*123#\r", '*1"', "+33612345678"])
async def test_what_is_no_code_is_not_sent(drive: Drive, code: str) -> None:
    driven = await started(drive)
    with pytest.raises(UssdFailed):
        await modem_of(driven).ussd(code, 5)
    assert not any("+CUSD=1" in command for command in driven.modem.commands)


async def test_messages_go_on_being_sent_while_an_answer_is_awaited(drive: Drive) -> None:
    driven = await started(drive)
    driven.modem.answers[ASK] = "OK"
    waiting = asyncio.create_task(modem_of(driven).ussd("*123#", 5))
    await eventually(lambda: ASK in driven.modem.commands)
    assert (await driven.supervisor.submit(bytes.fromhex("31070B913336998921F90000A7024834"))).reference == 7
    driven.modem.say('+CUSD: 0,"5 EUR",15')
    assert await waiting == "5 EUR"


@pytest.mark.parametrize(
    ("text", "dcs", "form", "decoded"),
    [
        ("Solde: 5,00 EUR", 15, UssdForm.PLAIN, "Solde: 5,00 EUR"),
        ("1234", 15, UssdForm.PLAIN, "1234"),
        ("00530061006C0064006F", 72, UssdForm.PLAIN, "Saldo"),
        ("00530061006C0064006F", 0x11, UssdForm.PLAIN, "aldo"),  # two octets of language before it
        ("00530061006C0064006F", 15, UssdForm.PLAIN, "Saldo"),  # a modem that was left in UCS-2
        ("00530061", 15, UssdForm.UCS2, "Sa"),
        ("AA180C3602", 15, UssdForm.PACKED, "*100#"),
        ("3037373935353033333035", 0, UssdForm.PACKED, "07795503305"),  # one octet a character: Huawei, seen in wader
        ("not hexadecimal", 72, UssdForm.PACKED, "not hexadecimal"),
        ("D4323B0D", 15, UssdForm.PACKED, "Tel"),
    ],
)
def test_texts(text: str, dcs: int, form: UssdForm, decoded: str) -> None:
    assert decode(text, dcs, form).startswith(decoded)


@pytest.mark.parametrize(
    ("dcs", "coding"),
    [
        (0x00, (Alphabet.GSM7, False)),
        (0x0F, (Alphabet.GSM7, False)),
        (0x10, (Alphabet.GSM7, True)),
        (0x11, (Alphabet.UCS2, True)),
        (0x21, (Alphabet.GSM7, False)),
        (0x44, (Alphabet.EIGHT_BIT, False)),
        (0x48, (Alphabet.UCS2, False)),
        (0x4C, (Alphabet.GSM7, False)),
        (0x94, (Alphabet.EIGHT_BIT, False)),
        (0x98, (Alphabet.UCS2, False)),
        (0xF0, (Alphabet.GSM7, False)),
        (0xF4, (Alphabet.EIGHT_BIT, False)),
        (0xE0, (Alphabet.GSM7, False)),
    ],
)
def test_the_coding_schemes_of_cell_broadcast(dcs: int, coding: tuple[Alphabet, bool]) -> None:
    assert coding_of(dcs) == coding


@pytest.mark.parametrize(
    ("character_set", "written", "text"),
    [
        ("GSM", "Cr\x05dit \x7f 5.20 EUR, info_x@op", "Crédit à 5.20 EUR, info_x@op"),
        ("GSM", "Solde 5,20 \x1be", "Solde 5,20"),
        ("IRA", "Credit {5.20}", "Credit {5.20}"),
        ("GSM", "0053006F006C0064006500200035002C00320030002020AC", "Solde 5,20 €"),
    ],
)
async def test_the_character_set_of_the_modem_is_heeded(
    drive: Drive, character_set: str, written: str, text: str
) -> None:
    driven = await started(drive, "Telit", **{"AT+CSCS?": f'+CSCS: "{character_set}"\nOK'})
    dcs = 72 if "€" in text else 15
    driven.modem.answers[ASK] = f'OK\n+CUSD: 0,"{written}",{dcs}'
    assert await modem_of(driven).ussd("*123#", 5) == text


async def test_code_and_text_are_ucs2_where_the_modem_is_left_in_it(drive: Drive) -> None:
    driven = await started(drive, "Telit", **{"AT+CSCS?": '+CSCS: "UCS2"\nOK'})
    code = "*123#".encode("utf-16-be").hex().upper()
    driven.modem.answers[f'AT+CUSD=1,"{code}",15'] = 'OK\n+CUSD: 0,"' + "5,20 €".encode("utf-16-be").hex() + '",72'
    assert await modem_of(driven).ussd("*123#", 5) == "5,20 €"
