"""The text of a template for each person: in the right language, with that person's values and no other's.

Many texts are made in the process beside the gateway, in jobs of a fifth of a second; one is made where it is asked
for, for what a template may cost is bounded (`liquid_environment`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from liquid.exceptions import LiquidError, OutputStreamLimitError, ResourceLimitError, UndefinedError

from gateway.clock import SECOND_US, SystemClock
from gateway.config.settings import Settings
from gateway.errors import FieldError, InvalidRequest
from gateway.people.aside import Aside, TookTooLong
from gateway.people.contact import Contact
from gateway.people.liquid_environment import MOST_OUTPUT, compiled, words_of
from gateway.people.liquid_filters import Reader
from gateway.people.liquid_values import TemplateRefusal, record

R = TypeVar("R")

# One job: how many people at most, how long it goes on before it hands back what it has, and when it is given up.
_MOST_PEOPLE: Final = 1_000
_JOB_US: Final = SECOND_US // 5
_WITHIN_S: Final = 30.0
_MOST_SOURCES: Final = 64
# Characters of all languages of a template together.
_LONG: Final = 4_000
#: The code of a text that lacks a value for somebody.
MISSING: Final = "template_variable_missing"
_CARD: Final = frozenset({"name", "number", "language", "attributes", "tags"})


@dataclass(frozen=True, slots=True)
class RenderFault:
    """Why there is no text for a person. `code` is `template_variable_missing`, `template_too_long` or
    `template_failed`; `message` may name a variable and never contains a value."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Usual:
    """What holds for those of whom nothing else is known."""

    language: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Person:
    """What a template may see of a recipient: of the contact's card, and variables of the person's own."""

    number: str
    language: str | None
    timezone: str | None
    card: Mapping[str, Any]
    own: Mapping[str, Any]


