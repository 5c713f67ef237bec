"""The description as one page: no script, nothing fetched, readable where there is no internet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from api.description.tables import Document

STYLE: Final = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; border-radius: .3rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884 }
section { margin: 2rem 0; border-top: 1px solid #8886 }
h3 { margin-bottom: .2rem; overflow-wrap: anywhere }
nav ul { columns: 16rem; padding-left: 1.2rem }
.scope { opacity: .8 }
"""
_FORM: Final = "application/x-www-form-urlencoded"
_CODE: Final = re.compile(r"`([^`]+)`")


def page_of_document(document: Document) -> str:
    """The page of a description."""
    info = document["info"]
    tags = [tag["name"] for tag in document["tags"]]
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}: the HTTP interface</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(info['title'])} {escape(info['version'])}: the HTTP interface</h1>",
            f'<p>{_prose(info["description"])}</p><p>For programs: <a href="/openapi.json">openapi.json</a>.</p>',
            "<nav><ul>",
            *(f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>' for tag in tags),
            '<li><a href="#told">webhooks: what you are told</a></li>',
            '<li><a href="#shapes">shapes</a></li><li><a href="#error-codes">error codes</a></li></ul></nav><main>',
            *(line for tag in tags for line in _resource(document, tag)),
            *_told(document),
            *_shapes(document),
            *_codes(document),
            "</main></body></html>",
        ]
    )


def _resource(document: Document, tag: str) -> Iterator[str]:
    yield f'<section id="{_anchor(tag)}"><h2>{escape(tag)}</h2>'
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["tags"] == [tag]:
                yield from _operation(document, method.upper(), path, operation)
    yield "</section>"


def _operation(document: Document, method: str, path: str, operation: Document) -> Iterator[str]:
    yield f'<h3 id="{_anchor(operation["operationId"])}"><code>{method} {escape(path)}</code></h3>'
    yield f"<p>{_prose(operation.get('description') or operation['summary'])}</p>"
    scope = operation.get("x-scope")
    yield f'<p class="scope">{f"Scope <code>{escape(scope)}</code>." if scope else "No token."}</p>'
    yield from _table(("parameter", "in", "shape", ""), [_parameter(each) for each in operation.get("parameters", [])])
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<p>Body <code>{escape(media)}</code>: {_shape(content.get('x-line') or content.get('schema', {}))}</p>"
    yield from _table(("status", "answer"), [_answer(document, *each) for each in operation["responses"].items()])
    yield f"<pre>{escape(curl_of(method, path, operation))}</pre>"


def _parameter(parameter: Document) -> tuple[str, ...]:
    needed = "required. " if parameter["required"] else ""
    said = needed + parameter.get("description", "")
    return f"<code>{escape(parameter['name'])}</code>", parameter["in"], _shape(parameter["schema"]), _prose(said)


def _answer(document: Document, status: str, response: Document) -> tuple[str, ...]:
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if status >= "400":
        named = re.findall(r"^- `([a-z_0-9]+)`", response["description"], re.MULTILINE)
        if named:
            return status, ", ".join(f'<a href="#code-{code}"><code>{code}</code></a>' for code in named)
    told = [_media(*each) for each in response.get("content", {}).items()]
    return status, "; ".join([_prose(response["description"]), *filter(None, dict.fromkeys(told))])


def _media(media: str, content: Document) -> str:
    """The shape of an answer, or its media type where it has none."""
    if content.get("schema"):
        return _shape(content["schema"])
    return "" if media.endswith("json") else f"<code>{escape(media)}</code>"


