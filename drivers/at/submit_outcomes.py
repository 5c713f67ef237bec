"""What an answer after Ctrl-Z says about the message: a table of rules, each with its clause.

The classes decide whether a message may be sent again, so they lean to caution: what is not known for certain is
`AMBIGUOUS`. Codes 27 and 38 are there because modems also use them for trouble of the lower layers; a number without a
name may mean anything. Sources: TS 24.011, annex E-2 (what each RP cause means), TS 23.040, 9.2.3.22, TS 27.005, 3.2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from drivers.at.codes import CmeError, CmsError
from drivers.at.results import FinalResult


class SubmitClass(Enum):
    """What became of the message."""

    SENT = auto()
    """The network has it."""
    REFUSED_PERMANENT = auto()
    """The network will never take it."""
    REFUSED_ONCE = auto()
    """The network refused; one more try is worth it."""
    REFUSED_TEMPORARY = auto()
    """The network refused for now."""
    OUR_FAULT = auto()
    """The modem could not read what we gave it; it never left."""
    LOCAL = auto()
    """The modem or its SIM is in no state to send; it never left."""
    AMBIGUOUS = auto()
    """It may have left."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What some codes say of a message, the clause that makes it so, and why where the clause leaves it open."""

    kind: SubmitClass
    clause: str
    codes: tuple[CmsError, ...]
    why: str = ""


_C = CmsError
_E1 = "TS 24.011, annex E-1"
_E2 = "TS 24.011, annex E-2"
_FCS = "TS 23.040, 9.2.3.22"
_CMS = "TS 27.005, 3.2.5"

RULES: tuple[Rule, ...] = (
    Rule(SubmitClass.SENT, _FCS, (_C.DUPLICATE_REJECTED,), "the service centre holds this message already"),
    Rule(
        SubmitClass.REFUSED_PERMANENT,
        _E2,
        (
            _C.UNASSIGNED_NUMBER,
            _C.OPERATOR_DETERMINED_BARRING,
            _C.CALL_BARRED,
            _C.UNIDENTIFIED_SUBSCRIBER,
            _C.FACILITY_REJECTED,
            _C.UNKNOWN_SUBSCRIBER,
            _C.FACILITY_NOT_SUBSCRIBED,
            _C.FACILITY_NOT_IMPLEMENTED,
        ),
    ),
    Rule(
        SubmitClass.REFUSED_PERMANENT,
        _E2,
        (
            _C.INVALID_TRANSFER_REFERENCE,
            _C.INVALID_MESSAGE,
            _C.INVALID_MANDATORY_INFORMATION,
            _C.MESSAGE_TYPE_NON_EXISTENT,
            _C.MESSAGE_NOT_COMPATIBLE,
            _C.INFORMATION_ELEMENT_NON_EXISTENT,
            _C.PROTOCOL_ERROR,
            _C.INTERWORKING,
        ),
        "an RP-ERROR: the network has read the message and turned it down",
    ),
    Rule(SubmitClass.REFUSED_ONCE, _E2, (_C.SHORT_MESSAGE_TRANSFER_REJECTED,), "it may be taken the next time"),
    Rule(SubmitClass.REFUSED_TEMPORARY, _E2, (_C.TEMPORARY_FAILURE, _C.CONGESTION, _C.RESOURCES_UNAVAILABLE)),
    Rule(SubmitClass.REFUSED_TEMPORARY, _E1, (_C.NETWORK_FAILURE, _C.CP_CONGESTION), "no CP-ACK: nothing was taken"),
    Rule(
        SubmitClass.REFUSED_PERMANENT,
        _FCS,
        (
            _C.TELEMATIC_INTERWORKING_NOT_SUPPORTED,
            _C.TYPE_0_NOT_SUPPORTED,
            _C.CANNOT_REPLACE,
            _C.PID_ERROR,
            _C.ALPHABET_NOT_SUPPORTED,
            _C.MESSAGE_CLASS_NOT_SUPPORTED,
            _C.DCS_ERROR,
            _C.COMMAND_CANNOT_BE_ACTIONED,
            _C.COMMAND_UNSUPPORTED,
            _C.COMMAND_ERROR,
            _C.TPDU_NOT_SUPPORTED,
            _C.NO_SC_SUBSCRIPTION,
            _C.INVALID_SME_ADDRESS,
            _C.DESTINATION_SME_BARRED,
            _C.VPF_NOT_SUPPORTED,
            _C.VP_NOT_SUPPORTED,
        ),
    ),
    Rule(SubmitClass.REFUSED_TEMPORARY, _FCS, (_C.SC_BUSY, _C.SC_SYSTEM_FAILURE)),
    Rule(SubmitClass.OUR_FAULT, _CMS, (_C.INVALID_PDU_MODE_PARAMETER, _C.INVALID_TEXT_MODE_PARAMETER)),
    Rule(
        SubmitClass.LOCAL,
        _CMS,
        (
            _C.OPERATION_NOT_ALLOWED,
            _C.OPERATION_NOT_SUPPORTED,
            _C.SIM_NOT_INSERTED,
            _C.SIM_PIN_REQUIRED,
            _C.PH_SIM_PIN_REQUIRED,
            _C.SIM_FAILURE,
            _C.SIM_BUSY,
            _C.SIM_WRONG,
            _C.SIM_PUK_REQUIRED,
            _C.SIM_PIN2_REQUIRED,
            _C.SIM_PUK2_REQUIRED,
            _C.MEMORY_FAILURE,
            _C.INVALID_MEMORY_INDEX,
            _C.MEMORY_FULL,
            _C.SMSC_ADDRESS_UNKNOWN,
            _C.NO_NETWORK_SERVICE,
        ),
    ),
    Rule(
        SubmitClass.AMBIGUOUS,
        _E2,
        (_C.DESTINATION_OUT_OF_ORDER, _C.NETWORK_OUT_OF_ORDER),
        "modems say so of trouble in the lower layers too, when the message may have gone",
    ),
    Rule(
        SubmitClass.AMBIGUOUS,
        _CMS,
        (_C.ME_FAILURE, _C.SMS_SERVICE_RESERVED, _C.NETWORK_TIMEOUT, _C.NO_CNMA_EXPECTED, _C.UNKNOWN_ERROR),
        "it says nothing of where the message is",
    ),
    Rule(
        SubmitClass.AMBIGUOUS,
        _FCS,
        (
            _C.SIM_STORAGE_FULL,
            _C.NO_STORAGE_ON_SIM,
            _C.ERROR_IN_MS,
            _C.MEMORY_CAPACITY_EXCEEDED,
            _C.SIM_TOOLKIT_BUSY,
            _C.SIM_DATA_DOWNLOAD_ERROR,
            _C.UNSPECIFIED_TP_ERROR,
        ),
        "causes of a delivery, not of a submit",
    ),
)
#: A number without a name, those of the manufacturer from 512 on among them.
UNNAMED = Rule(SubmitClass.AMBIGUOUS, _CMS, (), "it may mean anything")

