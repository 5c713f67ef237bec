"""Webhooks: endpoints that are told of events, and what has still to be told to them."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Iterator, Sequence

from sqlalchemy import Connection

from gateway.clock import Clock, rfc3339
from gateway.errors import Conflict, FieldError, InvalidRequest, NotFound
from gateway.ids import IdSource
from gateway.notify import signature
from gateway.notify.courier import Answer
from gateway.notify.event_types import EVERY, TEST, complaint
from gateway.notify.form_smsgate import EVENTS as SMSGATE_EVENTS
from gateway.notify.form_smsgate import NAMED as SMSGATE_NAMED
from gateway.notify.form_smsgate import webhook_id as smsgate_webhook_id
from gateway.notify.notifier import Notifier
from gateway.notify.reach import OutOfReach
from gateway.notify.requesting import endpoint_request
from gateway.requests import STANDARD, DeliveryView, Page, Principal, WebhookView
from gateway.services.visibility import refuse_test
from gateway.store import deliveries, webhooks
from gateway.store.database import Store

__all__ = ["SMSGATE_EVENTS", "SMSGATE_NAMED", "Webhooks", "smsgate_webhook_id"]

#: More endpoints than this nobody has; each costs a row for each event.
MOST_ENDPOINTS = 50
MOST_TYPES, MAX_DESCRIPTION = 64, 255
# What one transaction of a replay brings back.
_REVIVED = 100
# An endpoint is told of everybody.
_LIVE = "has nothing to do with endpoints; its callbacks tell of its own messages"


class Webhooks:
    """Endpoints of an admin's, and the secret of a token's callbacks."""

    def __init__(self, store: Store, clock: Clock, ids: IdSource, notifier: Notifier) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._notifier = notifier

    def tasks(self) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
        """What runs while the gateway does."""
        return self._notifier.tasks()

    async def list(self, principal: Principal) -> Sequence[WebhookView]:
        """Every endpoint, newest first."""
        del principal  # the scope of the route is all that is asked
        return await self._store.read(webhooks.every)

    async def get(self, principal: Principal, endpoint_id: str) -> WebhookView:
        """One endpoint."""
        del principal  # as above
        return _there(await self._store.read(lambda connection: webhooks.get(connection, endpoint_id)))

    async def create(
        self,
        principal: Principal,
        url: str,
        types: Sequence[str] | None = None,
        description: str | None = None,
        *,
        form: str = STANDARD,
    ) -> tuple[WebhookView, str]:
        """Make an endpoint; with its secret. It is told of what happens from now on, in this form."""
        refuse_test(principal, _LIVE)
        checked = await self._checked(url, types, description)
        now_us = self._clock.now_us()
        made = WebhookView(
            id=self._ids.new(),
            url=checked or url,
            types=tuple(dict.fromkeys(types or (EVERY,))),
            description=description,
            created_us=now_us,
            since_us=now_us,
            form=form,
        )

        def work(connection: Connection) -> None:
            if len(webhooks.every(connection)) >= MOST_ENDPOINTS:
                raise Conflict("too_many_webhooks", f"there are {MOST_ENDPOINTS} endpoints already, which is the most")
            webhooks.add(connection, made, followed=self._notifier.follows_callbacks)

        await self._store.write(work, hurried=True)
        self._notifier.changed()
        return made, self.secret_of(made)

    async def change(
        self,
        principal: Principal,
        endpoint_id: str,
        *,
        url: str | None = None,
        types: Sequence[str] | None = None,
        description: str | None = None,
        disabled: bool | None = None,
    ) -> WebhookView:
        """Change what is given; enabled again, it is told of what happens from then on, and of what it was owed."""
        refuse_test(principal, _LIVE)
        before = await self.get(principal, endpoint_id)
        checked = await self._checked(url, types, description)
        now_us = self._clock.now_us()
        values: dict[str, object] = {"url": checked, "types": types and tuple(dict.fromkeys(types))}
        values = {name: value for name, value in values.items() if value is not None}
        if description is not None:
            values["description"] = description or None
        if disabled is True and before.disabled_us is None:
            values |= {"disabled_us": now_us, "disabled_reason": "by hand"}
        if disabled is False and before.disabled_us is not None:
            values |= {"disabled_us": None, "disabled_reason": None, "since_us": now_us}
        followed = self._notifier.follows_callbacks
        changed = await self._store.write(
            lambda connection: webhooks.change(connection, endpoint_id, values, followed=followed), hurried=True
        )
        self._notifier.changed()
        return _there(changed)

    async def remove(self, principal: Principal, endpoint_id: str) -> WebhookView:
        """Forget an endpoint and what it is owed."""
        refuse_test(principal, _LIVE)
        removed = await self._store.write(lambda connection: webhooks.remove(connection, endpoint_id), hurried=True)
        self._notifier.changed()
        return _there(removed)

    async def rotate(self, principal: Principal, endpoint_id: str) -> tuple[WebhookView, str]:
        """Give it a new secret; the old one signs too for a day."""
        refuse_test(principal, _LIVE)
        now_us = self._clock.now_us()

        def work(connection: Connection) -> WebhookView | None:
            found = webhooks.get(connection, endpoint_id)
            values = {"generation": found.generation + 1, "rotated_us": now_us} if found else {}
            return webhooks.change(connection, endpoint_id, values)

        rotated = _there(await self._store.write(work, hurried=True))
        self._notifier.changed()
        return rotated, self.secret_of(rotated)

    async def test(self, principal: Principal, endpoint_id: str) -> Answer:
        """Send it an event of type `webhook.test` now; what came of it. Nothing is kept, and nothing tried again."""
        refuse_test(principal, _LIVE)
        endpoint, now_us = await self.get(principal, endpoint_id), self._clock.now_us()
        body = {"type": TEST, "timestamp": rfc3339(now_us), "data": {"webhook": endpoint.id}}
        name = "evt_test_" + self._ids.new()
        request = endpoint_request(self._store, endpoint, name, now_us, json.dumps(body).encode())
        return await self._notifier.courier.send(request)

    async def deliveries(
        self, principal: Principal, endpoint_id: str, *, dead: bool, limit: int, cursor: str | None
    ) -> Page[DeliveryView]:
        """What it has still to be told, or what was given up, newest first."""
        await self.get(principal, endpoint_id)
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidRequest.field("cursor_invalid", "cursor", "is not a cursor of this list")
        before = None if cursor is None else int(cursor)
        shown, more = await self._store.read(
            lambda connection: deliveries.page(connection, endpoint_id, dead=dead, before=before, limit=limit)
        )
        return Page(shown, str(shown[-1].id) if more else None)

    async def replay(
        self, principal: Principal, endpoint_id: str, *, ids: Sequence[int] | None, since_us: int | None
    ) -> int:
        """Try anew what was given up: all of it, these, or what happened since then; how many."""
        refuse_test(principal, _LIVE)
        await self.get(principal, endpoint_id)
        revived, behind = 0, 0
        if ids is not None and since_us is None:
            revived = await self._revive(endpoint_id, ids)
            self._notifier.changed()
            return revived
        while found := await self._store.read(
            lambda connection, behind=behind: deliveries.given_up(connection, endpoint_id, behind)
        ):
            behind, wanted = found[-1].id, frozenset(ids) if ids is not None else None
            fit = [
                row.id
                for row in found
                if (wanted is None or row.id in wanted) and (since_us is None or (row.at_us or 0) >= since_us)
            ]
            revived += await self._revive(endpoint_id, fit)
        self._notifier.changed()
        return revived

    async def _revive(self, endpoint_id: str, fit: Sequence[int]) -> int:
        """In transactions that keep nobody waiting long."""
        revived, now_us = 0, self._clock.now_us()
        for start in range(0, len(fit), _REVIVED):
            some = fit[start : start + _REVIVED]
            revived += await self._store.write(
                lambda connection, some=some: deliveries.revive(connection, endpoint_id, some, now_us), hurried=True
            )
        return revived

    async def secret(self, principal: Principal, endpoint_id: str) -> str:
        """The secret of one endpoint, as `secret_of`."""
        refuse_test(principal, _LIVE)
        return self.secret_of(await self.get(principal, endpoint_id))

    def secret_of(self, endpoint: WebhookView) -> str:
        """The secret that receivers check signatures with, as it is written."""
        return signature.written(signature.endpoint_secret(self._store.fingerprint, endpoint.id, endpoint.generation))

    def own_secret(self, principal: Principal) -> str:
        """The secret that callbacks of this token's messages are signed with."""
        return signature.written(signature.callback_secret(self._store.fingerprint, principal.token_id))

    async def _checked(self, url: str | None, types: Sequence[str] | None, description: str | None) -> str | None:
        """The URL as it is kept; every wrong field at once."""
        errors: list[FieldError] = []
        fit = None
        if types is not None and not 1 <= len(types) <= MOST_TYPES:
            errors.append(FieldError("/types", f"names 1 to {MOST_TYPES} event types"))
        for at, each in enumerate(types or ()):
            if (wrong := complaint(each)) is not None:
                errors.append(FieldError(f"/types/{at}", wrong))
        if description is not None and (len(description) > MAX_DESCRIPTION or "\0" in description):
            errors.append(FieldError("/description", f"has at most {MAX_DESCRIPTION} characters, none of them U+0000"))
        if url is not None:
            try:
                fit = await self._notifier.reach.check(url)
            except OutOfReach as refusal:
                errors.append(FieldError("/url", str(refusal)))
        if errors:
            raise InvalidRequest("webhook_invalid", errors[0].message, errors=errors)
        return fit


def _there(found: WebhookView | None) -> WebhookView:
    if found is None:
        raise NotFound("webhook_not_found", "there is no such webhook")
    return found
