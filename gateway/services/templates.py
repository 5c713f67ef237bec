"""Templates: texts with variables by language, and what becomes of them for real people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from drivers.tpdu import segment
from gateway.clock import Clock
from gateway.config.settings import Category, Settings
from gateway.config.test_network import RECIPIENTS
from gateway.errors import Conflict, FieldError, Forbidden, InvalidRequest, NotFound
from gateway.message import Caution, Encoding
from gateway.outbound.door import DEFAULT_CATEGORY
from gateway.outbound.wording import Wording
from gateway.people.aside import Aside
from gateway.people.audience import Audience
from gateway.people.contact import Contact
from gateway.people.contacts import types_of
from gateway.people.rendering import Renderer, RenderFault, names_of, place_of
from gateway.people.templates import LANGUAGE_TAG, MOST_LANGUAGES, TEMPLATE_NAME, TemplateBook
from gateway.people.templates_sizes import Dress, Sizes, size_part
from gateway.requests import Page, Principal
from gateway.rules.typography import gsm7_version
from gateway.services.visibility import before_row, refuse_test
from gateway.store import templates
from gateway.store.database import Store
from gateway.store.templates import Template

#: Says, in the transaction that would remove a template, whether something is made of it: a campaign, an automation.
Use: TypeAlias = Callable[[Connection, str], bool]

#: Of a preview: how many people and segments may be named.
MOST_NAMED: Final = 100
_CHANGES_NOTHING: Final = "changes no template"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateView:
    """A template, the variables of all its texts as dotted paths, and what may be wrong with it."""

    template: Template
    variables: Sequence[str]
    warnings: Sequence[Caution]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """A text for one person, as it leaves; or why there is none. `number` is None where contacts may not be seen."""

    number: str | None
    language: str | None
    text: str | None = None
    encoding: Encoding | None = None
    parts: int = 0
    characters: int = 0
    remaining: int = 0
    forced_ucs2_by: Sequence[str] = ()
    gsm7_text: str | None = None
    fault: RenderFault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePreview:
    """What becomes of a template: the texts of those who were named, and how long those of all are."""

    items: Sequence[TextView]
    sizes: Sizes
    longest: TextView | None
    warnings: Sequence[Caution] = field(default_factory=tuple)


class Templates:
    """The templates, and what they say to whom."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, aside: Aside, *, uses: Sequence[Use] = ()
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._uses = tuple(uses)
        self._wording = Wording(settings)
        self._audience = Audience(settings, store, clock, aside)
        #: Makes texts, for whoever has templates of their own.
        self.renderer = Renderer(aside, settings)
        #: Fills in messages that name a template.
        self.book = TemplateBook(settings, store, self.renderer)

    async def list(self, *, limit: int, cursor: str | None) -> Page[TemplateView]:
        """Templates, newest first."""
        before = before_row(cursor)

        def work(connection: Connection) -> tuple[Page[Template], Mapping[str, str]]:
            return templates.page(connection, limit=limit, before=before), types_of(connection)

        found, types = await self._store.read(work)
        return Page([_view(each, types) for each in found.items], found.next)

    async def get(self, name: str) -> TemplateView:
        """The template of this name."""

        def work(connection: Connection) -> tuple[Template | None, Mapping[str, str]]:
            return templates.get(connection, name), types_of(connection)

        found, types = await self._store.read(work)
        return _view(_there(found), types)

    async def add(self, principal: Principal, name: str, texts: Mapping[str, str], at: str = "/texts") -> TemplateView:
        """Make one; `Conflict` when there is one of that name, `InvalidRequest` for what can never become a text."""
        refuse_test(principal, _CHANGES_NOTHING)
        if not TEMPLATE_NAME.fullmatch(name):
            raise InvalidRequest.field(
                "template_name_invalid", "/name", "has 1 to 64 of a-z, 0-9, _ and -, and begins with a letter"
            )
        await self._check(texts, at)

        def work(connection: Connection) -> tuple[Template | None, Mapping[str, str]]:
            added = templates.add(connection, name, texts, self._clock.now_us())
            return templates.get(connection, name) if added else None, types_of(connection)

        made, types = await self._store.write(work, hurried=True)
        if made is None:
            raise Conflict("template_exists", "there is a template of that name")
        return _view(made, types)

    async def change(
        self, principal: Principal, name: str, texts: Mapping[str, str], at: str = "/texts"
    ) -> TemplateView:
        """Give one other texts. What was made of it before stays as it is."""
        refuse_test(principal, _CHANGES_NOTHING)
        await self.get(name)
        await self._check(texts, at)

        def work(connection: Connection) -> tuple[Template | None, Mapping[str, str]]:
            templates.change(connection, name, texts, self._clock.now_us())
            return templates.get(connection, name), types_of(connection)

        changed, types = await self._store.write(work, hurried=True)
        return _view(_there(changed), types)

    async def remove(self, principal: Principal, name: str) -> TemplateView:
        """Forget one; `Conflict` while something is made of it."""
        refuse_test(principal, _CHANGES_NOTHING)

        def work(connection: Connection) -> tuple[Template, Mapping[str, str]]:
            found = _there(templates.get(connection, name))
            if any(use(connection, name) for use in self._uses):
                raise Conflict("template_in_use", "a campaign or an automation uses this template")
            templates.remove(connection, name)
            return found, types_of(connection)

        removed, types = await self._store.write(work, hurried=True)
        return _view(removed, types)

    async def preview(
        self,
        principal: Principal,
        name: str,
        to: Sequence[str],
        variables: Mapping[str, Any],
        category: str | None = None,
    ) -> TemplatePreview:
        """The texts of the numbers among `to`, and the sizes of all texts for all of `to`; changes nothing.

        Texts of single people are shown to who may see contacts; a token that only tests knows nobody but the people of
        the test network.
        """
        texts = _there(await self._store.read(lambda connection: templates.get(connection, name))).texts
        dress = self._dress(principal, category)
        sizes, named, shown = Sizes(), sum(word[:1] in "+0123456789" for word in to), list[Contact]()
        async for chunk in self._audience.chunks(to):
            people = [_seen(principal, each) for each in chunk]
            # Those of the numbers come before those of the segments.
            shown += people[: named - len(shown)]
            sizes.add(people, await self.renderer.each(texts, people, size_part, variables, None, dress))
        shown = shown if principal.may("contacts") else []
        longest = [] if sizes.longest is None else [sizes.longest]
        made = await self.renderer.render_many(texts, [*shown, *longest], variables)
        views = [
            _text(each, text, dress, seen=principal.may("contacts"))
            for each, text in zip([*shown, *longest], made, strict=True)
        ]
        return TemplatePreview(
            items=views[: len(shown)],
            sizes=sizes,
            longest=views[-1] if longest else None,
            warnings=sizes.cautions(),
        )

    def _dress(self, principal: Principal, category: str | None) -> Dress:
        found = self._category(principal, category)
        most = found.max_parts or self._settings.gateway.max_parts
        return Dress(self._wording, found, most, principal.test)

    def _category(self, principal: Principal, name: str | None) -> Category:
        name = name or principal.default_category or DEFAULT_CATEGORY
        if name not in self._settings.categories:
            raise InvalidRequest.field(
                "category_unknown", "/category", "there is no such category in the configuration"
            )
        if principal.categories and name not in principal.categories:
            raise Forbidden("category_not_allowed", f"this token may not send messages of category {name}")
        return self._settings.categories[name]

    async def _check(self, texts: Mapping[str, str], at: str) -> None:
        wrong = [
            FieldError(place_of(at, tag)[:128], 'is no language: "fr", "pt-BR", or "" for any')
            for tag in texts
            if not LANGUAGE_TAG.fullmatch(tag)
        ]
        if len(texts) > MOST_LANGUAGES:
            wrong = [FieldError(at, f"has at most {MOST_LANGUAGES} languages")]
        wrong += [FieldError(place_of(at, tag), "is empty") for tag, source in texts.items() if not source.strip()]
        if wrong:
            raise InvalidRequest("template_invalid", wrong[0].message, errors=wrong)
        await self.renderer.check(texts, at)


