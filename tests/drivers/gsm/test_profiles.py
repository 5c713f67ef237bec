"""Families: which one a modem is taken for, and what the driver does differently for it."""

import asyncio

import pytest
from support.driven import Drive, Driven
from support.pdus import deliver, report
from support.rigs import HASTY
from support.scripted_modem import ScriptedModem
from support.waiting import eventually

from drivers.errors import CommandFailed
from drivers.events import DeliverReceived, StatusReportReceived
from drivers.gsm.modem import GsmModem
from drivers.gsm.profiles import GENERIC, PROFILES, ROUTINGS, profile_of

NAMES = ("generic", "huawei", "zte", "simcom", "quectel", "sierra", "telit", "ublox", "cinterion", "wavecom")
SAID = {
    "generic": "ACME",
    "huawei": "huawei",
    "zte": "ZTE INCORPORATED",
    "simcom": "SIMCOM_Ltd",
    "quectel": "Quectel",
    "sierra": "Sierra Wireless, Incorporated",
    "telit": "Telit",
    "ublox": "u-blox",
    "cinterion": "Cinterion",
    "wavecom": "WAVECOM MODEM",
}


def modem_of(driven: Driven) -> GsmModem:
    modem = driven.supervisor._upkeep.modem
    assert modem is not None
    return modem


def of_family(name: str, model: str = "X1", **more: object) -> ScriptedModem:
    modem = ScriptedModem(**more)  # type: ignore[arg-type]
    modem.answers.update({"AT+CGMI": f"{SAID[name]}\nOK", "AT+CGMM": f"{model}\nOK"})
    return modem


def test_the_families_have_the_agreed_names() -> None:
    assert tuple(PROFILES) == NAMES
    assert all(profile.name == name for name, profile in PROFILES.items())


@pytest.mark.parametrize(
    ("manufacturer", "model", "name"),
    [
        ("huawei", "E173", "huawei"),
        ("HUAWEI TECHNOLOGIES CO., LTD", "ME909s-120", "huawei"),
        ("ZTE CORPORATION", "MF190", "zte"),
        ("SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "simcom"),
        ("SIMCOM_Ltd", "SIMCOM_SIM800L", "simcom"),
        ("Quectel", "EC25", "quectel"),
        ("Quectel_Ltd", "Quectel_M95", "quectel"),
        ("Sierra Wireless, Incorporated", "MC7455", "sierra"),
        ("Telit", "LE910C1-EU", "telit"),
        ("u-blox", "TOBY-L201", "ublox"),
        ("Cinterion", "PLS8-E", "cinterion"),
        ("SIEMENS", "TC35i", "cinterion"),
        ("Gemalto", "PLS62-W", "cinterion"),
        ("WAVECOM MODEM", "MULTIBAND  900E  1800", "wavecom"),
        ("MULTITECH", "MTCBA-G-F4", "wavecom"),
        ("Sierra Wireless", "SL8084T", "wavecom"),
        ("QUALCOMM INCORPORATED", "HSPA", "generic"),
        (None, None, "generic"),
        ("", "", "generic"),
        (None, "SIMCOM_SIM900", "simcom"),
    ],
)
def test_which_family_it_is(manufacturer: str | None, model: str | None, name: str) -> None:
    assert profile_of(manufacturer, model).name == name


@pytest.mark.parametrize("name", NAMES)
async def test_a_modem_that_refuses_whatever_is_particular_to_its_family_sends(drive: Drive, name: str) -> None:
    driven = drive(of_family(name))
    await driven.ready()
    assert driven.supervisor.status().profile == name
    assert (await driven.supervisor.submit(bytes.fromhex("31070B913336998921F90000A7024834"))).reference == 7
    for step in PROFILES[name].start_up:
        assert step[0] in driven.modem.commands


@pytest.mark.parametrize("name", [name for name in NAMES if name != "generic"])
def test_what_a_family_says_of_its_sim_is_known(name: str) -> None:
    profile = PROFILES[name]
    assert profile.tells_sim("+CPIN: NOT READY")
    assert not profile.tells_sim("+CREG: 1")
    for news in profile.sim_news:
        assert profile.tells_sim(f"{news}: 0" if ":" not in news else news)


# --- where news goes


@pytest.mark.parametrize(
    ("port", "command"),
    [
        ("/dev/serial/by-id/usb-Quectel_EG25-G-if02-port0", 'AT+QURCCFG="urcport","usbat"'),
        ("/dev/serial/by-id/usb-Quectel_EG25-G-if03-port0", 'AT+QURCCFG="urcport","usbmodem"'),
        ("usb:1-1.4:1.3", 'AT+QURCCFG="urcport","usbmodem"'),
        ("usb:1-1.4:1.2", 'AT+QURCCFG="urcport","usbat"'),
        ("/dev/ttyUSB2", 'AT+QURCCFG="urcport","all"'),
        ("imei:350000000000010", 'AT+QURCCFG="urcport","all"'),
    ],
)
def test_news_is_sent_to_the_port_that_we_are_on(port: str, command: str) -> None:
    assert PROFILES["quectel"].news_steps(port)[0] == command
    assert GENERIC.news_steps(port) == ()


# --- waiting for the message service


async def test_a_message_service_that_starts_late_is_waited_for(drive: Drive) -> None:
    refusals = iter(["+CMS ERROR: 302"] * 5)
    modem = of_family("simcom", memories={"SM": {1: (0, deliver("early"))}})
    modem.answers["AT+CPMS?"] = lambda _: next(refusals, '+CPMS: "SM",1,20,"SM",1,20,"SM",1,20\nOK')
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: driven.messages)
    assert driven.messages[0].receipt.storage == "SM"  # type: ignore[union-attr]
    asked = [command for command in modem.commands if command in {"AT+CPMS?", "AT+CPMS=?"}]
    assert asked[:7] == ["AT+CPMS?"] * 7


