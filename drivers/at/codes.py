"""The numbers behind ``+CME ERROR`` and ``+CMS ERROR``, with their clauses and verbose texts.

Tables only; what follows from a code is decided elsewhere. The lists are those of TS 27.007, 9.2, TS 27.005, 3.2.5,
TS 24.011, annex E-2 and TS 23.040, 9.2.3.22.
"""

from __future__ import annotations

from enum import IntEnum


class _Code(IntEnum):
    """A code that knows its verbose text and the clause that defines it."""

    text: str
    clause: str

    def __new__(cls, value: int, text: str, clause: str) -> _Code:
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        member.clause = clause
        return member


_GENERAL = "TS 27.007, 9.2.1"
_GPRS = "TS 27.007, 9.2.2"
_VBS = "TS 27.007, 9.2.3"


class CmeError(_Code):
    """Mobile termination errors, ``+CME ERROR: <err>``."""

    PHONE_FAILURE = 0, "phone failure", _GENERAL
    NO_CONNECTION_TO_PHONE = 1, "no connection to phone", _GENERAL
    PHONE_ADAPTOR_LINK_RESERVED = 2, "phone-adaptor link reserved", _GENERAL
    OPERATION_NOT_ALLOWED = 3, "operation not allowed", _GENERAL
    OPERATION_NOT_SUPPORTED = 4, "operation not supported", _GENERAL
    PH_SIM_PIN_REQUIRED = 5, "PH-SIM PIN required", _GENERAL
    PH_FSIM_PIN_REQUIRED = 6, "PH-FSIM PIN required", _GENERAL
    PH_FSIM_PUK_REQUIRED = 7, "PH-FSIM PUK required", _GENERAL
    SIM_NOT_INSERTED = 10, "SIM not inserted", _GENERAL
    SIM_PIN_REQUIRED = 11, "SIM PIN required", _GENERAL
    SIM_PUK_REQUIRED = 12, "SIM PUK required", _GENERAL
    SIM_FAILURE = 13, "SIM failure", _GENERAL
    SIM_BUSY = 14, "SIM busy", _GENERAL
    SIM_WRONG = 15, "SIM wrong", _GENERAL
    INCORRECT_PASSWORD = 16, "incorrect password", _GENERAL
    SIM_PIN2_REQUIRED = 17, "SIM PIN2 required", _GENERAL
    SIM_PUK2_REQUIRED = 18, "SIM PUK2 required", _GENERAL
    MEMORY_FULL = 20, "memory full", _GENERAL
    INVALID_INDEX = 21, "invalid index", _GENERAL
    NOT_FOUND = 22, "not found", _GENERAL
    MEMORY_FAILURE = 23, "memory failure", _GENERAL
    TEXT_STRING_TOO_LONG = 24, "text string too long", _GENERAL
    INVALID_CHARACTERS_IN_TEXT_STRING = 25, "invalid characters in text string", _GENERAL
    DIAL_STRING_TOO_LONG = 26, "dial string too long", _GENERAL
    INVALID_CHARACTERS_IN_DIAL_STRING = 27, "invalid characters in dial string", _GENERAL
    NO_NETWORK_SERVICE = 30, "no network service", _GENERAL
    NETWORK_TIMEOUT = 31, "network timeout", _GENERAL
    NETWORK_NOT_ALLOWED = 32, "network not allowed - emergency calls only", _GENERAL
    NETWORK_PERSONALIZATION_PIN_REQUIRED = 40, "network personalization PIN required", _GENERAL
    NETWORK_PERSONALIZATION_PUK_REQUIRED = 41, "network personalization PUK required", _GENERAL
    NETWORK_SUBSET_PERSONALIZATION_PIN_REQUIRED = 42, "network subset personalization PIN required", _GENERAL
    NETWORK_SUBSET_PERSONALIZATION_PUK_REQUIRED = 43, "network subset personalization PUK required", _GENERAL
    SERVICE_PROVIDER_PERSONALIZATION_PIN_REQUIRED = 44, "service provider personalization PIN required", _GENERAL
    SERVICE_PROVIDER_PERSONALIZATION_PUK_REQUIRED = 45, "service provider personalization PUK required", _GENERAL
    CORPORATE_PERSONALIZATION_PIN_REQUIRED = 46, "corporate personalization PIN required", _GENERAL
    CORPORATE_PERSONALIZATION_PUK_REQUIRED = 47, "corporate personalization PUK required", _GENERAL
    HIDDEN_KEY_REQUIRED = 48, "hidden key required", _GENERAL
    EAP_METHOD_NOT_SUPPORTED = 49, "EAP method not supported", _GENERAL
    INCORRECT_PARAMETERS = 50, "Incorrect parameters", _GENERAL
    COMMAND_DISABLED = 51, "command implemented but currently disabled", _GENERAL
    COMMAND_ABORTED = 52, "command aborted by user", _GENERAL
    NOT_ATTACHED_RESTRICTED = 53, "not attached to network due to MT functionality restrictions", _GENERAL
    MODEM_NOT_ALLOWED_EMERGENCY_ONLY = 54, "modem not allowed - MT restricted to emergency calls only", _GENERAL
    OPERATION_NOT_ALLOWED_RESTRICTED = 55, "operation not allowed because of MT functionality restrictions", _GENERAL
    FIXED_DIAL_NUMBER_ONLY = 56, "fixed dial number only allowed - called number is not a fixed dial number", _GENERAL
    OUT_OF_SERVICE_OTHER_USAGE = 57, "temporarily out of service due to other MT usage", _GENERAL
    LANGUAGE_NOT_SUPPORTED = 58, "language/alphabet not supported", _GENERAL
    UNEXPECTED_DATA_VALUE = 59, "unexpected data value", _GENERAL
    SYSTEM_FAILURE = 60, "system failure", _GENERAL
    DATA_MISSING = 61, "data missing", _GENERAL
    CALL_BARRED = 62, "call barred", _GENERAL
    MESSAGE_WAITING_INDICATION_FAILURE = 63, "message waiting indication subscription failure", _GENERAL
    UNKNOWN = 100, "unknown", _GENERAL
    ILLEGAL_MS = 103, "Illegal MS", _GPRS
    ILLEGAL_ME = 106, "Illegal ME", _GPRS
    GPRS_SERVICES_NOT_ALLOWED = 107, "GPRS services not allowed", _GPRS
    GPRS_AND_NON_GPRS_SERVICES_NOT_ALLOWED = 108, "GPRS services and non-GPRS services not allowed", _GPRS
    PLMN_NOT_ALLOWED = 111, "PLMN not allowed", _GPRS
    LOCATION_AREA_NOT_ALLOWED = 112, "Location area not allowed", _GPRS
    ROAMING_NOT_ALLOWED = 113, "Roaming not allowed in this location area", _GPRS
    SERVICE_OPTION_NOT_SUPPORTED = 132, "service option not supported", _GPRS
    SERVICE_OPTION_NOT_SUBSCRIBED = 133, "requested service option not subscribed", _GPRS
    SERVICE_OPTION_OUT_OF_ORDER = 134, "service option temporarily out of order", _GPRS
    UNSPECIFIED_GPRS_ERROR = 148, "unspecified GPRS error", _GPRS
    PDP_AUTHENTICATION_FAILURE = 149, "PDP authentication failure", _GPRS
    INVALID_MOBILE_CLASS = 150, "invalid mobile class", _GPRS
    VBS_VGCS_NOT_SUPPORTED = 151, "VBS/VGCS not supported by the network", _VBS
    NO_SERVICE_SUBSCRIPTION_ON_SIM = 152, "No service subscription on SIM", _VBS


