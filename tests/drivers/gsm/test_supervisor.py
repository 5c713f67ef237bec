"""The life of a modem as its owner sees it: loss and return, resets, noise, states and their reasons."""

import asyncio
import tracemalloc
from pathlib import Path

import pytest
from support.driven import Drive
from support.line_ends import PtyMaster, plain_file
from support.rigs import QUICK
from support.scripted_modem import PLAIN, ScriptedModem
from support.waiting import eventually

from drivers.catalogue import build_modem
from drivers.errors import ModemNotReady, SubmitRefused, SubmitUncertain
from drivers.events import ModemState, SubmitResult
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.transport.serial import SerialTransport

TPDU = bytes.fromhex("31070B913336998921F90000A7024834")


async def test_a_loss_is_told_and_mended(drive: Drive) -> None:
    driven = drive()
    await driven.ready()
    await driven.line.unplug()
    await eventually(lambda: driven.states.count(ModemState.READY) == 2)
    assert driven.states == [ModemState.READY, ModemState.REPAIRING, ModemState.READY]
    assert len(driven.lines) == 2
    assert not driven.lines[0].open_now


@pytest.mark.parametrize("word", ["RDY", "^SYSSTART"])
async def test_a_modem_that_starts_anew_is_initialised_anew(drive: Drive, word: str) -> None:
    driven = drive()
    await driven.ready()
    before = driven.modem.commands.count("AT+CMGF=0")
    driven.modem.say(word)
    await eventually(lambda: driven.modem.commands.count("AT+CMGF=0") > before)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_echo_that_is_back_betrays_a_reset(drive: Drive) -> None:
    driven = drive(ScriptedModem(echo=True))
    await driven.ready()
    driven.modem.echo = True
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)
    # It may be in text mode, where the PDU's digits would leave as somebody's text: nothing was typed at its prompt.
    assert driven.modem.submitted == []
    await eventually(lambda: driven.modem.commands.count("ATE0") == 2)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert await driven.supervisor.submit(TPDU) == SubmitResult(7)


async def test_echo_that_was_never_off_betrays_nothing(drive: Drive) -> None:
    driven = drive(ScriptedModem(stubborn_echo=True), poll_seconds=0.05)
    await driven.ready()
    looks = driven.modem.commands.count("AT+CSQ")
    await eventually(lambda: driven.modem.commands.count("AT+CSQ") > looks + 2)
    assert len(driven.lines) == 1
    before = len(driven.modem.commands)
    await driven.supervisor.submit(TPDU)
    assert "AT+CMGF?" in driven.modem.commands[before:]


async def test_a_modem_that_falls_into_text_mode_is_initialised_anew(drive: Drive) -> None:
    modem = ScriptedModem()
    driven = drive(modem, poll_seconds=0.05)
    await driven.ready()
    modem.answers["AT+CMGF?"] = "+CMGF: 1\nOK"
    await eventually(lambda: len(driven.lines) >= 2)
    modem.answers["AT+CMGF?"] = "+CMGF: 0\nOK"
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("+CME ERROR: 10", ModemState.REPAIRING),
        ("+CPIN: SIM PIN\nOK", ModemState.PARKED),
        ("+CPIN: SIM PUK\nOK", ModemState.PARKED),
    ],
)
async def test_a_refusal_that_is_the_sims_has_the_sim_looked_at(drive: Drive, answer: str, state: ModemState) -> None:
    modem = ScriptedModem(on_submit=lambda _: "+CMS ERROR: 310")
    driven = drive(modem)
    await driven.ready()
    modem.answers["AT+CPIN?"] = answer
    with pytest.raises(SubmitRefused) as caught:
        await driven.supervisor.submit(TPDU)
    assert caught.value.local
    await eventually(lambda: driven.supervisor.status().state is state)
    with pytest.raises(ModemNotReady):
        await driven.supervisor.submit(TPDU)


async def test_noise_is_bounded_and_opens_the_port_anew(drive: Drive) -> None:
    driven = drive()
    await driven.ready()
    tracemalloc.start()
    try:
        for _ in range(100):
            driven.modem.write(b"\xaa" * 60_000)
            await asyncio.sleep(0)
            if not driven.line.open_now:
                break
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    await eventually(lambda: len(driven.lines) == 2)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)


