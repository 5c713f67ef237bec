"""Submits: what was handed over, what each way of ending means, and that no answer goes to the wrong message."""

import asyncio

import pytest
from support.driven import Drive
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.errors import DriverError, ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import ModemState, SubmitResult
from drivers.tpdu import Address, join_smsc

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")
DUPLICATE = bytes.fromhex("35990B913336998921F90000A7024834")


async def outcome(drive: Drive, modem: ScriptedModem, tpdu: bytes = TPDU) -> SubmitResult | DriverError:
    driven = drive(modem)
    await driven.ready()
    try:
        return await driven.supervisor.submit(tpdu)
    except DriverError as error:
        return error


async def test_what_is_written(drive: Drive) -> None:
    driven = drive()
    await driven.ready()
    await driven.supervisor.submit(TPDU)
    assert driven.modem.commands[-1] == f"AT+CMGS={len(TPDU)}"
    assert driven.modem.submitted == ["00" + TPDU.hex().upper()]


async def test_the_configured_service_centre_goes_with_the_message(drive: Drive) -> None:
    driven = drive(smsc="+33639980000")
    await driven.ready()
    await driven.supervisor.submit(TPDU)
    assert driven.modem.commands[-1] == f"AT+CMGS={len(TPDU)}"
    assert driven.modem.submitted == [join_smsc(Address.from_text("+33639980000"), TPDU).hex().upper()]


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("+CMGS: 0\nOK", 0),
        ("+CMGS:255\nOK", 255),
        ("+CMGS: 300\nOK", 300 & 0xFF),
        ('+CMGS: 12,"0791"\nOK', 12),
        ('+CMTI: "SM",1\n+CMGS: 12\n^RSSI:4\nOK', 12),
        ("+CMGS: 12", 12),  # the OK gets lost: the network's answer is there all the same
    ],
)
async def test_accepted(drive: Drive, answer: str, reference: int) -> None:
    result = await outcome(drive, ScriptedModem(on_submit=lambda _: answer))
    assert result == SubmitResult(reference)


async def test_a_duplicate_at_the_service_centre_was_sent_before(drive: Drive) -> None:
    result = await outcome(drive, ScriptedModem(on_submit=lambda _: "+CMS ERROR: 197"), DUPLICATE)
    assert result == SubmitResult(0x99, duplicate=True)


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "local"),
    [
        ("+CMS ERROR: 1", "cms_1", False, False),
        ("+CMS ERROR: 21", "cms_21", True, False),
        ("+CMS ERROR: 42", "cms_42", True, False),
        ("+CMS ERROR: congestion", "cms_42", True, False),
        ("+CMS ERROR: 304", "cms_304", False, True),
        ("+CMS ERROR: 330", "cms_330", True, True),
        ("+CME ERROR: SIM not inserted", "cme_10", True, True),
    ],
)
async def test_refused(drive: Drive, answer: str, code: str, retryable: bool, local: bool) -> None:
    error = await outcome(drive, ScriptedModem(on_submit=lambda _: answer))
    assert isinstance(error, SubmitRefused)
    assert (error.code, error.retryable, error.local, error.may_have_left) == (code, retryable, local, False)
    assert error.user_text


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (None, "timeout"),
        ("OK", "bare_ok"),
        ("+CMGS: many\nOK", "bare_ok"),
        ("ERROR", "error"),
        ("COMMAND NOT SUPPORT", "error"),
        ("NO CARRIER", "error"),
        ("+CMS ERROR: 27", "cms_27"),
        ("+CMS ERROR: 38", "cms_38"),
        ("+CMS ERROR: 332", "cms_332"),
        ("+CMS ERROR: 500", "cms_500"),
        ("+CMS ERROR: 65535", "cms_65535"),
        ("+CME ERROR: 100", "cme_100"),
        ("+CMGS: 5\n+CMS ERROR: 1", "cms_1"),
        ("\xff\xfe\x80", "timeout"),
    ],
)
async def test_uncertain(drive: Drive, answer: str | None, cause: str) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: answer))
    await driven.ready()
    with pytest.raises(SubmitUncertain) as caught:
        await driven.supervisor.submit(TPDU)
    assert caught.value.cause == cause
    assert caught.value.may_have_left
    driven.modem.on_submit = lambda _: "+CMGS: 9\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(9)


# --- before Ctrl-Z nothing has left


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        ("ERROR", "error", True),
        ("+CMS ERROR: 38", "cms_38", True),
        ("+CMS ERROR: 304", "cms_304", False),
        ("+CME ERROR: 3", "cme_3", True),
    ],
)
async def test_an_error_instead_of_the_prompt(drive: Drive, answer: str, code: str, retryable: bool) -> None:
    modem = ScriptedModem(answers={**PLAIN, f"AT+CMGS={len(TPDU)}": answer})
    error = await outcome(drive, modem)
    assert isinstance(error, SubmitRefused)
    assert (error.code, error.retryable, error.local) == (code, retryable, True)
    assert b"\x1a" not in modem.received


async def test_no_prompt_is_left_by_escape(drive: Drive) -> None:
    modem = ScriptedModem(prompt=b"")
    driven = drive(modem)
    await driven.ready()
    with pytest.raises(ModemNotReady) as caught:
        await driven.supervisor.submit(TPDU)
    assert not caught.value.may_have_left
    await eventually(lambda: modem.received.endswith(b"\x1b\r"))
    assert b"\x1a" not in modem.received
    modem.prompt = b"\r\n> "
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_a_prompt_that_comes_after_the_deadline_gets_no_message(drive: Drive) -> None:
    modem = ScriptedModem(prompt=b"")
    driven = drive(modem)
    await driven.ready()
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    modem.write(b"\r\n> ")
    modem.prompt = b"\r\n> "
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)
    assert modem.submitted == ["00" + TPDU.hex().upper()]


