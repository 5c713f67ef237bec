"""The text of a concatenated message from its parts. Which parts belong together is decided elsewhere."""

from collections.abc import Sequence
from itertools import groupby

from drivers.tpdu.data_coding import Alphabet, DataCoding
from drivers.tpdu.deliver import SmsDeliver
from drivers.tpdu.submit import SmsSubmit
from drivers.tpdu.user_data import content_of
from drivers.tpdu.user_data_header import languages_of

Part = SmsDeliver | SmsSubmit


def join_text(parts: Sequence[Part]) -> str:
    """The text of decoded `parts` in their order; octets that are no text add nothing.

    Neighbours in one alphabet are joined before they become characters: an escape sequence or a surrogate pair that
    the sender has cut between two parts is read as what it was.
    """
    return "".join(_text(list(neighbours)) for _, neighbours in groupby(parts, _coding))


def _coding(part: Part) -> tuple[Alphabet, bool, tuple[int, int]]:
    coding = part.data_coding
    languages = languages_of(part.tp_ud.udh) if coding.packed else (0, 0)
    return coding.alphabet, coding.compressed, languages


def _text(parts: list[Part]) -> str:
    if any(part.tp_ud.text and not part.tp_ud.units for part in parts):  # made by us, never sent
        return "".join(part.tp_ud.text or "" for part in parts)
    units = b"".join(part.tp_ud.units for part in parts)
    coding: DataCoding = parts[0].data_coding
    return content_of(units, parts[0].tp_ud.udh, coding)[0] or ""