async def test_an_answer_without_end_is_bounded(drive: Drive) -> None:
    driven = drive(ScriptedModem(on_submit=lambda _: "words\n" * 12_000 + "+CMGS: 4\nOK"))
    await driven.ready()
    with pytest.raises(SubmitUncertain):
        await driven.supervisor.submit(TPDU)
    driven.modem.on_submit = lambda _: "+CMGS: 5\nOK"
    assert await driven.supervisor.submit(TPDU) == SubmitResult(5)


async def test_states_of_a_pause(drive: Drive) -> None:
    driven = drive()
    await driven.start()
    driven.supervisor.set_paused(True)
    await eventually(lambda: driven.supervisor.status().state is ModemState.PAUSED)
    assert driven.supervisor.status().reason == "paused by an operator"
    with pytest.raises(ModemNotReady, match="paused"):
        await driven.supervisor.submit(TPDU)
    driven.supervisor.set_paused(False)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    await eventually(lambda: driven.states == [ModemState.PAUSED, ModemState.READY])


async def test_before_the_start_and_after_the_stop(drive: Drive) -> None:
    driven = drive()
    with pytest.raises(ModemNotReady, match="starting"):
        await driven.supervisor.submit(TPDU)
    await driven.ready()
    await driven.supervisor.start()
    assert len(driven.lines) == 1
    await driven.supervisor.stop()
    await driven.supervisor.stop()
    with pytest.raises(ModemNotReady, match="stopping"):
        await driven.supervisor.submit(TPDU)
    await driven.supervisor.start()
    assert not driven.line.open_now


async def test_stopping_in_the_middle_of_the_initialisation(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CPIN?": None}))
    await driven.start()
    await eventually(lambda: "AT+CPIN?" in driven.modem.commands)
    await asyncio.wait_for(driven.supervisor.stop(), 2)
    assert not driven.line.open_now


async def test_stopping_a_parked_modem(drive: Drive) -> None:
    driven = drive(ScriptedModem(answers={**PLAIN, "AT+CPIN?": "+CPIN: SIM PUK\nOK"}))
    await driven.start()
    await eventually(lambda: driven.supervisor.status().state is ModemState.PARKED)
    await asyncio.wait_for(driven.supervisor.stop(), 2)


async def test_nothing_of_the_sim_is_shown() -> None:
    settings = ModemSettings("m", "/dev/null0", pin="4321", smsc="+33639980000", number="+33639981001")
    assert not any(secret in repr(settings) for secret in ("4321", "3363998"))


# --- reasons of a port that cannot be opened


async def absence(port: str) -> str:
    modem = ModemSupervisor(
        ModemSettings("m", port, deadlines=QUICK), lambda: SerialTransport(port), spread=lambda: 0.0
    )
    await modem.start()
    await eventually(lambda: modem.status().state is ModemState.ABSENT)
    reason = modem.status().reason or ""
    await modem.stop()
    return reason


async def test_reasons_of_absence(tmp_path: Path) -> None:
    assert "no device" in await absence(str(tmp_path / "ttyUSB9"))
    assert "not a serial device" in await absence(str(plain_file(tmp_path)))


async def test_a_port_held_by_another_is_told_and_taken_when_it_is_free() -> None:
    device = PtyMaster()
    first = build_modem(ModemSettings("one", device.path, deadlines=QUICK))
    second = build_modem(ModemSettings("two", device.path, deadlines=QUICK))
    await first.start()
    await eventually(device.read)
    await second.start()
    await eventually(lambda: second.status().state is ModemState.ABSENT)
    assert "what modem one has open already" in (second.status().reason or "")
    await first.stop()
    await eventually(lambda: second.status().state is ModemState.REPAIRING, 10)
    await second.stop()
    device.close()


async def test_an_error_of_the_driver_itself_is_no_end(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    driven = drive()
    driven.mistakes = 1
    await driven.ready()
    await eventually(lambda: driven.states == [ModemState.REPAIRING, ModemState.READY])
    assert "modem m failed" in caplog.text
