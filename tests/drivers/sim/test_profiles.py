"""What a client sees of each family that can be played: one table, and the habits that a table does not show."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.waiting import eventually

from drivers.sim import SIM_PROFILES, VARIANTS, SimSettings
from drivers.tpdu import Address, SmsStatusReport, SmsSubmit, UserData

ICCID = "8933990000000000017"
FILE = "983399000000000010F7"  # its digits in pairs, each pair turned round
SENDER, ELSEWHERE = "+33612345678", "+33639985555"
UNKNOWN = {"huawei": "COMMAND NOT SUPPORT"}

#: By family: command lines, and what is answered before OK.
SEEN = {
    "generic": [
        ("AT+CGMI;+CGMM;+CGMR", ["Tocsin", "Simulated modem", "1.0"]),
        ("AT+CPINR", ["+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10"]),
        ("AT+CCID", [f"+CCID: {ICCID}"]),
    ],
    "huawei": [
        ("AT+CGMI;+CGMM;+CGMR", ["huawei", "E173", "11.126.15.00.209"]),
        ("AT^CPIN?", ["^CPIN: READY,,10,3,10,3"]),
        ("AT^ICCID?", [f"^ICCID: {ICCID}"]),
        ("AT+CPMS=?", ['+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")']),
        ('AT+CPMS="ME","ME","ME"', ["+CPMS: 0,23,0,23,0,23"]),
        ("AT^CURC=0", []),
        ("AT+CNMI=2,1,0,2,0;+CNMI?", ["+CNMI: 2,1,0,2,0"]),
    ],
    "zte": [
        ("AT+CGMI;+CGMM", ["ZTE INCORPORATED", "MF190"]),
        ("AT+ZPINPUK=?", ["+ZPINPUK: 3,10"]),
        ("AT+ZCDRUN=8;+ZOPRT=5", []),
        ('AT+CPMS="ME"', ["+CPMS: 0,100,0,50,0,50"]),
    ],
    "simcom": [
        ("AT+CGMI;+CGMM;+CGMR", ["SIMCOM_Ltd", "SIMCOM_SIM800L", "Revision:1418B05SIM800L24"]),
        ("ATI", ["SIM800 R14.18"]),
        ("AT+SPIC", ["+SPIC: 3,10,3,10"]),
        ("AT+CCID", [ICCID]),
        ("AT+CNMI=?", ["+CNMI: (0-3),(0-3),(0,2),(0,1),(0,1)"]),
        ("AT+CNMI?", ["+CNMI: 2,1,0,0,0"]),
        ("AT+CNMI=2,1,0,1,0", []),
    ],
    "quectel": [
        ("ATI", ["Quectel", "EC25", "Revision: EC25EFAR06A06M4G"]),
        ("AT+QPINC?", ['+QPINC: "SC",3,10', '+QPINC: "P2",3,10']),
        ('AT+QPINC="SC"', ['+QPINC: "SC",3,10']),
        ("AT+QCCID", [f"+QCCID: {ICCID}"]),
        ("AT+CPMS?", ['+CPMS: "ME",0,255,"ME",0,255,"ME",0,255']),
        ("AT+CMGR=0", []),
        ('AT+QURCCFG="urcport","usbat"', []),
    ],
    "sierra": [
        ("AT+CGMI;+CGMM", ["Sierra Wireless, Incorporated", "MC7455"]),
        ("AT+CPINC?", ["+CPINC: 3, 3, 10, 10"]),
        ("AT!ICCID?", [f"!ICCID: {ICCID}"]),
        ("AT+ICCID?", [f"+ICCID: {ICCID}"]),
        ("AT+CNMI=?", ["+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"]),
        ("AT+CNMI=2,1,2,2,0", []),
    ],
    "telit": [
        ("AT+CGMI;+CGMM;I", ["Telit", "HE910", "332"]),
        ("AT#PCT", ["#PCT: 3"]),
        ("AT#CCID", [f"#CCID: {ICCID}"]),
        ("AT#QSS=1;#QSS?", ["#QSS: 0,1"]),
        ("AT+CPMS=?", ['+CPMS: ("SM","ME","SR"),("SM","ME","SR"),("SM","ME")']),
    ],
    "ublox": [
        ("AT+CGMI;+CGMM", ["u-blox", "SARA-U201"]),
        ("AT+UPINCNT", ["+UPINCNT: 3,3,10,10"]),
        ("AT+CCID", [f"+CCID: {ICCID}"]),
        ("AT+CPMS?", ['+CPMS: "ME",0,100,"ME",0,100,"ME",0,100']),
    ],
    "cinterion": [
        ("AT+CGMI;+CGMM;+CGMR", ["Cinterion", "MC75i", "REVISION 04.001"]),
        ("AT^SPIC", ["^SPIC: 3"]),
        ("AT^SCID", [f"^SCID: {ICCID}"]),
        ("AT^SCKS=1;^SCKS?", ["^SCKS: 0,1"]),
        ("AT+CPMS?", ['+CPMS: "ME",0,25,"ME",0,25,"SM",0,20']),
        ("AT+CNMI=?", ["+CNMI: (0-3),(0,1),(0,2,3),(0,2),(1)"]),
        ("AT+CNMI=2,1,0,2;+CNMI?", ["+CNMI: 2,1,0,2,1"]),
    ],
    "wavecom": [
        ("AT+CGMI;+CGMM", [" WAVECOM MODEM", " MULTIBAND  900E  1800"]),
        ("AT+CPINC", ["+CPINC: 3,3,10,10"]),
        ("AT+CCID", [f'+CCID: "{ICCID}"']),
        ("AT+CPMS=?", ['+CPMS: (("SM","BM","SR"),("SM"))']),
        ("AT+CPMS?", ['+CPMS: "SM",0,20,"SM",0,20']),
        ('AT+CPMS="SR"', ["+CPMS: 0,20,0,20"]),
    ],
    "sim7600": [
        ("AT+CGMM", ["SIMCOM_SIM7600E"]),
        ("AT+CICCID", [f"+ICCID: {ICCID}"]),
        ("AT+CNMI=2,2,0,2,0", []),
    ],
    "a7670": [("AT+CGMM", ["A7670E-FASE"]), ("AT+CNMI=2,2,0,0,0", []), ("AT+CNMI=2,1,0,1,0", [])],
    "sim7000": [("ATI", ["SIM7000G R1529"]), ('AT+CPMS="ME"', ["+CPMS: 0,0,0,20,0,20"])],
    "tc35": [
        ("AT+CGMI;+CGMM", ["SIEMENS", "TC35"]),
        ('AT+CPMS="SM"', ["+CPMS: 0,20"]),
        ("AT+CMGD=?", ["+CMGD: ()"]),
        ("AT+CMGD=1", []),
    ],
    "dwm157": [("AT+CFUN?", ["+CFUN: 4"]), ("AT+CREG?", ["+CREG: 0,0"]), ("AT+CFUN=1;+CREG?", ["+CREG: 0,1"])],
}

#: By family: command lines that it refuses, and how.
REFUSED = {
    "generic": [("AT+CRSM=176,12258,0,0,10", "ERROR"), ("AT+CMGR=1", "+CMS ERROR: 321")],
    "huawei": [("AT+CCID", "COMMAND NOT SUPPORT"), ('AT+CPMS="SR"', "+CMS ERROR: 302")],
    "zte": [("AT+CPINR", "ERROR"), ("AT+CNMI=3,1", "+CMS ERROR: 303")],
    "simcom": [("AT+CNMI=2,1,0,2,0", "+CMS ERROR: 303"), ('AT+CPMS="SR"', "+CMS ERROR: 302")],
    "quectel": [("AT+CNMI=3,1,0,1,0", "+CMS ERROR: 303"), ("AT+CCID", "ERROR")],
    "sierra": [("AT+CNMI=2,1,2,1,0", "+CMS ERROR: 303")],
    "telit": [("AT+CPINR", "ERROR"), ('AT+CPMS="MT"', "+CMS ERROR: 302")],
    "ublox": [("AT+CPINR", "ERROR")],
    "cinterion": [("AT+CNMI=2,2,0,0,1", "+CMS ERROR: 303"), ('AT+CPMS="SM","SM","ME"', "+CMS ERROR: 302")],
    "wavecom": [('AT+CPMS="SM","SM","SM"', "+CMS ERROR: 302"), ('AT+CPMS="ME"', "+CMS ERROR: 302")],
    "sim7600": [("AT+CCID", "ERROR")],
    "a7670": [("AT+CNMI=2,2,0,1,0", "+CMS ERROR: 303")],
    "sim7000": [('AT+CPMS="SR"', "+CMS ERROR: 302")],
    "tc35": [('AT+CPMS="SM","SM"', "+CMS ERROR: 302"), ("AT+CMGD=1,4", "+CMS ERROR: 321")],
    "dwm157": [("AT+CUSD=1,X", "+CME ERROR: 4")],
}

#: What each says by itself: at once, when it is ready, and now and then.
SAID = {
    "generic": [],
    "huawei": ["^BOOT:20904228,0,0,0,75", "^SIMST:1", "^SRVST:2", "^MODE:5,4", "^RSSI:21"],
    "zte": ['+ZDONR: "Tocsin Sim",208,99,"CS_PS","ROAM_OFF"', '+ZPASR: "UMTS"', "+ZUSIMR:2"],
    "simcom": ["RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready", "UNDER-VOLTAGE WARNNING"],
    "quectel": ["RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"],
    "sierra": ["+PACSP0"],
    "telit": ["+CIEV: signal,3"],
    "ublox": ["+PBREADY", "+CIEV: 2,4"],
    "cinterion": ["^SYSSTART", "+CIEV: rssi,4"],
    "wavecom": ["+WIND: 1", "+WIND: 7", "+WIND: 3", "+WIND: 4"],
    "sim7600": ["RDY", "+CPIN: READY", "SMS DONE", "PB DONE", "+CSQ: 21,99", "+CNSMOD: 8"],
    "a7670": ["RDY", "SMS DONE", "PB DONE"],
    "sim7000": ["RDY", "SMS Ready"],
    "tc35": ["^SYSSTART"],
    "dwm157": [],
}
EVERY = [*SIM_PROFILES, *VARIANTS]


async def started(terminal_for: Callable, profile: str, **settings: object):
    """A terminal at a modem of this family that has said all that it says at the start."""
    terminal = terminal_for(profile=profile, start_seconds=0.001, chatter_every=0, **settings)
    await eventually(lambda: terminal.modem.station.start_up.over)
    terminal.heard()
    return terminal


@pytest.mark.parametrize("profile", EVERY)
async def test_what_a_client_sees(terminal_for, profile: str):
    terminal = await started(terminal_for, profile)
    for line, answer in SEEN[profile]:
        assert terminal.say(f"{line}\r") == [*answer, "OK"], line
    if profile not in ("generic", "dwm157"):
        assert terminal.command("AT+CRSM=176,12258,0,0,10") == [f'+CRSM: 144,0,"{FILE}"']
    assert terminal.say("AT+NOTHING\r") == [UNKNOWN.get(profile, "ERROR")]
    terminal.command("AT+CMEE=1")
    for line, result in REFUSED[profile]:
        assert terminal.say(f"{line}\r") == [result], line


@pytest.mark.parametrize("profile", EVERY)
async def test_what_it_says_by_itself(terminal_for, profile: str):
    terminal = terminal_for(profile=profile, start_seconds=0.001, chatter_every=0.002)
    heard: list[str] = []

    def all_said() -> bool:
        heard.extend(terminal.heard())
        return set(SAID[profile]) <= set(heard)

    await eventually(all_said)
    assert [line for line in heard if line in SAID[profile]][: len(SAID[profile])] == SAID[profile]
    if not SIM_PROFILES.get(profile, VARIANTS.get(profile)).chatter:  # type: ignore[union-attr]
        assert heard == SAID[profile]


def test_only_known_families_can_be_played():
    with pytest.raises(ValueError, match="'nokia' is no modem that can be played: generic, huawei"):
        SimSettings(profile="nokia")


@pytest.mark.parametrize("profile", EVERY)
async def test_a_report_by_each_way_that_it_takes(terminal_for, profile: str):
    """ds 1: handed over; ds 2: told by +CDSI and read where it says, or in SR for the family that names it wrong."""
    tpdu = SmsSubmit(tp_da=Address.from_text(ELSEWHERE), tp_ud=UserData(text="x"), tp_srr=True).to_bytes()
    for ds, name, count in ((1, "+CDS:", 2), (2, "+CDSI:", 1)):
        terminal = await started(terminal_for, profile, number=f"+3363998900{ds}")
        terminal.command("AT+CFUN=1")
        bfr = 1 if profile in ("cinterion", "tc35") else 0
        if terminal.say(f"AT+CNMI=2,1,0,{ds},{bfr}\r") != ["OK"]:
            continue
        terminal.submit(tpdu)
        said: list[str] = []
        await eventually(lambda said=said, at=terminal, count=count: said.extend(at.heard()) or len(said) == count)
        assert said[0].startswith(name)
        pdu = said[1] if ds == 1 else read_report(terminal, profile, said[0])
        octets = bytes.fromhex(pdu)
        if profile == "wavecom" and ds == 2:
            assert octets.startswith(bytes.fromhex("000000FF00"))
            assert len(octets) < 10
            continue
        assert octets[:3] == bytes.fromhex("0297F1") if profile == "zte" else octets[0] == 7
        assert SmsStatusReport.from_bytes(octets[1 + octets[0] :]).tp_ra.text == ELSEWHERE


def read_report(terminal, profile: str, told: str) -> str:
    named, index = told.removeprefix("+CDSI: ").replace('"', "").split(",")
    if profile == "quectel":
        assert (named, index) == ("SM", "0")
        assert terminal.command('AT+CPMS="SM"')
        assert terminal.command("AT+CMGR=0") == [], "an empty slot of another storage"
        named = "SR"
    terminal.command(f'AT+CPMS="{named}"')
    return terminal.command(f"AT+CMGR={index}")[1]


@pytest.mark.parametrize("profile", ["simcom", "wavecom", "sim7000"])
async def test_messages_are_refused_until_it_is_ready(terminal_for, profile: str):
    result = SIM_PROFILES.get(profile, VARIANTS.get(profile)).unready  # type: ignore[union-attr]
    terminal = terminal_for(profile=profile, start_seconds=0.02, pin="1234")
    assert "+WIND: 3" in terminal.heard() if profile == "wavecom" else "+CPIN: SIM PIN" in terminal.heard()
    assert terminal.say("AT+CMGF=0\r") == [result]
    terminal.command('AT+CPIN="1234"')
    assert terminal.say("AT+CMGF=0\r") == [result]
    await eventually(lambda: terminal.modem.station.equipment.messages_ready)
    assert terminal.heard()[-1] in ("SMS Ready", "+WIND: 4")
    terminal.command("AT+CMGF=0")


@pytest.mark.parametrize(("profile", "ends"), [("sierra", False), ("wavecom", False), ("generic", True)])
async def test_the_answer_about_the_pin_may_have_no_end(terminal_for, profile: str, ends: bool):
    terminal = await started(terminal_for, profile)
    assert terminal.say("AT+CPIN?\r") == ["+CPIN: READY", *["OK"] * ends]
    assert terminal.say("AT\r") == ["OK"], "and the next command is taken"


@pytest.mark.parametrize(("profile", "command"), [("huawei", "AT^CURC=0"), ("zte", "AT+CPMS?")])
async def test_a_command_ends_the_chatter(terminal_for, profile: str, command: str):
    terminal = terminal_for(profile=profile, chatter_every=0.001, start_seconds=0)
    chatter = SIM_PROFILES[profile].chatter[0]
    heard: list[str] = []
    await eventually(lambda: heard.extend(terminal.heard()) or heard.count(chatter) > 1)
    assert terminal.modem.station.start_up.chats
    terminal.say(f"{command}\r")
    assert not terminal.modem.station.start_up.chats


async def test_slots_begin_with_none_on_a_stick(terminal_for):
    terminal = await started(terminal_for, "huawei")
    terminal.command("AT+CNMI=2,1,0,0,0")
    terminal.modem.inject_sms(SENDER, "Hello")
    assert terminal.heard() == ['+CMTI: "SM",0']
    assert len(terminal.command("AT+CMGR=0")) == 2
    terminal.command("AT+CMGD=0")
    assert terminal.command("AT+CPMS?") == ['+CPMS: "SM",0,50,"SM",0,50,"SM",0,50']


@pytest.mark.parametrize(
    ("profile", "told"), [("huawei", '^SMMEMFULL: "SM"'), ("sim7000", "+CMTI: ,-1"), ("generic", None)]
)
async def test_a_full_storage_is_told_once(terminal_for, profile: str, told: str | None):
    terminal = await started(terminal_for, profile, sm_capacity=1)
    terminal.command("AT+CNMI=2,1,0,0,0")
    for text in ("one", "two", "three"):
        terminal.modem.inject_sms(SENDER, text)
    first = SIM_PROFILES.get(profile, VARIANTS.get(profile)).storages.first_index  # type: ignore[union-attr]
    assert terminal.heard() == [f'+CMTI: "SM",{first}', *([told] if told else [])]
    assert terminal.modem.waiting == 2
    assert terminal.command(f"AT+CMGD={first}")[0] == f'+CMTI: "SM",{first}'


async def test_the_radio_may_be_off_at_the_start(terminal_for):
    terminal = await started(terminal_for, "dwm157")
    terminal.modem.inject_sms(SENDER, "Hello")
    assert terminal.modem.waiting == 1
    terminal.command("AT+CFUN=1")
    assert terminal.modem.waiting == 0


async def test_echo_is_the_familys_unless_it_is_said(terminal_for):
    assert terminal_for(echo=None).say("AT\r") == ["AT\r", "OK"]
