"""Final result codes: the lines that end a command (V.250, 5.7.1; TS 27.007, 9.2; TS 27.005, 3.2.5).

A line is one of them only as a whole: a text that merely begins with ``OK`` is information text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.at.codes import CmeError, CmsError, cme_code, cms_code


class ResultKind(StrEnum):
    """The families of final result codes."""

    OK = "OK"
    ERROR = "ERROR"
    CME = "+CME ERROR"
    CMS = "+CMS ERROR"
    NO_CARRIER = "NO CARRIER"
    OTHER = "OTHER"


# Seen instead of ERROR: Huawei (COMMAND NOT SUPPORT, TOO MANY PARAMETERS), SIMCom, and the call results of V.250.
_OTHER_ERRORS = frozenset(
    {
        "COMMAND NOT SUPPORT",
        "COMMAND NOT SUPPORTED",
        "TOO MANY PARAMETERS",
        "NO DIALTONE",
        "NO ANSWER",
        "BUSY",
    }
)

_CODED = (("+CME ERROR", ResultKind.CME), ("+CMS ERROR", ResultKind.CMS))


@dataclass(frozen=True, slots=True)
class FinalResult:
    """How a command ended. `code` is the number of a CME or CMS error, None if it had none that is known."""

    kind: ResultKind
    line: str
    code: int | None = None

    @property
    def is_ok(self) -> bool:
        return self.kind is ResultKind.OK

    @property
    def cme(self) -> int | None:
        """The CME code, or None."""
        return self.code if self.kind is ResultKind.CME else None

    @property
    def cms(self) -> int | None:
        """The CMS code, or None."""
        return self.code if self.kind is ResultKind.CMS else None


OK = FinalResult(ResultKind.OK, "OK")
ERROR = FinalResult(ResultKind.ERROR, "ERROR")


def cme_result(code: CmeError, *, verbose: bool = False) -> FinalResult:
    """``+CME ERROR: <err>`` as equipment writes it, numeric or verbose (+CMEE=2)."""
    return FinalResult(ResultKind.CME, f"+CME ERROR: {code.text if verbose else code.value}", code.value)


def cms_result(code: CmsError | int, *, verbose: bool = False) -> FinalResult:
    """``+CMS ERROR: <err>`` as equipment writes it; codes without a name (512 and above) are always numeric."""
    text = code.text if verbose and isinstance(code, CmsError) else str(int(code))
    return FinalResult(ResultKind.CMS, f"+CMS ERROR: {text}", int(code))


def parse_final(line: str) -> FinalResult | None:
    """The final result code that this whole line is, or None."""
    if line == "OK":
        return OK
    if line == "ERROR":
        return ERROR
    upper = line.upper()
    for prefix, kind in _CODED:
        if upper.startswith(prefix) and (len(line) == len(prefix) or line[len(prefix)] in ": "):
            text = line[len(prefix) :].lstrip(": ")
            return FinalResult(kind, line, cme_code(text) if kind is ResultKind.CME else cms_code(text))
    if upper == "NO CARRIER":
        return FinalResult(ResultKind.NO_CARRIER, line)
    if upper in _OTHER_ERRORS:
        return FinalResult(ResultKind.OTHER, line)
    return None