# --- memories and listings


async def test_a_family_that_hangs_in_its_listing_is_never_asked_for_it(drive: Drive) -> None:
    modem = of_family("huawei", "E1750", memories={"SM": {0: (0, deliver("zero")), 3: (0, deliver("three"))}, "ME": {}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: len(driven.messages) == 2)
    assert not any(command.startswith("AT+CMGL") for command in modem.commands)


async def test_reports_in_sr_are_not_looked_for_where_they_are_said_to_be(drive: Drive) -> None:
    modem = of_family("quectel", "EG25", memories={"SM": {0: (0, deliver("somebody's"))}, "SR": {}}, empty_is_ok=True)
    modem.memories["SM"].clear()
    driven = drive(modem, poll_seconds=3600.0)
    await driven.ready()
    await eventually(lambda: modem.commands.count("AT+CMGL=4") == 2)  # the first look at both is over
    modem.memories["SM"][0] = 0, deliver("somebody's")
    modem.memories["SR"][0] = 0, report(33)
    modem.say('+CDSI: "SM",0')
    await eventually(lambda: driven.messages)
    [event] = driven.messages
    assert isinstance(event, StatusReportReceived)
    await driven.supervisor.acknowledge(event.receipt)
    await eventually(lambda: not modem.memories["SR"])
    assert modem.memories["SM"]
    assert "AT+CMGR=0" not in modem.commands[: modem.commands.index("AT+CMGD=0")]


async def test_a_report_that_was_cut_names_no_message_and_is_freed(drive: Drive) -> None:
    modem = of_family("wavecom", memories={"SR": {1: (0, "000000FF00")}, "SM": {2: (0, deliver("whole"))}})
    driven = drive(modem)
    await driven.ready()
    await eventually(lambda: not modem.memories["SR"])
    await eventually(lambda: driven.messages)
    [event] = driven.messages
    assert isinstance(event, DeliverReceived)


async def test_a_family_that_wants_all_three_memories_is_given_them(drive: Drive) -> None:
    modem = of_family("generic", memories={"SM": {}, "ME": {4: (0, deliver("there"))}})
    modem.answers.update({'AT+CPMS="ME"': "ERROR", 'AT+CPMS="SM"': "ERROR"})
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    await eventually(lambda: driven.messages)
    await eventually(lambda: modem.commands.count('AT+CPMS="ME","ME","SM"') > 2)
    assert modem.commands.count('AT+CPMS="ME"') == 1


# --- the SIM's number


@pytest.mark.parametrize("name", NAMES)
async def test_the_number_of_the_sim_is_asked_for_in_the_way_of_the_family(drive: Drive, name: str) -> None:
    command = PROFILES[name].iccid[0]
    label = command.removeprefix("AT").removesuffix("?")
    modem = of_family(name)
    modem.answers[command] = f"{label}: 89330000000000000011\nOK"
    driven = drive(modem, poll_seconds=0.02)
    await driven.ready()
    assert driven.supervisor.status().iccid == "89330000000000000011"
    await eventually(lambda: modem.commands.count(command) > 2)
    assert not any(other in modem.commands for other in PROFILES[name].iccid[1:])


# --- starting anew, the radio


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("answer", ["OK", None, "ERROR"])
async def test_a_reset_ends_the_opening_whatever_the_modem_says(drive: Drive, name: str, answer: str | None) -> None:
    modem = of_family(name, memories={"SM": {}})
    modem.answers.update(dict.fromkeys(PROFILES[name].reset, answer))
    driven = drive(modem, deadlines=HASTY)
    await driven.ready()
    await modem_of(driven).reset()
    await eventually(lambda: len(driven.lines) == 2)
    await asyncio.wait_for(driven.supervisor.wait_ready(), 5)
    assert PROFILES[name].reset[0] in modem.commands


async def test_the_radio_is_switched_off_and_on(drive: Drive) -> None:
    modem = of_family("generic")
    driven = drive(modem)
    await driven.ready()
    attempts: list[object] = []

    def off(_: str) -> str:
        attempts.append(modem_of(driven).usable)
        return "OK"

    modem.answers.update({"AT+CFUN=4": off, "AT+CFUN=1": "OK"})
    await modem_of(driven).cycle_radio()
    assert attempts == [False]
    assert modem.commands.index("AT+CFUN=4") < modem.commands.index("AT+CFUN=1")
    await eventually(lambda: modem_of(driven).usable)


async def test_a_radio_that_cannot_be_switched_is_told(drive: Drive) -> None:
    driven = drive(of_family("generic"))
    await driven.ready()
    with pytest.raises(CommandFailed):
        await modem_of(driven).cycle_radio()
    assert modem_of(driven).usable


def test_the_order_of_routings() -> None:
    """Stored and told (mt 1) before handed over (mt 2), reports handed over (ds 1) before reports stored (ds 2) before
    none, and the order of ModemManager among them."""
    rank = {(1, 1): 0, (1, 2): 1, (2, 1): 2, (1, 0): 3, (1, None): 4, (2, 0): 5, (0, 2): 6}
    for profile in PROFILES.values():
        order = [rank[values[1], values[3] if len(values) > 3 else None] for values in profile.routings]
        assert order == sorted(order)
    named = [ROUTINGS.index(values) for values in ((2, 1, 2, 1, 0), (2, 1, 2, 2, 0), (2, 1, 2, 0, 0))]
    assert named == sorted(named)
