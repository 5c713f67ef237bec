"""The public vectors on which python-gsmmodem-new reads something else than we do, and why.

Decision 2 stands on this table and shows it; both have to be the same as what the two codecs do today.
"""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.tpdu_vectors import VECTORS, with_smsc
from support.tree import ROOT

from drivers.tpdu import describe

PAGE = ROOT / "docs" / "decisions" / "0002-python-gsmmodem.md"

SECTION_SIGN = "0x5F read as a backtick instead of `§`"
FIRST_LETTER = "first letter lost behind a header of seven octets"
DATA_AS_TEXT = "8-bit data read as text"
GROUP_F_DATA = "8-bit data of the coding group 1111 read as 7-bit text"
CUT_OFF = "cut off, yet read as if it were whole"
NO_HEADER = "TP-UDHI without a header, yet read"
STOP_ITERATION = "cut off: `StopIteration`, which asyncio takes for the end of a coroutine"
OTHER_ERROR = "cut off: an error of another kind, about a date"
ENHANCED = "enhanced validity read as user data"
DIGIT = "the digit 1011 is `#`, not `b`"

DIFFERENT = {
    "mm-pdu1": SECTION_SIGN,
    "mm-pdu3_8bit": DATA_AS_TEXT,
    "mm-pdu_dcsf_8bit": GROUP_F_DATA,
    "mm-pdu_udhi": FIRST_LETTER,
    "mm-pdu_insufficient_data": CUT_OFF,
    "mm-pdu_no_address": OTHER_ERROR,
    "mm-pdu_wrong_address_size": STOP_ITERATION,
    "mm-pdu_wrong_user_data_elements_size": NO_HEADER,
    "mm-pdu_wrong_udh": STOP_ITERATION,
    "node-pdu-09": FIRST_LETTER,
    "node-pdu-10": FIRST_LETTER,
    "node-pdu-11": FIRST_LETTER,
    "node-pdu-12": FIRST_LETTER,
    "node-pdu-13": FIRST_LETTER,
    "node-pdu-14": FIRST_LETTER,
    "node-pdu-15": FIRST_LETTER,
    "node-pdu-18": "first letter lost behind a header of 21 octets",
    "xlab-submit-enhanced-vp-seconds": ENHANCED,
    "xlab-submit-enhanced-vp-relative": ENHANCED,
    "pymsg-submit-8bit": DATA_AS_TEXT,
    "gsmmodem-submit-8bit": DATA_AS_TEXT,
    "gsmmodem-udl-too-long": "TP-UDL counts more octets than there are: read all the same",
    "gsmmodem-zte-sr": DIGIT,
    "warthog-underflow-ud": CUT_OFF,
    "warthog-underflow-smsc": STOP_ITERATION,
}


@pytest.fixture(scope="module")
def gsmmodem() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it compiles with SyntaxWarnings
        return pytest.importorskip("gsmmodem.pdu", reason="install the package python-gsmmodem-new to run it")


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return value.isoformat() if isinstance(value, datetime) else value


def _theirs(gsmmodem: Any, digits: str) -> dict[str, Any] | str:
    """What it reads, under our names; "refused" for its own error and the name of any other error."""
    names = {"number": "address", "time": "timestamp", "discharge": "discharge_timestamp"}
    try:
        read = gsmmodem.decodeSmsPdu(digits)
    except gsmmodem.EncodingError:
        return "refused"
    except (ValueError, StopIteration, IndexError, TypeError) as error:
        return type(error).__name__
    compared = ("type", "smsc", "number", "text", "time", "discharge", "reference", "status", "validity")
    record = {names.get(key, key): _plain(read[key]) for key in compared if key in read}
    parts = [element for element in read.get("udh", []) if isinstance(element, gsmmodem.Concatenation)]
    if parts:
        record["concat"] = (parts[0].reference, parts[0].parts, parts[0].number)
    return record


def _ours(digits: str) -> dict[str, Any] | str:
    try:
        record = describe(bytes.fromhex(digits))
    except ValueError:
        return "refused"
    concat = record["concat"]
    return record | {"concat": concat and (concat["reference"], concat["total"], concat["sequence"])}


def _differ(gsmmodem: Any, digits: str) -> bool:
    theirs, ours = _theirs(gsmmodem, digits), _ours(digits)
    if isinstance(theirs, str) or isinstance(ours, str):
        return theirs != ours
    return any(ours[key] != value for key, value in theirs.items()) or ("concat" in theirs) is (ours["concat"] is None)


def test_the_vectors_on_which_we_differ(gsmmodem: Any):
    compared = [vector for vector in VECTORS if vector["use"] != "encode-address"]
    different = {vector["id"] for vector in compared if _differ(gsmmodem, with_smsc(vector))}
    assert different == set(DIFFERENT)
    assert len(compared) == 120


def test_the_decision_shows_them():
    rows = [f"| `{name}` | {why} |" for name, why in DIFFERENT.items()]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == rows
