"""From a segmentation to the SMS-SUBMITs that carry it."""

from datetime import timedelta
from typing import Literal

from drivers.tpdu.address import Address
from drivers.tpdu.data_coding import dcs_of
from drivers.tpdu.errors import TpduError
from drivers.tpdu.segmentation import Segmentation
from drivers.tpdu.submit import SmsSubmit
from drivers.tpdu.user_data import UserData
from drivers.tpdu.user_data_header import Concatenation, InformationElement
from drivers.tpdu.validity import RelativeValidity


def build_submits(
    segmentation: Segmentation,
    destination: Address,
    *,
    reference: int,
    bits: Literal[8, 16] = 8,
    validity: timedelta | None = None,
    status_report: bool = True,
    message_class: int | None = None,
) -> tuple[SmsSubmit, ...]:
    """One SMS-SUBMIT a part, TP-MR 0.

    `reference` ties the parts together and is used where there are several. `validity` becomes the relative format
    (never longer than asked, but at least 5 minutes); without it the service centre decides. `message_class` is 0
    (flash) to 3. TpduError for a number out of range, and where `bits` is more than the segmentation was cut for.
    """
    if message_class not in (None, 0, 1, 2, 3):
        raise TpduError("TP-DCS", 0, "needs a message class from 0 to 3")
    if bits > segmentation.bits:
        raise TpduError("TP-UDH", 0, "the text was cut for a reference of 8 bits")
    tp_vp = None if validity is None else RelativeValidity.from_timedelta(validity)
    tp_dcs = dcs_of(segmentation.alphabet, message_class)
    return tuple(
        SmsSubmit(destination, UserData(text, udh=udh), tp_dcs=tp_dcs, tp_vp=tp_vp, tp_srr=status_report)
        for text, udh in zip(segmentation.parts, _headers(segmentation, reference, bits), strict=True)
    )


def _headers(segmentation: Segmentation, reference: int, bits: Literal[8, 16]) -> list[tuple[InformationElement, ...]]:
    total = len(segmentation.parts)
    if total == 1:
        return [segmentation.language_elements]
    return [
        (Concatenation(reference, total, sequence, bits).to_element(), *segmentation.language_elements)
        for sequence in range(1, total + 1)
    ]
