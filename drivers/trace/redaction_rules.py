"""Which parameters of which command or answer may be shown: the table behind `redaction`."""

from __future__ import annotations

import re
from enum import Enum, auto

from drivers.trace.placeholders import Placeholders, filled, zeroed


class Rule(Enum):
    """What becomes of the parameters that bear one name."""

    SHOWN = auto()
    """Words and codes; only long runs of digits are replaced."""
    DEFAULT = auto()
    """Small numbers and a few known words stay; numbers are replaced, texts filled."""
    PLACE = auto()
    """As SHOWN, but what is quoted names a place (area, cell) and is blanked."""
    NUMBER = auto()
    """An identity: digits are replaced wherever they stand."""
    TEXT = auto()
    """A text from the second parameter on."""
    SECRET = auto()
    """A PIN or password: blanked, always."""


_PLACES = ("+CREG", "+CGREG", "+CEREG", "+C5GREG")
_IDENTITIES = ("+CGSN", "+GSN", "+CIMI", "+CCID", "+ICCID", "^ICCID", "+QCCID", "+CNUM", "+CSCA", "+CRSM")
_SHOWN = (
    # TS 27.005 and 27.007
    "+CSQ +CESQ +CPIN +CPMS +CNMI +CSMS +CMGF +CFUN +COPS +CMEE +CMTI +CDSI +CSCS +CSMP +CPINR +CMMS +CMGD +CMGS "
    "+CNMA +CGMI +CGMM +CGMR +GMI +GMM +GMR +GCAP +CRC +CRING +CLIP? +CIND +CMER +CIEV +CTZV +CTZR +CCLK +CGATT +CPAS "
    "+CEER +CSCB +CBMI +CLCK "
    # what families say by themselves, and ask
    "^RSSI ^RSSILVL ^HRSSILVL ^HCSQ ^LTERSRP ^BOOT ^MODE ^SRVST ^SIMST ^STIN ^DSFLOWRPT ^CSNR ^SYSINFO ^SYSINFOEX "
    "^CPIN ^CURC ^SYSSTART ^SHUTDOWN ^SCKS ^SSET ^SMMEMFULL ^PORTSEL ^SYSCFG ^CARDMODE ^CARDLOCK ^RESET ^CEND ^CONF "
    "^ORIG ^CONN ^SPIC +ZUSIMR +ZPASR +ZDONR +ZPSTM +ZEND +ZCDRUN +ZOPRT +ZPINPUK +QIND +QINDCFG +QUSIM +QSIMSTAT "
    "+QLWURC +QURCCFG +QPINC +QTONEDET +QCFG +WIND +CPINC +PACSP +CNSMOD +NITZ +SPIC +UPINCNT #QSS #PCT #REBOOT "
    "+PBREADY +UCALLSTAT"
)
_RULES: dict[str, Rule] = {
    **dict.fromkeys(_SHOWN.split(), Rule.SHOWN),
    **dict.fromkeys(_PLACES, Rule.PLACE),
    **dict.fromkeys(_IDENTITIES, Rule.NUMBER),
    "+CUSD": Rule.TEXT,
}
# Set by a command of any family whose name says so: +CPIN, +CPWD, +CLCK, ^CPIN, +ZPINPUK…
_SECRET_NAMES = re.compile(r"PIN|PUK|PWD|LCK|LOCK|PASS")

