"""Makes the requests that tell of a happening, in the form that the receiver asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from gateway.clock import SECOND_US
from gateway.notify import signature
from gateway.notify.callbacks import Occasion, Request
from gateway.notify.forms import FORMS
from gateway.notify.happenings import Happening
from gateway.requests import STANDARD, WebhookView
from gateway.store.database import Store

#: Makes the body of a happening.
Render: TypeAlias = Callable[[Happening], bytes]


def endpoint_news(
    store: Store, endpoint: WebhookView, happening: Happening, now_us: int, render: Render
) -> Request | None:
    """What tells an endpoint; None where its form would say nothing."""
    name, body = signature.event_name(store.fingerprint, happening.id), render(happening)
    if endpoint.form == STANDARD:
        return endpoint_request(store, endpoint, name, now_us, body)
    kept = {"url": endpoint.url, "webhook": endpoint.id, "description": endpoint.description}
    secret = signature.endpoint_secret(store.fingerprint, endpoint.id, endpoint.generation)
    form = FORMS.get(endpoint.form)
    return form and form(Occasion(happening, kept, name, secret, now_us // SECOND_US, body))


def callback_request(store: Store, happening: Happening, now_us: int, render: Render) -> Request | None:
    """What tells the URL that a message came with; None where its form would say nothing."""
    if happening.callback is None:
        return None
    name, body = signature.event_name(store.fingerprint, happening.id), render(happening)
    callback: Mapping[str, Any] = json.loads(happening.callback)
    secret = signature.callback_secret(store.fingerprint, happening.token_id or 0)
    form = FORMS.get(callback["form"])
    return form and form(Occasion(happening, callback, name, secret, now_us // SECOND_US, body))


def endpoint_request(store: Store, endpoint: WebhookView, name: str, now_us: int, body: bytes) -> Request:
    """An event for an endpoint, signed with each secret that is in force."""
    secrets = signature.endpoint_secrets(
        store.fingerprint, endpoint.id, endpoint.generation, endpoint.rotated_us, now_us
    )
    fields = signature.signed(secrets, name, now_us // SECOND_US, body)
    return Request(endpoint.url, "POST", {"Content-Type": "application/json", **fields}, body)
