"""What is particular to each family of modems, as data: chosen by what +CGMI and +CGMM say, generic where nothing fits.

Nothing here is needed to send. What a profile adds is optional and may fail; what a modem says of itself by its answers
comes first. The numbers in brackets are the sources at the end of docs/reference/modems.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType

from drivers.at.commands import ICCID

# mode, mt, bm, ds, bfr. Messages stored and told (mt 1) before messages handed over (mt 2): what is stored survives us.
# Reports handed over (ds 1) before reports stored and told (ds 2): families announce a slot where no report is. [1][10]
ROUTINGS: tuple[tuple[int, ...], ...] = (
    (2, 1, 2, 1, 0),
    (2, 1, 0, 1, 0),
    (1, 1, 0, 1, 0),
    (2, 1, 0, 1, 1),
    (1, 1, 0, 1, 1),
    (2, 1, 2, 2, 0),
    (2, 1, 0, 2, 0),
    (1, 1, 0, 2),
    (2, 1, 0, 2, 1),
    (2, 2, 0, 1, 0),
    (2, 1, 2, 0, 0),
    (2, 1, 0, 0, 0),
    (2, 1, 0, 0, 1),
    (1, 1, 0, 0, 0),
    (1, 1, 0, 0, 1),
    (2, 1),
    (2, 2, 0, 0, 0),
    (1, 2, 0, 0, 0),
    (2, 0, 0, 2, 1),
)


# The USB interface in the names that udev gives a serial port (…-if02-port0) and in usb:1-1.4:1.2.
_INTERFACE = re.compile(r"-if(\d\d)|^usb:.*:\d+\.(\d+)$")


class UssdForm(Enum):
    """How a modem writes the text of a USSD dialogue in the default alphabet (TS 27.007, 7.15)."""

    PLAIN = auto()
    """As text in the terminal's character set: what the clause asks for."""
    PACKED = auto()
    """As hexadecimal octets of packed septets (TS 23.038, 6.1.2.3)."""
    UCS2 = auto()
    """As hexadecimal UCS-2, because that is the character set that it is left in."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One family. Commands are written without CR; of a step of several, the first that is taken is kept."""

    name: str
    #: Steps after identification; none of them has to succeed.
    start_up: tuple[tuple[str, ...], ...] = ()
    #: By the USB interface that the port is: where to have news told; "" stands for a port that tells no interface.
    news_to: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: +CNMI settings in the order in which they are tried.
    routings: tuple[tuple[int, ...], ...] = ROUTINGS
    #: How the news begins by which it says that messages can be read and sent now: in capitals, without quotes.
    ready: tuple[str, ...] = ()
    #: How long after its start it may refuse whatever is about messages, in seconds.
    ready_seconds: float = 6.0
    #: Commands that start it anew; the first that is taken ends the opening.
    reset: tuple[str, ...] = ("AT+CFUN=1,1", "AT+CFUN=16")
    radio_off: tuple[str, ...] = ("AT+CFUN=4", "AT+CFUN=0")
    radio_on: tuple[str, ...] = ("AT+CFUN=1",)
    #: How many memories +CPMS is given when the one to receive into is chosen, in the order of trying.
    memories: tuple[int, ...] = (3, 2, 1)
    #: Whether +CMGL can be asked; else every slot is read.
    lists: bool = True
    #: Whether a told slot of a report is one of SR, whatever memory is named.
    reports_in_sr: bool = False
    #: Whether reports read from a memory may be cut down to an octet that says "delivered".
    cuts_reports: bool = False
    iccid: tuple[str, ...] = tuple(command.text for command in ICCID)
    ussd: UssdForm = UssdForm.PLAIN
    #: Stretches the deadlines of commands, for families that are slow.
    patience: float = 1.0
    #: How the news begins that the SIM has gone, come or is another; its number is read again then.
    sim_news: tuple[str, ...] = ("+CPIN",)

    def tells_sim(self, line: str) -> bool:
        """Whether this news is about the SIM."""
        return line.upper().startswith(self.sim_news)

    def tells_ready(self, line: str) -> bool:
        """Whether this news says that messages can be read and sent from now on."""
        return bool(self.ready) and line.upper().replace('"', "").startswith(self.ready)

    def news_steps(self, port: str) -> tuple[str, ...]:
        """The commands, of which one is enough, that bring news to the interface that `port` names."""
        found = _INTERFACE.search(port)
        interface = str(int(found.group(1) or found.group(2))) if found else ""
        steps = dict(self.news_to)
        return steps.get(interface, steps.get("", ()))


