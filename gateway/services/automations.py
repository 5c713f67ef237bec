"""Automations: rules by which the events of an application become messages.

An event has a reference of the application's: told of again it changes nothing, told of with another time it takes the
place of what waits, and it can be called off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from gateway.campaigns.automation import AUTOMATION_NAME, AutomationRule, rule_of_json, rule_to_json
from gateway.campaigns.people import contacts_of
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, FieldError, Forbidden, GatewayError, InvalidRequest, NotFound
from gateway.message import Message, Status
from gateway.outbound.door import DEFAULT_CATEGORY
from gateway.outbound.intake import Intake
from gateway.outbound.right_moment import moments_of
from gateway.people.contact import Contact
from gateway.people.rendering import Renderer, RenderFault, texts_at
from gateway.requests import NewMessage, Principal
from gateway.services.messages import Nudge
from gateway.services.visibility import refuse_test
from gateway.store import automations, messages, recipients, templates
from gateway.store.database import Store
from gateway.store.schema import AnyRow

_CODE: Final = "automation_invalid"
_CHANGES_NOTHING: Final = "changes no automation"
# How often the same event can have been called off and told of again within the time that a key is remembered.
_TRIES: Final = 100


@dataclass(frozen=True, slots=True)
class AutomationView:
    """An automation as front ends see it."""

    name: str
    rule: AutomationRule
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event: whom it is about, when it is (None: now), what belongs to it, and what the application calls it."""

    to: str
    at_us: int | None = None
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reference: str | None = None
    canceled: bool = False


