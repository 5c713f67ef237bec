"""Delivery reports as Kannel makes them: a GET of `dlr-url`, whose escape codes are filled in and percent-encoded.

The types of reports and the codes are those of Kannel's user guide (chapter 6, parameters of sms-service and delivery
reports) and of its gw/urltrans.c: `%p` is whom the message was from, `%P` whom it was for. What a code stands for and
nobody knows here is empty; a `%` before anything else stands for itself, as there. `%R`, the URL itself, is empty too:
a URL that sends a message and carries itself along would send without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote_plus

from gateway.clock import to_datetime
from gateway.message import Encoding, Message, Status
from gateway.notify.callbacks import Occasion, Request

DELIVERED, UNDELIVERED, SENT, REJECTED = 1, 2, 8, 16

#: The bit of `dlr-mask` for each status that is reported. What may have left is reported once more is known.
TYPES: Final[Mapping[Status, int]] = {
    Status.SENT: SENT,
    Status.DELIVERED: DELIVERED,
    Status.UNDELIVERED: UNDELIVERED,
    Status.FAILED: REJECTED,
    Status.EXPIRED: REJECTED,
    Status.CANCELED: REJECTED,
    Status.SUPPRESSED: REJECTED,
}
_CODE: Final = re.compile(r"%(.)", re.DOTALL)


def kannel(occasion: Occasion) -> Request | None:
    """The report of a message's new status, None for one that was not asked for."""
    message = occasion.happening.subject
    if not isinstance(message, Message):
        return None
    kind = TYPES.get(message.status, 0)
    if not kind & int(occasion.callback["mask"]):
        return None
    values = _values(occasion, message, kind)
    url = _CODE.sub(lambda code: values.get(code[1], lambda: code[0])(), str(occasion.callback["url"]))
    return Request(url, "GET")


def _values(occasion: Occasion, message: Message, kind: int) -> Mapping[str, Callable[[], str]]:
    """What each code stands for; some only while they are asked for, since `%s` takes one word after the other."""
    kept = occasion.callback
    moment = to_datetime(occasion.happening.at_us)
    said = _answer(message, kind, moment)
    words = iter(said.split())
    ucs2 = message.encoding is Encoding.UCS2
    sender = str(kept.get("from") or "")
    plain = {
        "d": str(kind),
        "A": said,
        "a": said,
        "p": sender,
        "q": _with_plus(sender),
        "P": message.to,
        "Q": message.to,
        "T": str(int(moment.timestamp())),
        "i": message.modem or "",
        "F": message.id,
        "I": "-".join((message.id[:8], message.id[8:12], message.id[12:16], message.id[16:20], message.id[20:])),
        "n": str(kept.get("service") or ""),
        "o": str(kept.get("account") or ""),
        "D": str(kept.get("meta") or ""),
        "c": "2" if ucs2 else "0",
        "C": "UTF-16BE" if ucs2 else "UTF-8",
        "O": "08" if ucs2 else "00",
        "m": "0" if kept.get("flash") else "-1",
        **dict.fromkeys("fuBMR", ""),
    }
    filled = {name: _constant(quote_plus(value, safe="")) for name, value in plain.items()}
    return filled | {
        "t": _constant(f"{moment:%Y-%m-%d+%H:%M:%S}"),
        "%": _constant("%"),
        "k": lambda: quote_plus(next(iter(said.split()), "")),
        "s": lambda: quote_plus(next(words, "")),
        "S": lambda: quote_plus(next(words, "")),
        "r": lambda: _rest(words),
    }


def _constant(value: str) -> Callable[[], str]:
    return lambda: value


def _rest(words: Iterator[str]) -> str:
    return "+".join(quote_plus(word) for word in words)


def _with_plus(number: str) -> str:
    return "+" + number[2:] if number.startswith("00") else number


def _answer(message: Message, kind: int, moment: datetime) -> str:
    """What Kannel shows as the answer of the service centre: of a report, in the form that SMPP describes (v3.4,
    appendix B), which is what programs look into."""
    if kind == SENT:
        return "ACK/"
    if kind == REJECTED:
        return f"NACK/{message.error_code or message.status}"
    arrived = kind == DELIVERED
    return (
        f"id:{message.id} sub:001 dlvrd:{'001' if arrived else '000'} submit date:{_stamp(message)} "
        f"done date:{moment:%y%m%d%H%M} stat:{'DELIVRD' if arrived else 'UNDELIV'} err:000 text:"
    )


def _stamp(message: Message) -> str:
    return f"{to_datetime(message.sent_us or message.created_us):%y%m%d%H%M}"