GENERIC = Profile("generic")
_ALL = (
    GENERIC,
    Profile(
        "huawei",
        # The noise may fill the buffers of ports that nobody reads, and crash the stick. [1][4]
        start_up=(("AT^CURC=0",),),
        reset=("AT^RESET", "AT+CFUN=1,1", "AT+CFUN=16"),
        iccid=("AT^ICCID?", "AT+CCID?", "AT+CRSM=176,12258,0,0,10"),
        ussd=UssdForm.PACKED,
        sim_news=("+CPIN", "^SIMST"),
    ),
    Profile(
        "zte",
        # Leave the mode of a CD drive, and be on line. [4]
        start_up=(("AT+ZCDRUN=8",), ("AT+ZOPRT=5",)),
        iccid=("AT+ZGETICCID", "AT+CCID", "AT+CRSM=176,12258,0,0,10"),
        # No news of the SIM is known. +ZUSIMR is told every second or two until +CPMS is asked, and means no more. [4]
    ),
    Profile(
        "simcom",
        # SIM800 and SIM900 say SMS Ready, SIM7000 and later SMS DONE; +CMGF may fail until then. [8][15][22]
        ready=("SMS READY", "SMS DONE"),
        ready_seconds=30.0,
    ),
    Profile(
        "quectel",
        news_to=(
            ("", ('AT+QURCCFG="urcport","all"', 'AT+QURCCFG="urcport","usbat"')),
            ("2", ('AT+QURCCFG="urcport","usbat"',)),
            ("3", ('AT+QURCCFG="urcport","usbmodem"',)),
        ),
        # Told only on request: one indication of many. [29]
        start_up=(('AT+QINDCFG="smsfull",1',), ("AT+QSIMSTAT=1",)),
        ready=("+QIND: SMS DONE",),
        ready_seconds=20.0,
        reports_in_sr=True,
        iccid=("AT+QCCID", "AT+CCID", "AT+CRSM=176,12258,0,0,10"),
        sim_news=("+CPIN", "+QUSIM", "+QSIMSTAT"),
    ),
    Profile(
        "sierra",
        reset=("AT!RESET", "AT+CFUN=1,1"),
        radio_on=("AT+CFUN=1,0", "AT+CFUN=1"),  # [1]
        iccid=("AT!ICCID?", "AT+CCID", "AT+CRSM=176,12258,0,0,10"),
    ),
    Profile(
        "telit",
        start_up=(("AT#QSS=1",),),
        reset=("AT#REBOOT", "AT+CFUN=1,1"),
        iccid=("AT#CCID", "AT+CCID", "AT+CRSM=176,12258,0,0,10"),
        sim_news=("+CPIN", "#QSS"),
    ),
    Profile("ublox", ready=("+PBREADY",), ready_seconds=20.0, reset=("AT+CFUN=16", "AT+CFUN=1,1")),
    Profile(
        "cinterion",
        # News of the SIM, and of a full memory: ^SMGO. [1][30]
        start_up=(("AT^SCKS=1",), ("AT^SMGO=1",)),
        iccid=("AT^SCID", "AT+CCID", "AT+CRSM=176,12258,0,0,10"),
        sim_news=("+CPIN", "^SCKS"),
    ),
    Profile(
        "wavecom",
        # +WIND: 0 SIM out, 1 SIM in, 4 everything can be asked. [31]
        start_up=(("AT+WIND=15",),),
        ready=("+WIND: 4",),
        ready_seconds=20.0,
        cuts_reports=True,  # [3]
        sim_news=("+CPIN", "+WIND: 0", "+WIND: 1"),
    ),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _ALL})

# What +CGMI says, in the order of asking: a later name may stand in an earlier family's answer.
_MANUFACTURERS = (
    ("huawei", r"huawei"),
    ("zte", r"\bzte\b"),
    ("simcom", r"simcom|sim tech"),
    ("quectel", r"quectel"),
    # The modules that Sierra took over speak as they did before.
    ("wavecom", r"wavecom|multi-?tech|\bSL80\d\d"),
    ("sierra", r"sierra"),
    ("telit", r"telit"),
    ("ublox", r"u-?blox"),
    ("cinterion", r"cinterion|siemens|gemalto|thales"),
)

# Models that differ from their family, by what +CGMM says.
_MODELS = (
    # +CMGL hangs after some time. [4][18]
    (r"^E175[02]", replace(PROFILES["huawei"], lists=False)),
    # Slow to take a line. [3]
    (r"^(MC60|M55)", replace(PROFILES["cinterion"], patience=2.0)),
    # One memory is what it takes. [3]
    (r"^MC35", replace(PROFILES["cinterion"], memories=(1, 2, 3))),
)


def profile_of(manufacturer: str | None, model: str | None) -> Profile:
    """The profile of a modem that says so of itself; the generic one for all that is unknown."""
    said = f"{manufacturer or ''} {model or ''}"
    name = next((name for name, words in _MANUFACTURERS if re.search(words, said, re.IGNORECASE)), GENERIC.name)
    models = (found for words, found in _MODELS if found.name == name and re.search(words, model or "", re.IGNORECASE))
    return next(models, PROFILES[name])
