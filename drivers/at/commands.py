"""The command lines that a gateway sends, with the names of their answers and how long each may take.

Data and formatting only: nothing here waits or writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.at.parameters import format_parameters

# From Ctrl-Z to the result: answers after 40 s have been seen; the network's own timers end before two minutes.
SUBMIT_SECONDS = 120.0
PROMPT_SECONDS = 10.0
COMMAND_SECONDS = 5.0

# Commands that reach for the SIM, the radio or the whole storage.
_SECONDS_BY_NAME = {
    "+CPIN": 20.0,
    "+CFUN": 30.0,
    "+COPS": 30.0,
    "+CMGL": 60.0,
    "+CMGR": 15.0,
    "+CMGD": 25.0,
    "+CPMS": 20.0,
    "+CSMS": 10.0,
    "+CNMI": 10.0,
    "+CNMA": 10.0,
    "+CSCA": 10.0,
    "+CCID": 10.0,
    "^ICCID": 10.0,
    "+QCCID": 10.0,
    "+CRSM": 10.0,
}

# Reading commands that some families answer without the OK (Wavecom's successors), and how long it is waited for then.
_BARE_SECONDS = {"+CPIN?": 0.5}

# Commands that change nothing although they have no question mark.
_READING = frozenset(
    {"+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI", "+CCID", "+QCCID", "+CSQ", "+CESQ", "+CNUM", "+CRSM"}
)

_NAME = re.compile(r"AT([+^*#$%!&][A-Z0-9]+)", re.IGNORECASE)

# Modems that answer one name with another: SIMCom answers +CCID with +ICCID.
_OTHER_NAMES = {"+CCID": frozenset({"+ICCID", "^ICCID"}), "+QCCID": frozenset({"+ICCID"})}


@dataclass(frozen=True, slots=True)
class AtCommand:
    """A command line without its CR. `secret` keeps its parameters out of errors and logs; `within` is the time that
    it may take, in seconds, where that of its name does not fit; `also` are more names that its answer may bear."""

    text: str
    secret: bool = False
    within: float | None = None
    also: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The extended command (``+CMGS``), or nothing for basic ones."""
        found = _NAME.match(self.text)
        return found.group(1).upper() if found else ""

    @property
    def answers(self) -> frozenset[str]:
        """The names that information text in answer to it may bear."""
        return frozenset({self.name}) | _OTHER_NAMES.get(self.name, frozenset()) | self.also

    @property
    def only_reads(self) -> bool:
        """Whether it can be repeated without consequences, and its answer with it."""
        return ";" not in self.text and (self.text.endswith("?") or self.name in _READING)

    @property
    def seconds(self) -> float:
        """How long the final result code may take."""
        return self.within or _SECONDS_BY_NAME.get(self.name, COMMAND_SECONDS)

    @property
    def bare(self) -> float | None:
        """For a command whose final result may be missing: how many seconds it is waited for after the last line."""
        return _BARE_SECONDS.get(self.text.upper().removeprefix("AT").replace(" ", ""))

    @property
    def label(self) -> str:
        """The command as errors show it."""
        return f"AT{self.name}=…" if self.secret else self.text