class Renderer:
    """Makes texts of templates. `texts` are Liquid sources by language tag, "" for any language.

    A template sees `name`, `number`, `language`, `tags` and `attributes.X` of the contact, the shared variables, and
    those of the person's own; a variable wins over what the contact's card says, and an `attributes` among them adds to
    the contact's.
    """

    def __init__(self, aside: Aside, settings: Settings) -> None:
        self._aside = aside
        self._settings = settings
        self._names: dict[tuple[tuple[str, str], ...], frozenset[str]] = {}

    async def check(self, texts: Mapping[str, str], at: str = "/texts") -> None:
        """Refuse what can never be rendered. Raises `InvalidRequest` (`template_invalid`) with a pointer for each
        language, as `place_of`."""
        await self._within(check_sources, dict(texts), at)

    async def names(self, texts: Mapping[str, str]) -> frozenset[str]:
        """The variables of all languages as dotted paths: "attributes.city", "code". Raises as `check`."""
        key = tuple(sorted(texts.items()))
        if key not in self._names:
            if len(self._names) >= _MOST_SOURCES:
                self._names.clear()
            self._names[key] = await self._within(names_of, dict(texts))
        return self._names[key]

    async def render_many(
        self,
        texts: Mapping[str, str],
        people: Sequence[Contact],
        shared: Mapping[str, Any] | None = None,
        own: Sequence[Mapping[str, Any]] | None = None,
    ) -> list[str | RenderFault]:
        """A text for each, or why there is none, in their order; `own` are variables of each. Raises as `check`."""
        assert own is None or len(own) == len(people), "one for each"
        found: list[str | RenderFault] = await self.each(texts, people, render_part, shared, own)
        return found

    async def each(
        self,
        texts: Mapping[str, str],
        people: Sequence[Contact],
        job: Callable[..., list[Any]],
        shared: Mapping[str, Any] | None = None,
        own: Sequence[Mapping[str, Any]] | None = None,
        *also: object,
    ) -> list[Any]:
        """What `job`, called as `render_part` is and with `also`, comes to for each."""
        names = await self.names(texts)
        wanted = [person_of(each, names, own[place] if own else {}) for place, each in enumerate(people)]
        done: list[Any] = []
        most = _MOST_PEOPLE
        while len(done) < len(wanted):
            part = wanted[len(done) : len(done) + most]
            try:
                done += await self._aside.run(
                    _WITHIN_S, job, dict(texts), self._usual(), part, dict(shared or {}), *also
                )
            except TookTooLong:
                if len(part) == 1:
                    done.append(RenderFault("template_failed", "the template takes too long"))
                most = max(1, len(part) // 8)
        return done

    async def render(
        self, texts: Mapping[str, str], contact: Contact, variables: Mapping[str, Any]
    ) -> str | RenderFault:
        """The text for one, of texts that were checked. It is made at once in this process, which takes less than
        finding the other one; a long template is left to that."""
        if sum(map(len, texts.values())) > _LONG:
            return (await self.render_many(texts, [contact], own=[variables]))[0]
        return render_one(texts, self._usual(), person_of(contact, names_of(texts), variables), {})

    def _usual(self) -> Usual:
        return Usual(self._settings.gateway.language, self._settings.gateway.timezone)

    async def _within(self, function: Any, *args: Any) -> Any:
        try:
            return await self._aside.run(_WITHIN_S, function, *args)
        except TookTooLong:
            raise InvalidRequest("template_invalid", "the template takes too long to read") from None


def check_sources(texts: Mapping[str, str], at: str) -> None:
    """As `Renderer.check`, in the process where it is called."""
    if not texts:
        raise InvalidRequest.field("template_invalid", at, "a template needs a text in one language at least")
    wrong: list[FieldError] = []
    for tag, source in texts.items():
        if not source.strip():
            wrong.append(FieldError(place_of(at, tag), "is empty"))
            continue
        try:
            compiled(source)
        except LiquidError as error:
            wrong.append(FieldError(place_of(at, tag), words_of(error)))
        except RecursionError:
            wrong.append(FieldError(place_of(at, tag), "it is nested too deep"))
    if wrong:
        raise InvalidRequest("template_invalid", "the template cannot be read: " + wrong[0].message, errors=wrong)


def texts_at(texts: Mapping[str, str], at: str = "") -> str:
    """Where texts stand in an object: one for all languages as its `text`, any others as its `texts`."""
    return f"{at}/text" if set(texts) == {""} else f"{at}/texts"


def place_of(at: str, tag: str) -> str:
    """The pointer to a text: `/texts/fr`; `/text` where that stands for all languages."""
    return at if at.endswith("/text") else f"{at}/{tag}"


def names_of(texts: Mapping[str, str]) -> frozenset[str]:
    """As `Renderer.names`, in the process where it is called."""
    try:
        return frozenset(name for source in texts.values() for name in compiled(source).names)
    except (LiquidError, RecursionError):
        check_sources(texts, "/texts")
        raise


def person_of(contact: Contact, names: frozenset[str], own: Mapping[str, Any]) -> Person:
    """What a template that uses these names needs to know of a contact."""
    roots = {name.partition(".")[0] for name in names}
    card = {name: getattr(contact, name) for name in roots & _CARD}
    if "attributes" in roots and "attributes" not in names:
        used = {name.split(".")[1] for name in names if name.startswith("attributes.")}
        card["attributes"] = {name: each for name, each in contact.attributes.items() if name in used}
    return Person(contact.number, contact.language, contact.timezone, card, own)


def _values(person: Person, shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """All that a template may see, each time in an object of its own. What is said later wins; attributes are added."""
    layers = (person.card, shared, person.own)
    values = {name: value for layer in layers for name, value in layer.items()}
    if "attributes" in values:
        added: dict[str, Any] = {}
        for layer in layers:
            if isinstance(layer.get("attributes"), Mapping):
                added.update(cast("Mapping[str, Any]", layer["attributes"]))
        values["attributes"] = added
    return record(values)


def render_part(
    texts: Mapping[str, str], usual: Usual, people: Sequence[Person], shared: Mapping[str, Any]
) -> list[str | RenderFault]:
    """The texts of the first of these people: as many as are made in a fifth of a second, and one at least."""
    return each_in_time(people, lambda person: render_one(texts, usual, person, shared))


def each_in_time(people: Sequence[Person], make: Callable[[Person], R]) -> list[R]:
    """What is made for the first of these people in a fifth of a second, for one at least."""
    clock = SystemClock()
    until_us = clock.monotonic_us() + _JOB_US
    done: list[R] = []
    for person in people:
        done.append(make(person))
        if clock.monotonic_us() > until_us:
            break
    return done


def render_one(texts: Mapping[str, str], usual: Usual, person: Person, shared: Mapping[str, Any]) -> str | RenderFault:
    """The text of one person. Whatever goes wrong is told without a value."""
    tag = chosen(texts, person.language, usual.language)
    try:
        return compiled(texts[tag]).render(_values(person, shared), reader(tag, person, usual))
    except UndefinedError as error:
        name = error.message or "that the template asks for"
        return RenderFault(MISSING, f"the variable {name} has no value")
    except OutputStreamLimitError:
        return RenderFault("template_too_long", f"the text would have more than {MOST_OUTPUT} characters")
    except ResourceLimitError:
        return RenderFault("template_failed", "the template takes too many steps or too much room")
    except TemplateRefusal as refusal:
        return RenderFault("template_failed", str(refusal.message))
    except Exception:  # noqa: BLE001 - its words may contain a value
        return RenderFault("template_failed", "the template fails with the values of this recipient")


def chosen(texts: Mapping[str, str], language: str | None, usual: str) -> str:
    """The tag of the text for somebody of this language: that of the language, of the language without its region, the
    text for any language, that of the gateway's language, or the first."""
    by_tag = {tag.lower(): tag for tag in texts}
    own = [] if language is None else [language.lower(), _bare(language)]
    for wanted in (*own, "", usual.lower(), _bare(usual)):
        if wanted in by_tag:
            return by_tag[wanted]
    return next(iter(texts))


def reader(tag: str, person: Person, usual: Usual) -> Reader:
    """Dates and money are written in the language of the text, as the recipient's region writes them."""
    own = person.language or usual.language
    same = not tag or _bare(own) == _bare(tag)
    return Reader(_locale(own if same else tag, usual.language), _zone(person.timezone, usual.timezone))


def _bare(tag: str) -> str:
    """The language without its region."""
    return tag.partition("-")[0].lower()


@lru_cache(maxsize=256)
def _locale(tag: str, usual: str) -> Locale:
    for each in (tag, _bare(tag), usual):
        try:
            return Locale.parse(each, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


@lru_cache(maxsize=256)
def _zone(name: str | None, usual: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or usual)
    except (ValueError, ZoneInfoNotFoundError):
        return ZoneInfo(usual)
