"""The HTTP interface as commands use it. Standard library alone: a command starts in the time of its imports."""

from __future__ import annotations

import http.client
import json
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

import click

from gateway.cli.errors import Failure, Rejected, Unreachable
from gateway.cli.output import Document, clean

_ANSWER_S = 60.0
_MOST_OCTETS = 256 << 20
_PAGE = 1000

Query = Sequence[tuple[str, str]]


class GatewayClient:
    """One gateway at `url`, spoken to with `token`; `token_from` names where the token stands, for complaints."""

    def __init__(self, url: str, token: str, token_from: str) -> None:
        self.url = url.rstrip("/")
        self._parts = _checked(self.url)
        self._token = _one_word(token, token_from)
        self._token_from = token_from
        #: How long an answer may take, in seconds.
        self.patience_s = _ANSWER_S

    def get(self, path: str, query: Query = ()) -> Document:
        """The document at a path."""
        return self._request("GET", path, query)

    def post(self, path: str, body: Document) -> Document:
        """The answer to a document."""
        return self._request("POST", path, body=body)

    def delete(self, path: str, query: Query = ()) -> Document:
        """The answer to a deletion."""
        return self._request("DELETE", path, query)

    def items(self, path: str, query: Query = (), limit: int = sys.maxsize) -> Iterator[Document]:
        """The first `limit` items of a list, page by page."""
        cursor: str | None = None
        while limit > 0:
            page = [*query, ("limit", str(min(limit, _PAGE))), *([("cursor", cursor)] if cursor else [])]
            answer = self.get(path, page)
            items = cast("list[Document]", answer.get("items", []))
            yield from items[:limit]
            limit -= len(items)
            cursor = answer.get("next")
            if not cursor or not items:
                return

    def _request(self, method: str, path: str, query: Query = (), body: Document | None = None) -> Document:
        target = self._parts.path + path + (f"?{urlencode(query)}" if query else "")
        octets = None if body is None else json.dumps(body).encode()
        fields = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", "Connection": "close"}
        if octets is not None:
            fields["Content-Type"] = "application/json"
        status, content = self._exchange(method, target, octets, fields)
        document = self._document(status, content)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise self._rejection(status, document)
        return document

    def _exchange(self, method: str, target: str, body: bytes | None, fields: dict[str, str]) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.connect()
        except ssl.SSLError as error:
            raise Unreachable(f"{self.url} does not speak TLS as expected: {error.reason or error}") from None
        except OSError as error:
            raise Unreachable(
                f"no gateway answers at {self.url} ({_reason(error)}); is `tocsin serve` running?"
            ) from None
        try:
            connection.request(method, target, body, fields)
            response = connection.getresponse()
            return response.status, response.read(_MOST_OCTETS)
        except (OSError, http.client.HTTPException) as error:
            doubt = "" if method == "GET" else "; it may have been done all the same"
            raise Unreachable(f"the gateway at {self.url} broke off ({_reason(error)}){doubt}") from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(
                host, port, timeout=self.patience_s, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(host, port, timeout=self.patience_s)

    def _document(self, status: int, content: bytes) -> Document:
        document: object = None
        with suppress(ValueError):
            document = json.loads(content) if content else {}
        if not isinstance(document, dict):
            raise Failure(f"{self.url} does not answer as a gateway does (HTTP {status})")
        return cast("Document", document)

    def _rejection(self, status: int, problem: Document) -> Rejected:
        code = str(problem.get("code", ""))
        if status == http.HTTPStatus.UNAUTHORIZED:
            return Rejected(f"the gateway at {self.url} refused the token of {self._token_from}", status, code)
        return Rejected(_sentence(status, problem), status, code)


def path_of(*parts: str) -> str:
    """A path of the interface; each part is one segment whatever it contains."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _sentence(status: int, problem: Document) -> str:
    """The problem's message, and each wrong field with its own."""
    message = clean(problem.get("detail") or problem.get("title") or f"the gateway answered HTTP {status}")
    given = problem.get("errors")
    errors = cast("list[Any]", given) if isinstance(given, list) else []
    fields = [cast("Document", one) for one in errors if isinstance(one, dict)]
    lines = [f"{clean(field.get('pointer')).lstrip('/')}: {clean(field.get('message'))}" for field in fields]
    if len(lines) == 1 and lines[0].endswith(message):
        return lines[0]
    return "\n  ".join((message, *lines))


def _checked(url: str) -> Any:
    """The parts of an address that can be used."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        good, parts = False, None
    if not good or not url.isascii() or any(character.isspace() for character in url):
        raise click.UsageError('the gateway\'s address must be a URL such as "http://127.0.0.1:7672"')
    return parts


def _one_word(token: str, token_from: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Failure(f"{token_from} does not hold a token")
    return token


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    reason = getattr(error, "strerror", None)
    return str(reason).lower() if reason else type(error).__name__
