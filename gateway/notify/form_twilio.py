"""Status callbacks as Twilio makes them: a form by POST, with `X-Twilio-Signature` over its URL and its fields.

Receivers check the signature with the password of the account, which here is the token, and that is not kept. So every
signature that may be needed is made when the message is accepted, while the secret is at hand, and kept with it:
`callback["news"]` has, by our status word, Twilio's word, its error code, and the signature. `callback["fixed"]` are
the fields that stay the same; the recipient's number stands with the message alone.

Twilio's documentation says what a callback holds (twilio.com/docs/messaging/guides/track-outbound-message-status), and
that the status with which a message begins is not told.
"""

from __future__ import annotations

from urllib.parse import urlencode

from gateway.message import Message
from gateway.notify.callbacks import Occasion, Request


def twilio(occasion: Occasion) -> Request | None:
    """The callback of a message's new status, None for one that Twilio has no word for."""
    message = occasion.happening.subject
    news = occasion.callback["news"].get(message.status) if isinstance(message, Message) else None
    if not isinstance(message, Message) or news is None:
        return None
    word, code, signature = news
    fields = {**occasion.callback["fixed"], "To": message.to, "MessageStatus": word, "SmsStatus": word}
    if code is not None:
        fields["ErrorCode"] = str(code)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return Request(str(occasion.callback["url"]), "POST", headers, urlencode(fields).encode())
