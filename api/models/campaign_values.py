"""The fields that a campaign is made of, in and out."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema

from api.models.fields import Incoming, Name, Outgoing, Text, Time, TimeOut, wrong
from api.models.messages import time_out
from gateway.campaign import Guard, Variant
from gateway.clock import SECOND_US
from gateway.config.durations import UNITS_S, duration_us
from gateway.errors import FieldError, InvalidRequest

#: The name of the only variant.
ONLY: Final = "only"
_FIRST: Final = "/variants/0"


def _span(value: Any) -> int:
    """Microseconds of a duration."""
    found = duration_us(value) if isinstance(value, str) else None
    if not found:
        raise wrong('must be a duration such as "90s", "15m", "4h" or "2d"')
    return found


CampaignSpan = Annotated[
    int, PlainValidator(_span), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,9}[smhdy]$", "examples": ["4h"]})
]
Language = Annotated[str, StringConstraints(max_length=16)]
_Number = Annotated[float, Field(strict=False)]


def written_duration(span_us: int) -> str:
    """The shortest way to write a duration."""
    seconds = span_us // SECOND_US
    unit = next((unit for unit in ("d", "h", "m") if seconds and seconds % UNITS_S[unit] == 0), "s")
    return f"{seconds // UNITS_S[unit]}{unit}"


def texts_of(text: str | None, texts: dict[str, str] | None) -> dict[str, str]:
    """Texts by language; one for any language stands under no name."""
    return {**(texts or {}), **({} if text is None else {"": text})}


class VariantIn(Incoming):
    """One way to say it: `text`, `texts` by language, or the name of a `template`."""

    name: Name
    text: Text | None = None
    texts: dict[Language, Text] | None = None
    template: Name | None = None
    send_at: Annotated[Time | None, Field(description="not before; default: when the campaign starts")] = None
    weight: Annotated[_Number, Field(description="its share of people, beside the other weights", ge=0)] = 1.0

    def value(self) -> Variant:
        """What the services take."""
        return Variant(self.name, texts_of(self.text, self.texts), self.template, self.send_at, float(self.weight))


class GuardIn(Incoming):
    """Stops a variant of which more than `opt_out_rate` of at least `least` messages were answered by an opt-out."""

    opt_out_rate: _Number
    least: int = 50


class PaceIn(Incoming):
    """How fast it goes at most."""

    per_minute: int


class CampaignFields(Incoming):
    """What a campaign is made of."""

    text: Annotated[Text | None, Field(description="Liquid, for every language")] = None
    texts: Annotated[dict[Language, Text] | None, Field(description="Liquid, by language")] = None
    template: Annotated[Name | None, Field(description="the name of one")] = None
    variants: Annotated[list[VariantIn], Field(max_length=10)] | None = None
    variables: Annotated[dict[str, Any] | None, Field(description="the same for everybody")] = None
    test_share: Annotated[
        _Number | None, Field(description="the share of people on whom the variants are tried; 1: everybody at once")
    ] = None
    metric: Literal["delivery", "click", "reply", "conversion", "opt_out"] | None = None
    decide_after: Annotated[CampaignSpan | None, Field(description="since all variants may leave; default: 24h")] = None
    decide_at: Time | None = None
    otherwise: Annotated[
        Literal["first", "split"] | None, Field(description="what the others get where no variant is better")
    ] = None
    seed: Annotated[int | None, Field(ge=1, le=2**32 - 1)] = None
    guard: GuardIn | None = None
    pace: PaceIn | None = None
    windows: Annotated[list[Name] | None, Field(description="only then, such as `mon-fri 09:00-18:00`")] = None
    look_every: Annotated[CampaignSpan | None, Field(description="of a live one; default: 15m")] = None
    until: Annotated[Time | None, Field(description="how long a live or recurring one goes on")] = None
    every: Annotated[Name | None, Field(description="`1d`, `2w`, or days and a time such as `mon-fri 09:00`")] = None
    expect: Annotated[list[Name] | None, Field(description="words that answer it", max_length=20)] = None
    expires_after: Annotated[CampaignSpan | None, Field(description="of each message; default: the category's")] = None
    proof_to: Annotated[Name | None, Field(description="where proofs go")] = None
    codes: Annotated[Name | None, Field(description="the pool that `code` in the texts comes from")] = None

    def wanted_fields(self, to: list[str] | None) -> dict[str, Any]:
        """The fields of `Wanted` that stand in the body."""
        found: dict[str, Any] = {
            "to": None if to is None else tuple(to),
            "variants": self._variants(),
            "variables": self.variables,
            "test_share": None if self.test_share is None else float(self.test_share),
            "metric": self.metric,
            "decide_after_us": self.decide_after,
            "decide_us": self.decide_at,
            "otherwise": self.otherwise,
            "seed": self.seed,
            "guard": None if self.guard is None else Guard(float(self.guard.opt_out_rate), self.guard.least),
            "per_minute": None if self.pace is None else self.pace.per_minute,
            "windows": None if self.windows is None else tuple(self.windows),
            "look_every_us": self.look_every,
            "until_us": self.until,
            "every": self.every,
            "expect": None if self.expect is None else tuple(self.expect),
            "expires_after_us": self.expires_after,
            "proof_to": self.proof_to,
            "codes": self.codes,
        }
        return {name: value for name, value in found.items() if value is not None}

    def as_written(self, error: InvalidRequest) -> InvalidRequest:
        """The same refusal, pointing at what stands in the body where the only variant was said without that word."""
        if self.variants is not None:
            return error
        errors = [FieldError(self._pointer(each.pointer), each.message) for each in error.errors]
        return InvalidRequest(error.code, error.message, errors=errors)

    def _pointer(self, pointer: str) -> str:
        if pointer == _FIRST:
            given = ("text", "texts", "template")
            return next((f"/{name}" for name in given if getattr(self, name) is not None), pointer)
        return pointer.removeprefix(_FIRST)

    def _variants(self) -> tuple[Variant, ...] | None:
        given = [each is not None for each in (self.text, self.texts, self.template, self.variants)]
        if sum(given) > 1:
            sentence = "is one of four ways to say what is sent: text, texts, template, variants"
            raise InvalidRequest.field("campaign_invalid", "/variants", sentence)
        if self.variants is not None:
            return tuple(each.value() for each in self.variants)
        if not any(given):
            return None
        return (Variant(ONLY, texts_of(self.text, self.texts), self.template),)


class VariantOut(Outgoing):
    """One way to say it. `stopped` is why nothing more of it leaves."""

    name: str
    texts: dict[str, str]
    template: str | None
    send_at: TimeOut | None
    weight: float
    stopped: str | None


def variant_out(variant: Variant, stopped: str | None) -> dict[str, object]:
    """A variant as it is shown."""
    return {
        "name": variant.name,
        "texts": dict(variant.texts),
        "template": variant.template,
        "send_at": time_out(variant.send_us),
        "weight": variant.weight,
        "stopped": stopped,
    }
