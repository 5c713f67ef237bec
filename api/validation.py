"""From a dictionary to a model, and from pydantic's complaints to ours: a pointer and a sentence, never the value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.problems import HttpProblem
from gateway.errors import FieldError

M = TypeVar("M", bound=BaseModel)

#: What somebody sends by mistake is named in full; what somebody sends to keep us busy is not.
_UNKNOWN_TOLD: Final = 20
_POINTER_MAX: Final = 128
_ERRORS_TOLD: Final = 100

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not supported here",
    "string_type": "must be a string",
    "string_unicode": "must not hold half a surrogate pair",
    "string_too_long": "must be at most {max_length} characters long",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} item",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "literal_error": "must be one of {expected}",
}


def validated(model: type[M], values: Mapping[str, Any], *, in_query: bool = False) -> M:
    """The model with these values. Raises the 422 problem, which names every wrong field.

    A field of a body is named by its JSON pointer, one of a query by its name.
    """
    try:
        return model.model_validate(bounded(model, values))
    except ValidationError as error:
        raise _refusal(error, 1 if in_query else 0) from None


def bounded(model: type[BaseModel], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values without more than a few unknown names: a body may hold half a million of them."""
    if len(values) <= _most_names(model):
        return values
    known = {field.alias or name for name, field in model.model_fields.items()}
    unknown = [name for name in values if name not in known][:_UNKNOWN_TOLD]
    return {name: values[name] for name in (*known, *unknown) if name in values}


@cache
def _most_names(model: type[BaseModel]) -> int:
    """How many names a body of this shape may have before anybody looks which."""
    return len(model.model_fields) + _UNKNOWN_TOLD


def _refusal(error: ValidationError, skipped: int) -> HttpProblem:
    details = error.errors(include_url=False, include_input=False)[:_ERRORS_TOLD]
    errors = [FieldError(_pointer(detail["loc"])[skipped:], _message(detail)) for detail in details]
    return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", errors[0].message, errors=errors)


def _message(detail: ErrorDetails) -> str:
    sentence = _SENTENCES.get(detail["type"])
    return detail["msg"] if sentence is None else sentence.format(**detail.get("ctx", {}))


def _pointer(location: tuple[int | str, ...]) -> str:
    """The JSON pointer of a location (RFC 6901, 3)."""
    tokens = (str(token).replace("~", "~0").replace("/", "~1") for token in location)
    return "".join(f"/{token}" for token in tokens)[:_POINTER_MAX]