def _told(document: Document) -> Iterator[str]:
    """What receivers are told, and how they know that it is genuine."""
    yield '<section id="told"><h2>Webhooks: what you are told</h2>'
    operations: list[Document] = [entry["post"] for entry in document["webhooks"].values()]
    for operation in operations:
        body = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]
        yield f'<h3 id="{operation["operationId"]}">{escape(operation["summary"])}</h3>'
        yield f"<p>{_prose(operation['description'])}</p><p>Data: {_shape(body)}</p>"
    yield "<p>Fields of each header, and what your answers mean:</p>"
    fields: list[Document] = operations[0]["parameters"]
    answers: dict[str, Document] = operations[0]["responses"]
    yield from _table(("header field", "in", "shape", ""), [_parameter(each) for each in fields])
    yield from _table(("status", "answer"), [_answer(document, *each) for each in answers.items()])
    yield "</section>"


def _shapes(document: Document) -> Iterator[str]:
    yield '<section id="shapes"><h2>Shapes</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<h3 id="shape-{_anchor(name)}"><code>{escape(name)}</code></h3>'
        yield f"<p>{_prose(schema.get('description', ''))}</p>"
        if "enum" in schema:
            yield f"<p>{_shape(schema)}</p>"
        required = schema.get("required", ())
        rows = [
            (
                f"<code>{escape(field)}</code>",
                _shape(told),
                "" if field in required else "may be left out",
                _prose(told.get("description", "")),
            )
            for field, told in schema.get("properties", {}).items()
        ]
        yield from _table(("field", "shape", "", ""), rows)
    yield "</section>"


def _codes(document: Document) -> Iterator[str]:
    yield '<section id="error-codes"><h2>Error codes</h2>'
    rows = [
        (f'<code id="code-{code}">{code}</code>', ", ".join(map(str, told["status"])), _prose(told["meaning"]))
        for code, told in document["x-codes"].items()
    ]
    yield from _table(("code", "status", "meaning"), rows)
    yield "</section>"


def _shape(schema: Document) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#shape-{_anchor(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_shape(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " ".join(f"<code>{escape(str(each))}</code>" for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type", "anything")))


def curl_of(method: str, path: str, operation: Document) -> str:
    """A line for a shell that asks this route, with `$TOCSIN_URL` and `$TOCSIN_TOKEN`."""
    words = ["curl"]
    if method != "GET":
        words.append(f"-X {method}")
    if "x-scope" in operation:
        words.append(_credentials(operation))
    for media, content in list(operation.get("requestBody", {}).get("content", {}).items())[:1]:
        words += _sent(media, _example(content))
    secrets = {next(iter(each)) for each in operation["security"]}
    needed = [
        each
        for each in operation.get("parameters", [])
        if each["in"] == "query" and each["required"] and f"query-{each['name']}" not in secrets
    ]
    query = "&".join(f"{each['name']}={each.get('example', '…')}" for each in needed)
    filled = path
    for each in operation.get("parameters", []):
        if each["in"] == "path" and "example" in each:
            filled = filled.replace(f"{{{each['name']}}}", each["example"])
    return " ".join([*words, f'"$TOCSIN_URL{filled}{"?" + query if query else ""}"'])


def _sent(media: str, example: Any) -> list[str]:
    """The words for a body; those of a form are its type already."""
    if media == _FORM:
        return [f"--data-urlencode '{name}={value}'" for name, value in example.items()]
    return [f"-H 'Content-Type: {media}'", f"-d '{json.dumps(example)}'"]


def _credentials(operation: Document) -> str:
    schemes = [next(iter(each)) for each in operation["security"]] or ["bearer"]
    if "bearer" in schemes:
        return '-H "Authorization: Bearer $TOCSIN_TOKEN"'
    if "basic" in schemes:
        return '-u "tocsin:$TOCSIN_TOKEN"'
    place, _, name = schemes[0].partition("-")
    return f'-H "{name}: $TOCSIN_TOKEN"' if place == "header" else f'--url-query "{name}=$TOCSIN_TOKEN"'


def _example(content: Document) -> Any:
    """The first example of a body; an empty one where there is none."""
    examples: list[Document] = list(content.get("examples", {}).values())
    return examples[0]["value"] if examples else {}


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
        yield from (f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        yield "</table>"


def _prose(text: str) -> str:
    """Text with its words in code font."""
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n", "<br>")


def _anchor(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text)
