"""The families of modems that can be played, each by one of its models.

The figures are what such modems were seen to answer, by the projects that have to talk to them: ModemManager (plugins),
ofono (drivers), gammu (atgen), SMS Server Tools (manual, faq), asterisk-chan-dongle, python-gsmmodem, and the reports
of their users. Where nothing could be found, the standard's behaviour is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from drivers.at.codes import CmeError
from drivers.at.equipment_grammar import Form
from drivers.sim.profile import Asked, Calls, Routing, SimProfile, Storages, UssdForm, own_commands, ranges

GENERIC = SimProfile(
    name="generic",
    manufacturer="Tocsin",
    model="Simulated modem",
    revision="1.0",
    identification=(
        "Manufacturer: Tocsin",
        "Model: Simulated modem",
        "Revision: 1.0",
        "IMEI: {imei}",
        "+GCAP: +CGSM,+FCLASS",
    ),
    asked=(
        Asked("+CCID", Form.EXECUTE, ("+CCID: {iccid}",)),
        Asked("+CCID", Form.READ, ("+CCID: {iccid}",)),
        Asked("^ICCID", Form.READ, ("^ICCID: {iccid}",)),
        Asked("+CPINR", Form.EXECUTE, ("+CPINR: SIM PIN,{pin},3", "+CPINR: SIM PUK,{puk},10")),
    ),
    accepted=("^CURC",),
)

_QUALCOMM = (("ME", "MT", "SM", "SR"),) * 3

HUAWEI = SimProfile(
    name="huawei",
    manufacturer="huawei",
    model="E173",
    revision="11.126.15.00.209",
    identification=(
        "Manufacturer: huawei",
        "Model: E173",
        "Revision: 11.126.15.00.209",
        "IMEI: {imei}",
        "+GCAP: +CGSM,+DS,+ES",
    ),
    capabilities="+GCAP: +CGSM,+DS,+ES",
    boot=("^BOOT:20904228,0,0,0,75",),
    ready=("^SIMST:1", "^SRVST:2", "^MODE:5,4"),
    chatter=(
        "^RSSI:21",
        "^BOOT:20904228,0,0,0,75",
        '^HCSQ:"WCDMA",45,40,30',
        "^CSNR:-82,-11",
        "^DSFLOWRPT:00000000,00000000,00000000,00000000,00000000,00000000,00000000",
    ),
    silenced_by="^CURC",
    sim_out=("^SIMST:255",),
    sim_in=("^SIMST:1",),
    sim_absent=CmeError.SIM_FAILURE,
    storages=Storages(
        sizes={"SM": 50, "ME": 23},
        first_index=0,
        known=(("SM", "ME"),) * 3,
        reports="",
        full=('^SMMEMFULL: "{memory}"',),
    ),
    routing=Routing("(0-2),(0-3),(0,2),(0-2),(0,1)", ranges("012", "0123", "02", "012", "01")),
    unknown="COMMAND NOT SUPPORT",
    asked=own_commands(
        Asked("^ICCID", Form.READ, ("^ICCID: {iccid}",)),
        Asked("^CPIN", Form.READ, ("^CPIN: {word},,{puk},{pin},10,3",)),
        Asked("^SYSINFO", Form.EXECUTE, ("^SYSINFO:2,3,0,5,{sim},,4",), of_sim=False),
        Asked("^GETPORTMODE", Form.EXECUTE, ("^GETPORTMODE:TYPE:WCDMA:huawei,MDM:0,DIAG:1,PCUI:2",), of_sim=False),
    ),
    accepted=("^CURC", "^PORTSEL", "^U2DIAG", "^DSFLOWRPT"),
    resets=("^RESET", "+CFUN=1,1", "+CFUN=16"),
    port_leaves=True,
    ussd=UssdForm.PACKED,
    ussd_unknown=2,
    calls=Calls(lost=("^CEND:1,0,104,31", "NO CARRIER"), rejected=("^CEND:1,0,104,21",)),
)

ZTE = SimProfile(
    name="zte",
    manufacturer="ZTE INCORPORATED",
    model="MF190",
    revision="BD_MF190V1.0.0B05",
    identification=(
        "Manufacturer: ZTE INCORPORATED",
        "Model: MF190",
        "Revision: BD_MF190V1.0.0B05",
        "IMEI: {imei}",
        "+GCAP: +CGSM,+DS,+ES",
    ),
    capabilities="+GCAP: +CGSM,+DS,+ES",
    ready=('+ZDONR: "Tocsin Sim",208,99,"CS_PS","ROAM_OFF"', '+ZPASR: "UMTS"'),
    chatter=("+ZUSIMR:2",),
    silenced_by="+CPMS",
    storages=Storages(sizes={"SM": 50, "ME": 100, "SR": 50}, known=(("SM", "ME", "SR"), ("SM", "ME"), ("SM", "ME"))),
    routing=Routing("(0-2),(0-3),(0,2),(0-2),(0,1)", ranges("012", "0123", "02", "012", "01")),
    report_centre=bytes.fromhex("0297F1"),
    asked=own_commands(
        Asked("+ZGETICCID", Form.EXECUTE, ("+ZGETICCID: {iccid}",)),
        Asked("+ZPINPUK", Form.TEST, ("+ZPINPUK: {pin},{puk}",)),
    ),
    accepted=("+ZCDRUN", "+ZOPRT", "+ZSNT"),
    resets=("+ZRST", "+CFUN=1,1"),
    port_leaves=True,
    ussd=UssdForm.UCS2,
    calls=Calls(lost=("+ZEND", "NO CARRIER")),
)

SIMCOM = SimProfile(
    name="simcom",
    manufacturer="SIMCOM_Ltd",
    model="SIMCOM_SIM800L",
    revision="Revision:1418B05SIM800L24",
    identification=("SIM800 R14.18",),
    capabilities="+GCAP: +CGSM",
    boot=("RDY", "+CFUN: 1"),
    ready=("+CPIN: READY", "Call Ready", "SMS Ready"),
    unready="ERROR",
    chatter=("UNDER-VOLTAGE WARNNING",),
    sim_out=("+CPIN: NOT READY",),
    sim_needs_radio=True,
    storages=Storages(sizes={"SM": 50, "ME": 50}, known=(("SM", "ME", "MT"),) * 3, reports=None),
    routing=Routing("(0-3),(0-3),(0,2),(0,1),(0,1)", ranges("0123", "0123", "02", "01", "01"), first=(2, 1, 0, 0, 0)),
    asked=own_commands(
        Asked("+CCID", Form.EXECUTE, ("{iccid}",)),
        Asked("+SPIC", Form.EXECUTE, ("+SPIC: {pin},{puk},3,10",)),
        Asked("+CSMINS", Form.READ, ("+CSMINS: 0,{sim}",), of_sim=False),
    ),
    resets=("+CFUN=1,1",),
    ussd_answer='+CUSD: {m}, "{text}", {dcs}',
    calls=Calls(caller='+CLIP: "{number}",{type},"",0,"",0'),
)

QUECTEL = SimProfile(
    name="quectel",
    manufacturer="Quectel",
    model="EC25",
    revision="EC25EFAR06A06M4G",
    identification=("Quectel", "EC25", "Revision: EC25EFAR06A06M4G"),
    capabilities="+GCAP: +CGSM",
    boot=("RDY",),
    ready=("+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"),
    chatter=('+QIND: "csq",21,99', '+QIND: "act","LTE"'),
    sim_out=("+CPIN: NOT READY",),
    sim_in=("+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE", "+QIND: PB DONE"),
    storages=Storages(
        sizes={"SM": 50, "ME": 255, "SR": 50},
        first_index=0,
        known=_QUALCOMM,
        first=("ME", "ME", "ME"),
        told_report=("SM", 0),
    ),
    routing=Routing("(0-2),(0-3),(0,2),(0-2),(0,1)", ranges("012", "0123", "02", "012", "01"), first=(2, 1, 0, 0, 0)),
    asked=own_commands(
        Asked("+QCCID", Form.EXECUTE, ("+QCCID: {iccid}",)),
        Asked("+QPINC", Form.READ, ('+QPINC: "SC",{pin},{puk}', '+QPINC: "P2",3,10')),
        Asked("+QPINC", Form.SET, ('+QPINC: "SC",{pin},{puk}',)),
        Asked("+QSIMSTAT", Form.READ, ("+QSIMSTAT: 0,{sim}",), of_sim=False),
    ),
    accepted=("+QURCCFG", "+QINDCFG"),
    empty_slot_is_ok=True,
    resets=("+CFUN=1,1",),
    port_leaves=True,
    calls=Calls(caller='+CLIP: "{number}",{type},,,,0'),
)

SIERRA = SimProfile(
    name="sierra",
    manufacturer="Sierra Wireless, Incorporated",
    model="MC7455",
    revision="SWI9X30C_02.24.05.06 r7040 CARMD-EV-FRMWR2 2017/05/19 06:23:09",
    identification=(
        "Manufacturer: Sierra Wireless, Incorporated",
        "Model: MC7455",
        "Revision: SWI9X30C_02.24.05.06 r7040 CARMD-EV-FRMWR2 2017/05/19 06:23:09",
        "IMEI: {imei}",
        "IMEI SV: 12",
        "FSN: LQ000000000000",
        "+GCAP: +CGSM",
    ),
    capabilities="+GCAP: +CGSM",
    boot=("+PACSP0",),
    chatter=("+PACSP0", "+PACSP1"),
    storages=Storages(sizes={"SM": 50, "ME": 99, "SR": 50}, first_index=0, known=_QUALCOMM, first=("ME", "ME", "ME")),
    # Of Qualcomm's firmware: the claim has ds 1, the setting is refused.
    routing=Routing("(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)", ranges("012", "0123", "02", "02", "01")),
    asked=own_commands(
        Asked("!ICCID", Form.READ, ("!ICCID: {iccid}",)),
        Asked("+ICCID", Form.READ, ("+ICCID: {iccid}",)),
        Asked("+CPINC", Form.READ, ("+CPINC: {pin}, 3, {puk}, 10",)),
    ),
    pin_answer_ends=False,
    resets=("!RESET", "+CFUN=1,1"),
    port_leaves=True,
)

TELIT = SimProfile(
    name="telit",
    manufacturer="Telit",
    model="HE910",
    revision="12.00.006",
    identification=("332",),
    capabilities="+GCAP: +CGSM,+DS,+FCLASS,+MS,+ES",
    chatter=("+CIEV: signal,3", "+CIEV: rssi,4"),
    sim_out=("#QSS: 0",),
    sim_in=("#QSS: 1",),
    sim_news="#QSS",
    storages=Storages(
        sizes={"SM": 50, "ME": 99, "SR": 20}, known=(("SM", "ME", "SR"), ("SM", "ME", "SR"), ("SM", "ME"))
    ),
    routing=Routing("(0-2),(0-3),(0,2,3),(0-2),(0,1)", ranges("012", "0123", "023", "012", "01")),
    asked=own_commands(
        Asked("#CCID", Form.EXECUTE, ("#CCID: {iccid}",)),
        Asked("#PCT", Form.EXECUTE, ("#PCT: {tries}",)),
        Asked("#QSS", Form.READ, ("#QSS: 0,{sim}",), of_sim=False),
    ),
    accepted=("#QSS", "#SIMDET"),
    resets=("#REBOOT", "+CFUN=1,1"),
    port_leaves=True,
    ussd=UssdForm.GSM,
    calls=Calls(caller='+CLIP: "{number}",{type},"",128,"",0'),
)

UBLOX = SimProfile(
    name="ublox",
    manufacturer="u-blox",
    model="SARA-U201",
    revision="23.60",
    identification=("SARA-U201-03B-00",),
    capabilities="+GCAP: +FCLASS, +CGSM",
    ready=("+PBREADY",),
    chatter=("+CIEV: 2,4", "+CIEV: 2,3"),
    storages=Storages(
        sizes={"SM": 50, "ME": 100, "SR": 20},
        known=(("ME", "MT", "SM", "SR"), ("ME", "MT", "SM"), ("ME", "MT", "SM")),
        first=("ME", "ME", "ME"),
    ),
    routing=Routing("(0-2),(0-3),(0-3),(0-2),(0,1)", ranges("012", "0123", "0123", "012", "01")),
    asked=own_commands(
        Asked("+CCID", Form.EXECUTE, ("+CCID: {iccid}",)),
        Asked("+CCID", Form.READ, ("+CCID: {iccid}",)),
        Asked("+UPINCNT", Form.EXECUTE, ("+UPINCNT: {pin},3,{puk},10",)),
    ),
    accepted=("+UCALLSTAT", "+CMER"),
    resets=("+CFUN=16", "+CFUN=1,1"),
    port_leaves=True,
    calls=Calls(ring=("+UCALLSTAT: 1,4",), lost=("+UCALLSTAT: 1,6", "NO CARRIER"), rejected=("+UCALLSTAT: 1,6",)),
)

CINTERION = SimProfile(
    name="cinterion",
    manufacturer="Cinterion",
    model="MC75i",
    revision="REVISION 04.001",
    identification=("Cinterion", "MC75i", "REVISION 04.001"),
    capabilities="+GCAP: +CGSM,+FCLASS",
    boot=("^SYSSTART",),
    chatter=("+CIEV: rssi,4", "+CIEV: simlocal,1"),
    sim_out=("^SCKS: 0",),
    sim_in=("^SCKS: 1",),
    sim_news="^SCKS",
    storages=Storages(
        sizes={"SM": 20, "ME": 25},
        known=(("ME", "SM", "MT"), ("ME", "SM", "MT"), ("SM", "MT")),
        first=("ME", "ME", "SM"),
        reports="",
    ),
    routing=Routing("(0-3),(0,1),(0,2,3),(0,2),(1)", ranges("0123", "01", "023", "02", "1"), first=(0, 0, 0, 0, 1)),
    asked=own_commands(
        Asked("^SCID", Form.EXECUTE, ("^SCID: {iccid}",)),
        Asked("^SPIC", Form.EXECUTE, ("^SPIC: {tries}",)),
        Asked("^SCKS", Form.READ, ("^SCKS: 0,{sim}",), of_sim=False),
    ),
    accepted=("^SCKS", "^SSMSS"),
    resets=("+CFUN=1,1",),
)

WAVECOM = SimProfile(
    name="wavecom",
    manufacturer=" WAVECOM MODEM",
    model=" MULTIBAND  900E  1800",
    revision="657e09gg.Q2406B 1679592 062608 14:22",
    identification=(" WAVECOM MODEM", " MULTIBAND  900E  1800"),
    capabilities="+GCAP: +CGSM,+FCLASS",
    boot=("+WIND: 1", "+WIND: 7", "+WIND: 3"),
    ready=("+WIND: 4",),
    unready="+CME ERROR: 515",
    chatter=("+WIND: 8", "+WIND: 7"),
    sim_out=("+WIND: 0",),
    sim_in=("+WIND: 1",),
    storages=Storages(
        sizes={"SM": 20, "SR": 20},
        known=(("SM", "SR"), ("SM",), ("SM",)),
        shown='(("SM","BM","SR"),("SM"))',
        values=2,
    ),
    routing=Routing("(0-2),(0-3),(0,2,3),(0-2),(0,1)", ranges("012", "0123", "023", "012", "01")),
    report_cut=bytes.fromhex("000000FF00"),
    asked=own_commands(
        Asked("+CCID", Form.EXECUTE, ('+CCID: "{iccid}"',)),
        Asked("+CCID", Form.READ, ('+CCID: "{iccid}"',)),
        Asked("+CPINC", Form.EXECUTE, ("+CPINC: {pin},3,{puk},10",)),
    ),
    accepted=("+WIND", "+WHCNF"),
    pin_answer_ends=False,
    resets=("+CFUN=1,1",),
    calls=Calls(lost=("NO CARRIER", "+WIND: 6,1"), rejected=("+WIND: 6,1",)),
)

#: By the names that `SimSettings.profile` takes, in the order of `--profile all`.
SIM_PROFILES: Mapping[str, SimProfile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (GENERIC, HUAWEI, ZTE, SIMCOM, QUECTEL, SIERRA, TELIT, UBLOX, CINTERION, WAVECOM)
    }
)
