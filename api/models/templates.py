"""Templates: their texts, and previews of them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from api.models.fields import Incoming, Name, Outgoing, Text, TimeOut, wrong
from api.models.lists import PageOut
from api.models.messages import CautionOut, Document, caution_out
from gateway.clock import rfc3339
from gateway.message import Encoding
from gateway.services.templates import MOST_NAMED, TemplatePreview, TemplateView, TextView

_TEXTS: dict[str, Any] = {
    "fr": "Bonjour {{ name }}, rendez-vous {{ at | day }} à {{ at | time }}.",
    "en": "Hello {{ name }}, your appointment is on {{ at | day }} at {{ at | time }}.",
}


class TextsIn(Incoming):
    """Liquid by language, or one text for any."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"texts": _TEXTS}, {"text": "Hello {{ name }}"})

    texts: Annotated[dict[str, Text] | None, Field(description='by language: "fr", "pt-BR", "" for any')] = None
    text: Annotated[Text | None, Field(description="short for texts of any language")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.texts is None) == (self.text is None):
            raise wrong("has either texts by language, or one text")
        return self

    def value(self) -> tuple[dict[str, str], str]:
        """The texts, and the pointer to where they stand."""
        return (self.texts, "/texts") if self.texts is not None else ({"": self.text or ""}, "/text")


class TemplateIn(TextsIn):
    """A template to be made."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "appointment", "texts": _TEXTS},)

    name: Name


class TemplatePreviewIn(Incoming):
    """For whom a template is looked at, and with which variables."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = (
        {"to": ["+33639980101"], "variables": {"at": "2026-12-01T09:30:00+01:00"}},
    )

    to: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMED, description="numbers and segments")]
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    category: Annotated[Name | None, Field(description="default: the token's, else transactional")] = None


class TemplateOut(Outgoing):
    """A template; `variables` are those of all its texts, with what a contact gives."""

    name: str
    texts: dict[str, str]
    variables: list[str]
    created_at: TimeOut
    updated_at: TimeOut
    warnings: list[CautionOut]


class TemplatesPage(PageOut[TemplateOut]):
    """Templates."""


class FaultOut(Outgoing):
    """Why there is no text."""

    code: str
    message: str


class TemplateTextOut(Outgoing):
    """A text for one person, as it leaves; numbers and texts are null without the scope `contacts`."""

    number: str | None
    language: str | None
    text: str | None
    encoding: Encoding | None
    parts: int
    characters: int
    remaining: int
    forced_ucs2_by: list[str]
    gsm7_text: str | None
    error: FaultOut | None


class TemplatePreviewOut(Outgoing):
    """What becomes of a template: the text of each number that was named; of all people, how many get how many parts,
    how many get nothing, whose text is the longest."""

    items: list[TemplateTextOut]
    count: int
    parts: dict[str, int]
    failed: int
    longest: TemplateTextOut | None
    warnings: list[CautionOut]


def template_out(view: TemplateView) -> Document:
    """A template."""
    return {
        "name": view.template.name,
        "texts": dict(view.template.texts),
        "variables": list(view.variables),
        "created_at": rfc3339(view.template.created_us),
        "updated_at": rfc3339(view.template.updated_us),
        "warnings": [caution_out(each) for each in view.warnings],
    }


def template_preview_out(found: TemplatePreview) -> Document:
    """A preview."""
    sizes = found.sizes
    return {
        "items": [_text_out(each) for each in found.items],
        "count": sizes.count,
        "parts": {str(parts): sizes.parts[parts] for parts in sorted(sizes.parts)},
        "failed": sizes.faults.total(),
        "longest": None if found.longest is None else _text_out(found.longest),
        "warnings": [caution_out(each) for each in found.warnings],
    }


def _text_out(view: TextView) -> Document:
    return {
        "number": view.number,
        "language": view.language,
        "text": view.text,
        "encoding": view.encoding,
        "parts": view.parts,
        "characters": view.characters,
        "remaining": view.remaining,
        "forced_ucs2_by": list(view.forced_ucs2_by),
        "gsm7_text": view.gsm7_text,
        "error": None if view.fault is None else {"code": view.fault.code, "message": view.fault.message},
    }