_RULES = {int(code): rule for rule in RULES for code in rule.codes}


def rule_of(code: int) -> Rule:
    """The rule of a message service failure."""
    return _RULES.get(code, UNNAMED)


# Some modems answer +CMGS with the codes of TS 27.007; those that speak of the SIM or of a missing network are clear.
CME_CLASSES: dict[int, SubmitClass] = {
    CmeError.SIM_NOT_INSERTED: SubmitClass.LOCAL,
    CmeError.SIM_PIN_REQUIRED: SubmitClass.LOCAL,
    CmeError.SIM_PUK_REQUIRED: SubmitClass.LOCAL,
    CmeError.SIM_FAILURE: SubmitClass.LOCAL,
    CmeError.SIM_BUSY: SubmitClass.LOCAL,
    CmeError.SIM_WRONG: SubmitClass.LOCAL,
    CmeError.NO_NETWORK_SERVICE: SubmitClass.LOCAL,
    CmeError.NETWORK_NOT_ALLOWED: SubmitClass.LOCAL,
}


def class_of(result: FinalResult) -> SubmitClass:
    """The class of a final result code other than OK that came after Ctrl-Z."""
    if result.cms is not None:
        return rule_of(result.cms).kind
    if result.cme is not None:
        return CME_CLASSES.get(result.cme, SubmitClass.AMBIGUOUS)
    return SubmitClass.AMBIGUOUS


def word_of(result: FinalResult) -> str:
    """The stable word of a final result code: ``cms_21``, ``cme_10``, ``bare_ok``, ``error``."""
    if result.cms is not None:
        return f"cms_{int(result.cms)}"
    if result.cme is not None:
        return f"cme_{int(result.cme)}"
    return "bare_ok" if result.is_ok else "error"