async def test_a_result_while_the_message_is_being_written(drive: Drive) -> None:
    modem = ScriptedModem(prompt=b"\r\n> ")
    driven = drive(modem)
    await driven.ready()
    modem.prompt = b"\r\n> \r\n+CMS ERROR: 500\r\n"
    with pytest.raises((SubmitRefused, ModemNotReady)) as caught:
        await driven.supervisor.submit(TPDU)
    assert not caught.value.may_have_left
    assert b"\x1a" not in modem.received
    modem.prompt = b"\r\n> "
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_an_error_in_the_middle_of_the_message(drive: Drive) -> None:
    modem = ScriptedModem()

    def leave_the_prompt() -> None:
        modem._prompting = False
        modem.say("+CMS ERROR: 500")

    modem.payload_breaker = leave_the_prompt
    error = await outcome(drive, modem)
    assert isinstance(error, SubmitRefused)
    assert error.local
    assert b"\x1a" not in modem.received


async def test_a_port_that_goes_in_the_middle_of_the_message(drive: Drive) -> None:
    driven = drive()
    await driven.ready()
    tasks = []
    driven.modem.payload_breaker = lambda: tasks.append(asyncio.ensure_future(driven.line.unplug()))
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    assert b"\x1a" not in driven.modem.received
    assert len(tasks) == 1


async def test_a_port_that_goes_before_the_prompt(drive: Drive) -> None:
    modem = ScriptedModem(prompt=b"")
    driven = drive(modem)
    await driven.ready()
    submit = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: any(line.startswith("AT+CMGS") for line in modem.commands))
    await driven.line.unplug()
    with pytest.raises(ModemNotReady):
        await submit


async def test_a_port_that_goes_after_ctrl_z(drive: Drive) -> None:
    modem = ScriptedModem(on_submit=lambda _: None)
    driven = drive(modem)
    await driven.ready()
    submit = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: modem.submitted)
    await driven.line.unplug()
    with pytest.raises(SubmitUncertain) as caught:
        await submit
    assert caught.value.cause == "port_lost"


# --- time-outs and what comes after them


async def test_a_late_reference_is_not_the_next_messages(drive: Drive) -> None:
    modem = ScriptedModem(on_submit=lambda _: None)
    driven = drive(modem)
    await driven.ready()
    with pytest.raises(SubmitUncertain):
        await driven.supervisor.submit(TPDU)
    late = iter(["+CMGS: 66\nOK\nOK"])
    modem.answers["AT"] = lambda _: next(late, "OK")
    modem.on_submit = lambda _: "+CMGS: 67\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(67)


async def test_a_late_reference_in_the_middle_of_the_next_command(drive: Drive) -> None:
    modem = ScriptedModem(on_submit=lambda _: None)
    driven = drive(modem)
    await driven.ready()
    with pytest.raises(SubmitUncertain):
        await driven.supervisor.submit(TPDU)
    modem.on_submit = lambda _: "+CMGS: 67\nOK"
    modem.prompt = b"\r\n+CMGS: 66\r\n\r\nOK\r\n\r\n> "
    assert await driven.supervisor.submit(TPDU) == SubmitResult(67)


async def test_a_modem_that_is_silent_after_a_time_out_is_opened_anew(drive: Drive) -> None:
    modem = ScriptedModem(on_submit=lambda _: None)
    driven = drive(modem)
    await driven.ready()
    submit = asyncio.create_task(driven.supervisor.submit(TPDU))
    await eventually(lambda: modem.submitted)
    modem.answers.update({"AT": None, "ATQ0V1": None})
    with pytest.raises(SubmitUncertain):
        await submit
    await eventually(lambda: driven.supervisor.status().state is ModemState.REPAIRING)
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    modem.answers["AT"] = "OK"
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    modem.on_submit = lambda _: "+CMGS: 9\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(9)


async def test_a_submit_that_its_caller_gives_up_leaves_a_usable_modem(drive: Drive) -> None:
    modem = ScriptedModem(on_submit=lambda _: None)
    driven = drive(modem)
    await driven.ready()
    for waiting_for in ("prompt", "answer"):
        modem.prompt = b"" if waiting_for == "prompt" else b"\r\n> "
        before = len(modem.commands)
        submit = asyncio.create_task(driven.supervisor.submit(TPDU))
        await eventually(lambda before=before: len(modem.commands) > before)
        submit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submit
    modem.prompt, modem.on_submit = b"\r\n> ", lambda _: "+CMGS: 9\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(9)


async def test_submits_wait_for_each_other(drive: Drive) -> None:
    references = iter(range(20))
    modem = ScriptedModem(on_submit=lambda _: f"+CMGS: {next(references)}\nOK")
    driven = drive(modem)
    await driven.ready()
    results = await asyncio.gather(*(driven.supervisor.submit(TPDU) for _ in range(20)))
    assert [result.reference for result in results] == list(range(20))


async def test_news_at_every_place_of_the_dialogue(drive: Drive) -> None:
    news = b"\r\n+CREG: 1\r\n\r\n^RSSI:11\r\n\r\nRING\r\n"
    modem = ScriptedModem(
        prompt=news + b"\r\n> ", on_submit=lambda _: "RING\n^RSSI:3\n+CMGS: 4\n+CREG: 1\nNO CARRIER\nOK"
    )
    assert await outcome(drive, modem) == SubmitResult(4)


async def test_octets_too_few_for_a_submit_never_leave(drive: Drive) -> None:
    modem = ScriptedModem(answers={**PLAIN, "AT+CMGS=0": "+CMS ERROR: 304"})
    error = await outcome(drive, modem, b"")
    assert isinstance(error, SubmitRefused)