_TOKEN = re.compile(r'"[^"]*"?|[0-9]+|[A-Za-z_]+|.', re.DOTALL)
_LONG = re.compile(r"[0-9]{7,}")
_TIME = re.compile(r"[0-9]{2,4}/[0-9]{2}/[0-9]{2}(?:,[0-9:]{5,8}(?:[+-][0-9]{2})?)?")
_NUMBER = re.compile(r"[+]?[0-9*#]+F?", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){2,}")
_WIDE = 4
# Memories, statuses, alphabets, facilities and other words that messages and calls are described with.
_WORDS = frozenset(
    {
        *("SM", "ME", "MT", "SR", "BM", "TA", "SC", "P2", "AO", "GSM", "IRA", "UCS2", "HEX", "PCCP437", "8859-1"),
        *("REC READ", "REC UNREAD", "STO SENT", "STO UNSENT", "ALL", "READY", "IP", "IPV6", "IPV4V6", "csq", "VOICE"),
        *("AT", "OK", "ON", "OFF", "DATA", "FAX", "LTE", "WCDMA", "GPRS", "EDGE", "NOSERVICE", "SMS", "CALL"),
    }
)
_SMALL = 4
_FACILITY = 2


def rule_of(name: str, *, command: bool = False) -> Rule:
    """The rule of a name; what a command sets may be a secret where its answer is none."""
    if command and _SECRET_NAMES.search(name):
        return Rule.SECRET
    return _RULES.get(name, Rule.DEFAULT)


def redact_parameters(body: str, rule: Rule, placeholders: Placeholders) -> str:
    """What stands behind a name, of the same length."""
    if rule is Rule.TEXT:
        return _spoken(body, placeholders)
    return "".join(_token(found.group(), rule, placeholders) for found in _TOKEN.finditer(body))


def _token(token: str, rule: Rule, placeholders: Placeholders) -> str:
    if token.startswith('"'):
        inner = token[1:].removesuffix('"')
        return token[:1] + _quoted(inner, rule, placeholders) + token[1 + len(inner) :]
    match rule:
        case Rule.SECRET:
            return zeroed(token) if len(token) > 1 and token[0].isalnum() else token
        case Rule.SHOWN | Rule.PLACE:
            return placeholders.digits(token) if _LONG.fullmatch(token) else token
        case _:
            return _word(token, rule, placeholders)


def _word(token: str, rule: Rule, placeholders: Placeholders) -> str:
    if token[0].isdigit():
        small = _SMALL if rule is Rule.DEFAULT else _SMALL + 1
        return token if len(token) <= small else placeholders.digits(token)
    # The nibble that fills an odd number up is no word.
    shown = token in _WORDS or (token in {"F", "f"} and rule is Rule.NUMBER) or not (token.isalpha() or "_" in token)
    return token if shown and token.isascii() else filled(token)


def _quoted(inner: str, rule: Rule, placeholders: Placeholders) -> str:
    if rule is Rule.SECRET:
        return inner if len(inner) == _FACILITY and inner.isupper() else zeroed(inner)
    if rule is Rule.PLACE:
        return zeroed(inner)
    if rule is Rule.SHOWN:
        return _LONG.sub(lambda found: placeholders.digits(found.group()), inner)
    if inner in _WORDS or _TIME.fullmatch(inner):
        return inner
    if _NUMBER.fullmatch(inner):
        return placeholders.number(inner.rstrip("Ff")) + inner[len(inner.rstrip("Ff")) :]
    return zeroed(inner) if _HEX.fullmatch(inner) else filled(inner)


def _spoken(body: str, placeholders: Placeholders) -> str:
    """``<m>[,<str>[,<dcs>]]`` of +CUSD (27.007, 7.15); the text may hold commas and want its quotes."""
    mode, comma, rest = body.partition(",")
    if not mode.strip().isdigit():
        return filled(body)
    text, behind = rest, ""
    found = re.fullmatch(r"(.*?)(,\s*[0-9]{1,3})", rest, re.DOTALL)
    if found is not None:
        text, behind = found.groups()
    inner = text.strip('"')
    start = text.find(inner) if inner else 0
    return mode + comma + text[:start] + _said(inner, placeholders) + text[start + len(inner) :] + behind


def _said(text: str, placeholders: Placeholders) -> str:
    if _NUMBER.fullmatch(text):
        return placeholders.number(text)
    if _HEX.fullmatch(text):
        unit = "0078" if len(text) % _WIDE == 0 else "78"
        return (unit * len(text))[: len(text)]
    return filled(text)
