"""Signatures of Standard Webhooks, and the secrets that they are made with.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: `v1,` and the base64 of
HMAC-SHA-256 over `id.timestamp.body`; while a secret is being changed, both signatures stand in the field, with a blank
between them. A secret is written `whsec_` and the base64 of its octets.

No secret is stored. Each is derived from the store's lookup key, which lies outside the store, and from whose it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeAlias

from gateway.clock import SECOND_US

#: What `Store.fingerprint` does: a keyed hash of 32 octets.
Fingerprint: TypeAlias = Callable[[str], bytes]

#: So long both secrets of an endpoint sign, from the moment of the change.
OVERLAP_US = 24 * 3600 * SECOND_US
_PREFIX = "whsec_"


def endpoint_secret(fingerprint: Fingerprint, endpoint_id: str, generation: int) -> bytes:
    """The secret of an endpoint: another one after each change."""
    return fingerprint(f"webhook/{endpoint_id}/{generation}")


def endpoint_secrets(
    fingerprint: Fingerprint, endpoint_id: str, generation: int, rotated_us: int | None, now_us: int
) -> list[bytes]:
    """Those that sign now, the new one first."""
    secrets = [endpoint_secret(fingerprint, endpoint_id, generation)]
    if rotated_us is not None and now_us < rotated_us + OVERLAP_US:
        secrets.append(endpoint_secret(fingerprint, endpoint_id, generation - 1))
    return secrets


def callback_secret(fingerprint: Fingerprint, token_id: int) -> bytes:
    """The secret with which callbacks of a token's messages are signed."""
    return fingerprint(f"callback/{token_id}")


def event_name(fingerprint: Fingerprint, event_id: int) -> str:
    """The `webhook-id` of an event: the same at each try and each endpoint, and no other store's."""
    return "evt_" + fingerprint(f"event/{event_id}").hex()[:32]


def written(secret: bytes) -> str:
    """A secret as receivers are given it."""
    return _PREFIX + base64.b64encode(secret).decode()


def signed(secrets: Sequence[bytes], name: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three header fields; `at_s` is the time of this try in seconds of Unix time."""
    content = b".".join((name.encode(), str(at_s).encode(), body))
    values = [base64.b64encode(hmac.digest(each, content, hashlib.sha256)).decode() for each in secrets]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{each}" for each in values),
    }
