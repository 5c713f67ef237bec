"""Webhooks as SMSGate sends them: a JSON object, with `X-Signature` over body and timestamp.

Events, fields and the signature are those of SMSGate's documentation (docs.sms-gate.app, features/webhooks): the
hexadecimal HMAC-SHA256 with the signing key over the body and then the value of `X-Timestamp`. The key is the
endpoint's secret, as it is written.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

from gateway.clock import rfc3339
from gateway.message import InboxItem, Message
from gateway.notify.callbacks import Occasion, Request
from gateway.notify.signature import written

#: The types of our events that each of SMSGate's stands for.
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sms:sent": ("message.sent",),
    "sms:delivered": ("message.delivered",),
    "sms:failed": ("message.failed", "message.undelivered", "message.expired", "message.suppressed"),
    "sms:cancelled": ("message.canceled",),
    "sms:received": ("inbound.received",),
}
_NAMES: Final = {kind: event for event, kinds in EVENTS.items() for kind in kinds}
_MOMENTS: Final = {"sms:sent": "sentAt", "sms:delivered": "deliveredAt", "sms:failed": "failedAt"}
#: Before an id that a client gave, where an endpoint's description stands.
NAMED: Final = "SMSGate: "
#: SMSGate's ids have 36 characters at most; a longer reference is none of its ids.
_ID_MOST: Final = 36


def webhook_id(endpoint_id: str, description: str | None) -> str:
    """The id that the client gave, which stands in the endpoint's description; else the endpoint's own."""
    told = description or ""
    return told.removeprefix(NAMED) if told.startswith(NAMED) else endpoint_id


def smsgate(occasion: Occasion) -> Request | None:
    """The webhook of an event, None for one that SMSGate has no word for."""
    happening = occasion.happening
    event, subject = _NAMES.get(happening.type), happening.subject
    if event is None or not isinstance(subject, Message | InboxItem):
        return None
    moment = rfc3339(happening.at_us)
    payload = _received(subject) if isinstance(subject, InboxItem) else _status(subject, event, moment)
    document = {
        "deviceId": subject.modem or "tocsin",
        "event": event,
        "id": occasion.name,
        "payload": payload,
        "webhookId": webhook_id(str(occasion.callback["webhook"]), occasion.callback.get("description")),
    }
    body, at = json.dumps(document).encode(), str(occasion.at_s)
    signature = hmac.digest(written(occasion.secret).encode(), body + at.encode(), hashlib.sha256).hex()
    headers = {"Content-Type": "application/json", "X-Signature": signature, "X-Timestamp": at}
    return Request(str(occasion.callback["url"]), "POST", headers, body)


def _status(message: Message, event: str, moment: str) -> dict[str, object]:
    reference = message.reference
    payload: dict[str, object] = {
        "messageId": reference if reference and len(reference) <= _ID_MOST else message.id,
        "phoneNumber": message.to,
        "recipient": message.to,
        "sender": None,
        "simNumber": None,
        _MOMENTS.get(event, "cancelledAt"): moment,
    }
    if event == "sms:failed":
        payload["reason"] = message.error_message or message.error_code or message.status
    return payload


def _received(item: InboxItem) -> dict[str, object]:
    return {
        "messageId": item.id,
        "message": item.text or "",
        "phoneNumber": item.sender,
        "sender": item.sender,
        "recipient": None,
        "simNumber": None,
        "receivedAt": rfc3339(item.received_us),
    }