ATTENTION = AtCommand("AT")
ECHO_OFF = AtCommand("ATE0")
VERBOSE_RESULTS = AtCommand("ATQ0V1")
# The answer carries its own name, so that it cannot be mistaken for an older one (TS 27.005, 3.2.3).
PROBE = AtCommand("AT+CMGF?")
# Answered by two lines where commands of one line are obeyed one after the other (V.250, 5.4.1).
PROBE_TWICE = AtCommand("AT+CMGF?;+CMGF?")
PDU_MODE = AtCommand("AT+CMGF=0")
NUMERIC_ERRORS = AtCommand("AT+CMEE=1")
FUNCTIONALITY = AtCommand("AT+CFUN?")
FULL_FUNCTIONALITY = AtCommand("AT+CFUN=1")
PIN_STATE = AtCommand("AT+CPIN?")
PHASE_2_PLUS = AtCommand("AT+CSMS=1")
MESSAGE_SERVICE = AtCommand("AT+CSMS?")
MEMORIES_KNOWN = AtCommand("AT+CPMS=?")
MEMORIES_IN_USE = AtCommand("AT+CPMS?")
INDICATIONS = AtCommand("AT+CNMI?")
ALL_MESSAGES = AtCommand("AT+CMGL=4")
UNREAD_MESSAGES = AtCommand("AT+CMGL=0")
MANUFACTURER = AtCommand("AT+CGMI")
MODEL = AtCommand("AT+CGMM")
IMEI = AtCommand("AT+CGSN")
OPERATOR_AS_NAME = AtCommand("AT+COPS=3,0")
OPERATOR = AtCommand("AT+COPS?")
SIGNAL = AtCommand("AT+CSQ")
REGISTRATION_NEWS = AtCommand("AT+CREG=1")
REGISTRATIONS = (AtCommand("AT+CREG?"), AtCommand("AT+CGREG?"), AtCommand("AT+CEREG?"))
CALLER_NEWS = AtCommand("AT+CLIP=1")
HANG_UP = (AtCommand("AT+CHUP"), AtCommand("ATH"))
SERVICE_CENTRE = AtCommand("AT+CSCA?")
CHARACTER_SET = AtCommand("AT+CSCS?")
USSD_CANCEL = AtCommand("AT+CUSD=2")
CONFIRM = AtCommand("AT+CNMA")
CONFIRM_PDU_MODE = AtCommand("AT+CNMA=0")
REJECT_PDU_MODE = AtCommand("AT+CNMA=2")

# EF-ICCID is file 2FE2 of ten octets (TS 31.102, 13); 176 is READ BINARY (TS 27.007, 8.18).
ICCID = (
    AtCommand("AT+CCID"),
    AtCommand("AT+CCID?"),
    AtCommand("AT^ICCID?"),
    AtCommand("AT+QCCID"),
    AtCommand("AT+CRSM=176,12258,0,0,10"),
)


def enter_pin(pin: str) -> AtCommand:
    """Give the SIM its PIN (TS 27.007, 8.3)."""
    return AtCommand(f"AT+CPIN={format_parameters(pin)}", secret=True)


def select_memories(*memories: str) -> AtCommand:
    """Choose mem1 (read, delete), mem2 (write, send) and mem3 (receive), as many as are given (TS 27.005, 3.2.2)."""
    return AtCommand(f"AT+CPMS={format_parameters(*memories)}")


def route_indications(*values: int) -> AtCommand:
    """mode, mt, bm, ds and bfr of +CNMI, as many as are given (TS 27.005, 3.4.1)."""
    return AtCommand(f"AT+CNMI={format_parameters(*values)}")


def read_message(index: int) -> AtCommand:
    """Read one slot of mem1 (TS 27.005, 4.2)."""
    return AtCommand(f"AT+CMGR={index}")


def delete_messages(*indices: int) -> AtCommand:
    """Free these slots of mem1 (TS 27.005, 3.5.4), several of them as commands of one line (V.250, 5.4.1)."""
    return AtCommand("AT" + ";".join(f"+CMGD={index}" for index in indices))


def begin_ussd(text: str, seconds: float) -> AtCommand:
    """Send a USSD string, 15 being the coding group "default alphabet" (TS 27.007, 7.15; TS 23.038, 5)."""
    return AtCommand(f"AT+CUSD={format_parameters(1, text, 15)}", secret=True, within=seconds)


def submit(length: int) -> AtCommand:
    """Announce a TPDU of so many octets, the service centre field not counted (TS 27.005, 4.3)."""
    return AtCommand(f"AT+CMGS={length}")


def submit_telling_mode(length: int) -> AtCommand:
    """The same by a line that has the modem say first whether it is in PDU mode: ``+CMGF: 0``, then the prompt."""
    return AtCommand(f"{PROBE.text};+CMGS={length}", also=frozenset({"+CMGS"}))
