"""What an answer after Ctrl-Z says about the message: a table from code to class.

The classes decide whether a message may be sent again, so they lean to caution: what is not known for certain is
`AMBIGUOUS`. Codes 27 and 38 are there because modems also use them for trouble of the lower layers; a number without a
name may mean anything. Sources: TS 24.011, annex E-2 (what each RP cause means), TS 23.040, 9.2.3.22, TS 27.005, 3.2.5.
"""

from __future__ import annotations

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


_C = CmsError

CMS_CLASSES: dict[int, SubmitClass] = {
    _C.UNASSIGNED_NUMBER: SubmitClass.REFUSED_PERMANENT,
    _C.OPERATOR_DETERMINED_BARRING: SubmitClass.REFUSED_PERMANENT,
    _C.CALL_BARRED: SubmitClass.REFUSED_PERMANENT,
    _C.SHORT_MESSAGE_TRANSFER_REJECTED: SubmitClass.REFUSED_ONCE,
    _C.UNIDENTIFIED_SUBSCRIBER: SubmitClass.REFUSED_PERMANENT,
    _C.FACILITY_REJECTED: SubmitClass.REFUSED_PERMANENT,
    _C.UNKNOWN_SUBSCRIBER: SubmitClass.REFUSED_PERMANENT,
    _C.FACILITY_NOT_SUBSCRIBED: SubmitClass.REFUSED_PERMANENT,
    _C.FACILITY_NOT_IMPLEMENTED: SubmitClass.REFUSED_PERMANENT,
    _C.INVALID_TRANSFER_REFERENCE: SubmitClass.REFUSED_PERMANENT,
    _C.INVALID_MESSAGE: SubmitClass.REFUSED_PERMANENT,
    _C.INVALID_MANDATORY_INFORMATION: SubmitClass.REFUSED_PERMANENT,
    _C.MESSAGE_TYPE_NON_EXISTENT: SubmitClass.REFUSED_PERMANENT,
    _C.MESSAGE_NOT_COMPATIBLE: SubmitClass.REFUSED_PERMANENT,
    _C.INFORMATION_ELEMENT_NON_EXISTENT: SubmitClass.REFUSED_PERMANENT,
    _C.PROTOCOL_ERROR: SubmitClass.REFUSED_PERMANENT,
    _C.INTERWORKING: SubmitClass.REFUSED_PERMANENT,
    _C.NETWORK_FAILURE: SubmitClass.REFUSED_TEMPORARY,
    _C.CP_CONGESTION: SubmitClass.REFUSED_TEMPORARY,
    _C.TEMPORARY_FAILURE: SubmitClass.REFUSED_TEMPORARY,
    _C.CONGESTION: SubmitClass.REFUSED_TEMPORARY,
    _C.RESOURCES_UNAVAILABLE: SubmitClass.REFUSED_TEMPORARY,
    _C.TELEMATIC_INTERWORKING_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.TYPE_0_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.CANNOT_REPLACE: SubmitClass.REFUSED_PERMANENT,
    _C.PID_ERROR: SubmitClass.REFUSED_PERMANENT,
    _C.ALPHABET_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.MESSAGE_CLASS_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.DCS_ERROR: SubmitClass.REFUSED_PERMANENT,
    _C.COMMAND_CANNOT_BE_ACTIONED: SubmitClass.REFUSED_PERMANENT,
    _C.COMMAND_UNSUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.COMMAND_ERROR: SubmitClass.REFUSED_PERMANENT,
    _C.TPDU_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.SC_BUSY: SubmitClass.REFUSED_TEMPORARY,
    _C.NO_SC_SUBSCRIPTION: SubmitClass.REFUSED_PERMANENT,
    _C.SC_SYSTEM_FAILURE: SubmitClass.REFUSED_TEMPORARY,
    _C.INVALID_SME_ADDRESS: SubmitClass.REFUSED_PERMANENT,
    _C.DESTINATION_SME_BARRED: SubmitClass.REFUSED_PERMANENT,
    _C.DUPLICATE_REJECTED: SubmitClass.SENT,
    _C.VPF_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.VP_NOT_SUPPORTED: SubmitClass.REFUSED_PERMANENT,
    _C.INVALID_PDU_MODE_PARAMETER: SubmitClass.OUR_FAULT,
    _C.INVALID_TEXT_MODE_PARAMETER: SubmitClass.OUR_FAULT,
    _C.OPERATION_NOT_ALLOWED: SubmitClass.LOCAL,
    _C.OPERATION_NOT_SUPPORTED: SubmitClass.LOCAL,
    _C.SIM_NOT_INSERTED: SubmitClass.LOCAL,
    _C.SIM_PIN_REQUIRED: SubmitClass.LOCAL,
    _C.PH_SIM_PIN_REQUIRED: SubmitClass.LOCAL,
    _C.SIM_FAILURE: SubmitClass.LOCAL,
    _C.SIM_BUSY: SubmitClass.LOCAL,
    _C.SIM_WRONG: SubmitClass.LOCAL,
    _C.SIM_PUK_REQUIRED: SubmitClass.LOCAL,
    _C.SIM_PIN2_REQUIRED: SubmitClass.LOCAL,
    _C.SIM_PUK2_REQUIRED: SubmitClass.LOCAL,
    _C.MEMORY_FAILURE: SubmitClass.LOCAL,
    _C.INVALID_MEMORY_INDEX: SubmitClass.LOCAL,
    _C.MEMORY_FULL: SubmitClass.LOCAL,
    _C.SMSC_ADDRESS_UNKNOWN: SubmitClass.LOCAL,
    _C.NO_NETWORK_SERVICE: SubmitClass.LOCAL,
}

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
        return CMS_CLASSES.get(result.cms, SubmitClass.AMBIGUOUS)
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
