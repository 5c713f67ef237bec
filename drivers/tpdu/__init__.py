"""SMS transfer-layer PDUs (3GPP TS 23.040, 23.038): octets ↔ frozen values, text ↔ parts.

Pure: no clock, no file, no socket. Every TPDU has `from_bytes` and `to_bytes`; TpduError is the only error of both.
"""

from drivers.tpdu.address import Address, NumberingPlan, TypeOfNumber, join_smsc, split_smsc
from drivers.tpdu.command import CommandType, SmsCommand
from drivers.tpdu.data_coding import Alphabet, CodingGroup, DataCoding, MessageWaiting, WaitingKind, dcs_of
from drivers.tpdu.decoding import Origin, Tpdu, decode
from drivers.tpdu.deliver import SmsDeliver
from drivers.tpdu.deliver_report import SmsDeliverReport
from drivers.tpdu.description import describe
from drivers.tpdu.errors import TpduError
from drivers.tpdu.languages import Language
from drivers.tpdu.reassembly import join_text
from drivers.tpdu.segmentation import Segmentation, segment
from drivers.tpdu.status import StatusOutcome, outcome_of, reason_of
from drivers.tpdu.status_report import SmsStatusReport
from drivers.tpdu.submission import build_submits
from drivers.tpdu.submit import SmsSubmit
from drivers.tpdu.submit_report import SmsSubmitReport
from drivers.tpdu.timestamp import TimeStamp
from drivers.tpdu.user_data import UserData
from drivers.tpdu.user_data_header import Concatenation, ElementIdentifier, InformationElement
from drivers.tpdu.validity import AbsoluteValidity, EnhancedValidity, RelativeValidity, Validity

__all__ = [
    "AbsoluteValidity",
    "Address",
    "Alphabet",
    "CodingGroup",
    "CommandType",
    "Concatenation",
    "DataCoding",
    "ElementIdentifier",
    "EnhancedValidity",
    "InformationElement",
    "Language",
    "MessageWaiting",
    "NumberingPlan",
    "Origin",
    "RelativeValidity",
    "Segmentation",
    "SmsCommand",
    "SmsDeliver",
    "SmsDeliverReport",
    "SmsStatusReport",
    "SmsSubmit",
    "SmsSubmitReport",
    "StatusOutcome",
    "TimeStamp",
    "Tpdu",
    "TpduError",
    "TypeOfNumber",
    "UserData",
    "Validity",
    "WaitingKind",
    "build_submits",
    "dcs_of",
    "decode",
    "describe",
    "join_smsc",
    "join_text",
    "outcome_of",
    "reason_of",
    "segment",
    "split_smsc",
]