_RP = "TS 24.011, annex E-2"
_FCS = "TS 23.040, 9.2.3.22"
_CMS = "TS 27.005, 3.2.5"


class CmsError(_Code):
    """Message service failures, ``+CMS ERROR: <err>``: RP causes, TP-FCS values, and those of the equipment itself."""

    NETWORK_FAILURE = 17, "Network failure", "TS 24.011, annex E-1"
    CP_CONGESTION = 22, "Congestion", "TS 24.011, annex E-1"
    UNASSIGNED_NUMBER = 1, "Unassigned (unallocated) number", _RP
    OPERATOR_DETERMINED_BARRING = 8, "Operator determined barring", _RP
    CALL_BARRED = 10, "Call barred", _RP
    SHORT_MESSAGE_TRANSFER_REJECTED = 21, "Short message transfer rejected", _RP
    DESTINATION_OUT_OF_ORDER = 27, "Destination out of order", _RP
    UNIDENTIFIED_SUBSCRIBER = 28, "Unidentified subscriber", _RP
    FACILITY_REJECTED = 29, "Facility rejected", _RP
    UNKNOWN_SUBSCRIBER = 30, "Unknown subscriber", _RP
    NETWORK_OUT_OF_ORDER = 38, "Network out of order", _RP
    TEMPORARY_FAILURE = 41, "Temporary failure", _RP
    CONGESTION = 42, "Congestion", _RP
    RESOURCES_UNAVAILABLE = 47, "Resources unavailable, unspecified", _RP
    FACILITY_NOT_SUBSCRIBED = 50, "Requested facility not subscribed", _RP
    FACILITY_NOT_IMPLEMENTED = 69, "Requested facility not implemented", _RP
    INVALID_TRANSFER_REFERENCE = 81, "Invalid short message transfer reference value", _RP
    INVALID_MESSAGE = 95, "Invalid message, unspecified", _RP
    INVALID_MANDATORY_INFORMATION = 96, "Invalid mandatory information", _RP
    MESSAGE_TYPE_NON_EXISTENT = 97, "Message type non-existent or not implemented", _RP
    MESSAGE_NOT_COMPATIBLE = 98, "Message not compatible with short message protocol state", _RP
    INFORMATION_ELEMENT_NON_EXISTENT = 99, "Information element non-existent or not implemented", _RP
    PROTOCOL_ERROR = 111, "Protocol error, unspecified", _RP
    INTERWORKING = 127, "Interworking, unspecified", _RP

    TELEMATIC_INTERWORKING_NOT_SUPPORTED = 128, "Telematic interworking not supported", _FCS
    TYPE_0_NOT_SUPPORTED = 129, "Short message Type 0 not supported", _FCS
    CANNOT_REPLACE = 130, "Cannot replace short message", _FCS
    PID_ERROR = 143, "Unspecified TP-PID error", _FCS
    ALPHABET_NOT_SUPPORTED = 144, "Data coding scheme (alphabet) not supported", _FCS
    MESSAGE_CLASS_NOT_SUPPORTED = 145, "Message class not supported", _FCS
    DCS_ERROR = 159, "Unspecified TP-DCS error", _FCS
    COMMAND_CANNOT_BE_ACTIONED = 160, "Command cannot be actioned", _FCS
    COMMAND_UNSUPPORTED = 161, "Command unsupported", _FCS
    COMMAND_ERROR = 175, "Unspecified TP-Command error", _FCS
    TPDU_NOT_SUPPORTED = 176, "TPDU not supported", _FCS
    SC_BUSY = 192, "SC busy", _FCS
    NO_SC_SUBSCRIPTION = 193, "No SC subscription", _FCS
    SC_SYSTEM_FAILURE = 194, "SC system failure", _FCS
    INVALID_SME_ADDRESS = 195, "Invalid SME address", _FCS
    DESTINATION_SME_BARRED = 196, "Destination SME barred", _FCS
    DUPLICATE_REJECTED = 197, "SM Rejected-Duplicate SM", _FCS
    VPF_NOT_SUPPORTED = 198, "TP-VPF not supported", _FCS
    VP_NOT_SUPPORTED = 199, "TP-VP not supported", _FCS
    SIM_STORAGE_FULL = 208, "(U)SIM SMS storage full", _FCS
    NO_STORAGE_ON_SIM = 209, "No SMS storage capability in (U)SIM", _FCS
    ERROR_IN_MS = 210, "Error in MS", _FCS
    MEMORY_CAPACITY_EXCEEDED = 211, "Memory Capacity Exceeded", _FCS
    SIM_TOOLKIT_BUSY = 212, "(U)SIM Application Toolkit Busy", _FCS
    SIM_DATA_DOWNLOAD_ERROR = 213, "(U)SIM data download error", _FCS
    UNSPECIFIED_TP_ERROR = 255, "Unspecified error cause", _FCS

    ME_FAILURE = 300, "ME failure", _CMS
    SMS_SERVICE_RESERVED = 301, "SMS service of ME reserved", _CMS
    OPERATION_NOT_ALLOWED = 302, "operation not allowed", _CMS
    OPERATION_NOT_SUPPORTED = 303, "operation not supported", _CMS
    INVALID_PDU_MODE_PARAMETER = 304, "invalid PDU mode parameter", _CMS
    INVALID_TEXT_MODE_PARAMETER = 305, "invalid text mode parameter", _CMS
    SIM_NOT_INSERTED = 310, "(U)SIM not inserted", _CMS
    SIM_PIN_REQUIRED = 311, "(U)SIM PIN required", _CMS
    PH_SIM_PIN_REQUIRED = 312, "PH-(U)SIM PIN required", _CMS
    SIM_FAILURE = 313, "(U)SIM failure", _CMS
    SIM_BUSY = 314, "(U)SIM busy", _CMS
    SIM_WRONG = 315, "(U)SIM wrong", _CMS
    SIM_PUK_REQUIRED = 316, "(U)SIM PUK required", _CMS
    SIM_PIN2_REQUIRED = 317, "(U)SIM PIN2 required", _CMS
    SIM_PUK2_REQUIRED = 318, "(U)SIM PUK2 required", _CMS
    MEMORY_FAILURE = 320, "memory failure", _CMS
    INVALID_MEMORY_INDEX = 321, "invalid memory index", _CMS
    MEMORY_FULL = 322, "memory full", _CMS
    SMSC_ADDRESS_UNKNOWN = 330, "SMSC address unknown", _CMS
    NO_NETWORK_SERVICE = 331, "no network service", _CMS
    NETWORK_TIMEOUT = 332, "network timeout", _CMS
    NO_CNMA_EXPECTED = 340, "no +CNMA acknowledgement expected", _CMS
    UNKNOWN_ERROR = 500, "unknown error", _CMS


def _spelling(text: str) -> str:
    """Modems write SIM, (U)SIM or USIM, with any case: one spelling for all."""
    return " ".join(text.casefold().replace("(u)sim", "sim").replace("usim", "sim").split())


_CME_BY_TEXT = {_spelling(code.text): code for code in CmeError}
_CMS_BY_TEXT = {_spelling(code.text): code for code in CmsError}


def cme_code(text: str) -> int | None:
    """The number behind what follows ``+CME ERROR:``, numeric or verbose; None if it is neither."""
    return _number(text, _CME_BY_TEXT)


def cms_code(text: str) -> int | None:
    """The number behind what follows ``+CMS ERROR:``, numeric or verbose; None if it is neither."""
    return _number(text, _CMS_BY_TEXT)


def _number(text: str, by_text: dict[str, CmeError] | dict[str, CmsError]) -> int | None:
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= 5:
        return int(stripped)
    return by_text.get(_spelling(stripped))