class Automations:
    """Rules, and the events that set them off."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, *, intake: Intake, renderer: Renderer, nudge: Nudge
    ) -> None:
        self._categories = settings.categories
        self._zone = settings.gateway.timezone
        self._places = moments_of(settings).places
        self._store = store
        self._clock = clock
        self._intake = intake
        self._renderer = renderer
        self._nudge = nudge

    async def list(self) -> Sequence[AutomationView]:
        """All of them, by name."""
        return [_view(row) for row in await self._store.read(automations.every)]

    async def get(self, name: str) -> AutomationView:
        """The automation of this name."""
        row = await self._store.read(lambda connection: automations.get(connection, name))
        if row is None:
            raise _none_of_that_name()
        return _view(row)

    async def add(self, principal: Principal, name: str, rule: AutomationRule) -> AutomationView:
        """Make one; `Conflict` when there is one of that name."""
        text, token_id, now_us = await self._checked(principal, name, rule), principal.token_id or None, self._now()
        if not await self._store.write(lambda c: automations.add(c, name, text, token_id, now_us), hurried=True):
            raise Conflict("automation_exists", "there is an automation of that name; PUT gives it another rule")
        return await self.get(name)

    async def put(self, principal: Principal, name: str, rule: AutomationRule) -> AutomationView:
        """Make one, or give one another rule. What it has sent or queued already stays."""
        text, token_id, now_us = await self._checked(principal, name, rule), principal.token_id or None, self._now()
        await self._store.write(lambda c: automations.put(c, name, text, token_id, now_us), hurried=True)
        return await self.get(name)

    async def remove(self, principal: Principal, name: str) -> AutomationView:
        """Forget one; what it has queued already stays."""
        refuse_test(principal, _CHANGES_NOTHING)
        found = await self.get(name)
        if not await self._store.write(lambda connection: automations.remove(connection, name), hurried=True):
            raise _none_of_that_name()
        return found

    async def trigger(self, principal: Principal, name: str, event: Occurrence) -> tuple[Message | None, int]:
        """An event: its message, or, where it is called off, None and how many messages were."""
        found = await self.get(name)
        reference = _reference(name, event)
        if event.canceled:
            if reference is None:
                raise InvalidRequest.field("reference_missing", "/reference", "names the event that is called off")
            return None, await self._end_waiting(principal, reference, "the event was called off")
        number = self._intake.recipient(event.to)
        contact = await self._contact(number)
        new = await self._message(found.rule, event, contact, number, reference)
        try:
            sent = await self._accept(principal, new, name, event)
        except GatewayError as error:
            raise _renamed(error) from None
        self._nudge()
        return sent, 0

    async def _accept(self, principal: Principal, new: NewMessage, name: str, event: Occurrence) -> Message:
        """Once for the same event, whatever its moment and its text would be by now; what was called off in between is
        accepted anew."""
        reference = new.reference
        if reference is None:
            return await self._intake.accept(principal, new)
        said = json.dumps([event.to, event.at_us, dict(event.variables)], sort_keys=True, default=str)
        mark = self._store.fingerprint(f"automation/{name}/{event.reference}/{said}").hex()
        new = replace(new, same=mark)
        for tried in range(_TRIES):
            sent = await self._intake.accept(principal, new, f"automation/{mark}/{tried}")
            if sent.status is not Status.CANCELED:
                await self._end_waiting(principal, reference, "the event was told of anew", but=sent.id)
                return sent
        raise Conflict("automation_raced", "this event was called off and told of again and again")

    async def _message(
        self, rule: AutomationRule, event: Occurrence, contact: Contact, number: str, reference: str | None
    ) -> NewMessage:
        now_us = self._now()
        event_us = now_us if event.at_us is None else event.at_us
        if rule.is_before and event.at_us is None:
            raise InvalidRequest.field("at_missing", "/at", "says when the event is: the rule counts back from it")
        moment_us = rule.moment_us(event_us, self._zone_of(contact, number))
        return NewMessage(
            number,
            await self._text(rule, event, contact),
            rule.category,
            send_us=moment_us if moment_us > now_us else None,
            about_us=event_us if rule.is_before else None,
            reference=reference,
            replaces=reference is not None,
            expect=rule.expect,
            lasts_us=None if rule.is_before else rule.expires_after_us,
        )

    async def _text(self, rule: AutomationRule, event: Occurrence, contact: Contact) -> str:
        texts = rule.texts or await self._template(rule.template or "")
        text = await self._renderer.render(texts, contact, {**rule.variables, **event.variables})
        if isinstance(text, RenderFault):
            raise InvalidRequest.field(text.code, "/variables", text.message)
        return text

    async def _template(self, name: str) -> Mapping[str, str]:
        found = await self._store.read(lambda connection: templates.get(connection, name))
        if found is None:
            raise InvalidRequest.field("template_not_found", "/template", "there is no such template")
        return found.texts

    async def _end_waiting(self, principal: Principal, reference: str, why: str, *, but: str | None = None) -> int:
        """Cancel what waits for an event, but for one message of it; how many did."""
        now_us, sentence = self._now(), f"{why}, by token {principal.name}"

        def waiting(connection: Connection) -> list[str]:
            ids = messages.waiting_under(connection, reference, token_id=principal.token_id)
            return [each for each in ids if each != but]

        def work(connection: Connection) -> int:
            return sum(
                messages.end_waiting(connection, each, Status.CANCELED, now_us, code=None, sentence=sentence)
                for each in waiting(connection)
            )

        # What takes the place of another has ended it in the same commit: then there is nothing to be written.
        if but is not None and not await self._store.read(waiting):
            return 0
        return await self._store.write(work, hurried=True)

    async def _contact(self, number: str) -> Contact:
        lookup = self._store.fingerprint(number)

        def work(connection: Connection) -> Contact | None:
            person = recipients.find(connection, lookup)
            return None if person is None else contacts_of(connection, [person])[person]

        found = await self._store.read(work)
        return found or Contact(id=0, recipient_id=0, number=number, created_us=0, updated_us=0)

    def _zone_of(self, contact: Contact, number: str) -> ZoneInfo:
        """The contact's; else that of the number; where it may be in several, the gateway's if that is one of them."""
        zones = self._places.of(number).zones if contact.timezone is None else (contact.timezone,)
        return ZoneInfo(self._zone if self._zone in zones else zones[0])

    async def _checked(self, principal: Principal, name: str, rule: AutomationRule) -> str:
        refuse_test(principal, _CHANGES_NOTHING)
        errors = [FieldError(pointer, sentence) for pointer, sentence in rule.faults()]
        if not AUTOMATION_NAME.fullmatch(name):
            errors.append(FieldError("/name", "has 1 to 64 of a-z, 0-9, _ and -, and begins with a letter"))
        if errors:
            raise InvalidRequest(_CODE, f"{errors[0].pointer[1:]} {errors[0].message}", errors=errors)
        chosen = rule.category or principal.default_category or DEFAULT_CATEGORY
        if chosen not in self._categories:
            raise InvalidRequest.field(
                "category_unknown", "/category", "there is no such category in the configuration"
            )
        if principal.categories and chosen not in principal.categories:
            raise Forbidden("category_not_allowed", f"this token may not send messages of category {chosen}")
        texts = rule.texts or await self._template(rule.template or "")
        await self._renderer.check(texts, texts_at(texts))
        return rule_to_json(rule)

    def _now(self) -> int:
        return self._clock.now_us()


def _view(row: AnyRow) -> AutomationView:
    return AutomationView(row.name, rule_of_json(row.wanted), row.created_us, row.updated_us)


def _reference(name: str, event: Occurrence) -> str | None:
    """Beside those of other automations: the same appointment may have several reminders."""
    return None if event.reference is None else f"{name}:{event.reference}"


#: The fields of a message that an event names otherwise.
_POINTERS: Final = {"/about_at": "/at", "/send_at": "/at", "/text": "/variables", "/expires_at": "/at"}


def _renamed(error: GatewayError) -> GatewayError:
    if isinstance(error, InvalidRequest):
        errors = [FieldError(_POINTERS.get(each.pointer, each.pointer), each.message) for each in error.errors]
        return InvalidRequest(error.code, error.message, errors=errors)
    return error


def _none_of_that_name() -> NotFound:
    return NotFound("automation_not_found", "there is no automation of that name")
