"""Templates that are kept, and messages whose text is made of one."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from gateway.address import NumberInvalid, parse_recipient
from gateway.config.settings import Settings
from gateway.config.test_network import RECIPIENTS
from gateway.errors import FieldError, GatewayError, InvalidRequest
from gateway.people.contact import Contact
from gateway.people.contacts import contact_of, types_of
from gateway.people.rendering import Renderer, RenderFault
from gateway.requests import NewMessage, Principal, Submission
from gateway.store import contacts, recipients, templates
from gateway.store.database import Store

#: What a template may be called, and how a language is told: ISO 639 with a region or script (BCP 47), or "" for any.
TEMPLATE_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
LANGUAGE_TAG: Final = re.compile(r"|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
MOST_LANGUAGES: Final = 50
# So many texts are made in the gateway's own process; more would keep others on the loop waiting.
_MOST_HERE: Final = 4


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that names a template; `fault` is what is wrong with its number."""

    new: NewMessage
    name: str
    variables: Mapping[str, Any]
    number: str
    fault: FieldError | None


class TemplateBook:
    """Fills in the texts of messages that name a template."""

    def __init__(self, settings: Settings, store: Store, renderer: Renderer) -> None:
        self._country = settings.gateway.country
        self._store = store
        self._renderer = renderer

    async def fill(self, principal: Principal, news: Sequence[NewMessage]) -> list[NewMessage]:
        """The messages, those with a template with what came of it: a text, or the refusal with which each is answered.

        The recipient's contact gives name and attributes. A token that only tests knows nobody but the people of the
        test network.
        """
        asked = {at: self._asked(new) for at, new in enumerate(news) if new.template is not None}
        known = await self._known(principal, list(asked.values())) if asked else None
        filled = list(news)
        for name in {each.name for each in asked.values()}:
            places = [at for at, each in asked.items() if each.name == name]
            assert known is not None, "somebody named a template"
            wanted = [asked[at] for at in places]
            for at, outcome in zip(places, await self._texts(name, wanted, known), strict=True):
                filled[at] = replace(news[at], filled=outcome)
        return filled

    async def texts_of(self, name: str) -> Mapping[str, str]:
        """The texts of a template as they are now, by language. Raises `InvalidRequest` (`template_unknown`)."""
        wanted = {name} if TEMPLATE_NAME.fullmatch(name) else set[str]()
        found = await self._store.read(lambda connection: templates.of_names(connection, wanted))
        if name not in found:
            raise _unknown()
        return found[name].texts

    async def check(self, texts: Mapping[str, str]) -> None:
        """Refuse texts that nobody can be told. Raises `InvalidRequest` with a pointer for each: `/texts/fr`."""
        await self._renderer.check(texts)

    async def told(
        self, principal: Principal, numbers: Sequence[str], texts: Mapping[str, str], shared: Mapping[str, Any]
    ) -> list[str | RenderFault]:
        """What comes of texts, which were checked, for each of these people; who is known is as of `fill`."""
        seen = {number for number in numbers if not principal.test or number in RECIPIENTS}
        known = await self._store.read(lambda connection: self._people(connection, seen))
        people = [known.get(number) or _stranger(number) for number in numbers]
        if len(people) <= _MOST_HERE:
            return [await self._renderer.render(texts, person, shared) for person in people]
        return await self._renderer.render_many(texts, people, shared)

    async def fill_all(self, principal: Principal, submissions: Sequence[Submission]) -> Sequence[Submission]:
        """As `fill`; what names no template costs nothing."""
        if not any(each.new.template is not None for each in submissions):
            return submissions
        news = await self.fill(principal, [each.new for each in submissions])
        return [Submission(new, each.key) for new, each in zip(news, submissions, strict=True)]

    async def fill_each(
        self, principal: Principal, groups: AsyncIterator[Sequence[Submission]]
    ) -> AsyncGenerator[Sequence[Submission]]:
        """As `fill_all`, group by group."""
        async for group in groups:
            try:
                yield await self.fill_all(principal, group)
            except GatewayError as error:
                # The store refused: so it is told of each that needed it.
                yield [_unfilled(each, error) for each in group]

    async def _texts(
        self, name: str, asked: Sequence[_Asked], known: tuple[Mapping[str, templates.Template], Mapping[str, Contact]]
    ) -> list[str | GatewayError]:
        found = known[0].get(name)
        if found is None:
            return [_unknown()] * len(asked)
        people = [known[1].get(each.number) or _stranger(each.number) for each in asked]
        own = [each.variables for each in asked]
        if len(asked) <= _MOST_HERE:
            texts = [
                await self._renderer.render(found.texts, person, variables)
                for person, variables in zip(people, own, strict=True)
            ]
        else:
            texts = await self._renderer.render_many(found.texts, people, own=own)
        return [
            text if isinstance(text, str) else _refusal(text, each.fault)
            for text, each in zip(texts, asked, strict=True)
        ]

    def _asked(self, new: NewMessage) -> _Asked:
        assert new.template is not None, "it names one"
        name, variables = json.loads(new.template)
        try:
            return _Asked(new, name, variables, parse_recipient(new.to, self._country), None)
        except NumberInvalid as error:
            # It may be a short code that is written to; that the door knows.
            return _Asked(new, name, variables, new.to, FieldError("/to", str(error)))

    async def _known(
        self, principal: Principal, asked: Sequence[_Asked]
    ) -> tuple[Mapping[str, templates.Template], Mapping[str, Contact]]:
        names = {each.name for each in asked if TEMPLATE_NAME.fullmatch(each.name)}
        numbers = {each.number for each in asked if not principal.test or each.number in RECIPIENTS}

        def work(connection: Connection) -> tuple[Mapping[str, templates.Template], Mapping[str, Contact]]:
            return templates.of_names(connection, names), self._people(connection, numbers)

        return await self._store.read(work)

    def _people(self, connection: Connection, numbers: set[str]) -> dict[str, Contact]:
        people = recipients.find_all(connection, [self._store.fingerprint(number) for number in numbers])
        rows = contacts.of_people(connection, list(people.values()))
        types = types_of(connection)
        return {row.number: contact_of(row, types) for row in rows}


def _unknown() -> InvalidRequest:
    return InvalidRequest.field("template_unknown", "/template", "there is no template of this name")


def _unfilled(submission: Submission, error: GatewayError) -> Submission:
    if submission.new.template is None:
        return submission
    return replace(submission, new=replace(submission.new, filled=error))


def _stranger(number: str) -> Contact:
    """Somebody of whom nothing is known."""
    return Contact(id=0, recipient_id=0, number=number, created_us=0, updated_us=0)


def _refusal(fault: RenderFault, number: FieldError | None) -> InvalidRequest:
    wrong = FieldError("/variables", fault.message)
    if number is not None:
        return InvalidRequest("number_invalid", number.message, errors=[number, wrong])
    return InvalidRequest(fault.code, fault.message, errors=[wrong])