def _view(template: Template, types: Mapping[str, str]) -> TemplateView:
    names = sorted(names_of(template.texts))
    unknown = [name for name in names if name.startswith("attributes.") and name.split(".")[1] not in types]
    warnings = [Caution("attribute_unknown", f"no contact has an attribute {name.split('.')[1]}") for name in unknown]
    return TemplateView(template=template, variables=names, warnings=warnings)


def _seen(principal: Principal, person: Contact) -> Contact:
    """The contact as this token may see it."""
    if not principal.test or person.number in RECIPIENTS:
        return person
    return Contact(id=0, recipient_id=0, number=person.number, created_us=0, updated_us=0)


def _text(person: Contact, text: str | RenderFault, dress: Dress, *, seen: bool) -> TextView:
    number = person.number if seen else None
    if isinstance(text, RenderFault):
        return TextView(number=number, language=person.language, fault=text)
    final = dress.final(text, person.number)
    cut = segment(final, national_tables=dress.category.national_tables)
    return TextView(
        number=number,
        language=person.language,
        text=final if seen else None,
        encoding=Encoding(cut.encoding),
        parts=len(cut.parts),
        characters=cut.characters,
        remaining=cut.remaining,
        forced_ucs2_by=cut.forced_ucs2_by,
        gsm7_text=gsm7_version(final) if seen and cut.encoding == "ucs2" else None,
    )


def _there(found: Template | None) -> Template:
    if found is None:
        raise NotFound("template_not_found", "there is no template of that name")
    return found
