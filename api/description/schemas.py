"""From the models to JSON Schema: bodies and answers as components, query strings as parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from api.description.tables import Document
from api.models.fields import Outgoing

_REF: Final = "#/components/schemas/{model}"


class _Plain(GenerateJsonSchema):
    """Without a title for each field, which would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        del schema
        return False


class Schemas:
    """The components for these models."""

    def __init__(self, incoming: Iterable[type[BaseModel]], outgoing: Iterable[type[BaseModel]]) -> None:
        asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [
            *((model, "validation") for model in dict.fromkeys(incoming)),
            *((model, "serialization") for model in dict.fromkeys(outgoing)),
        ]
        references, whole = models_json_schema(asked, ref_template=_REF, schema_generator=_Plain)
        self._references = {model: reference for (model, _), reference in references.items()}
        open_ended = {self._name(model) for model, _ in asked if issubclass(model, Outgoing)}
        self.components: dict[str, Document] = {
            name: _told(name, schema, outgoing=name in open_ended or name.endswith(("Out", "Page")))
            for name, schema in whole.get("$defs", {}).items()
        }

    def of(self, model: type[BaseModel]) -> Document:
        """A reference to the component of a model."""
        return dict(self._references[model])

    def _name(self, model: type[BaseModel]) -> str:
        return str(self._references[model]["$ref"]).rpartition("/")[2]


def _told(name: str, schema: Document, *, outgoing: bool) -> Document:
    """Words need no explanation of ours; answers may get further fields, which clients ignore."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    if "enum" in kept:
        kept.pop("description", None)
    if outgoing:
        kept.pop("additionalProperties", None)
    return {"title": name, **kept}


def query_parameters(model: type[BaseModel]) -> list[Document]:
    """The names of a query string. One that is left out is no null: null is not said in a query."""
    schema = model.model_json_schema(schema_generator=_Plain)
    required: Sequence[str] = schema.get("required", ())
    return [
        _parameter(name, _resolved(field, schema.get("$defs", {})), required=name in required)
        for name, field in schema.get("properties", {}).items()
    ]


def _parameter(name: str, field: Mapping[str, Any], *, required: bool) -> Document:
    schema = _without_null(field)
    parameter: Document = {"name": name, "in": "query", "required": required}
    for key in ("description", "examples"):
        if key in schema:
            said = schema.pop(key)
            parameter |= {"description": said} if key == "description" else {"example": said[0]}
    if schema.get("type") == "array":
        # Joined by commas.
        parameter |= {"style": "form", "explode": False}
    return parameter | {"schema": schema}


def _without_null(field: Mapping[str, Any]) -> Document:
    schema = {key: value for key, value in field.items() if key not in {"anyOf", "title"}}
    if schema.get("default", "") is None:
        del schema["default"]
    choices = [each for each in field.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) == 1:
        return choices[0] | schema
    return schema | ({"anyOf": choices} if choices else {})


def _resolved(value: Any, definitions: Mapping[str, Any]) -> Any:
    """With every reference replaced by what it names."""
    if isinstance(value, dict):
        if "$ref" in value:
            return _resolved(definitions[str(value["$ref"]).rpartition("/")[2]], definitions)  # pyright: ignore[reportUnknownArgumentType]
        return {key: _resolved(each, definitions) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_resolved(each, definitions) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return value
