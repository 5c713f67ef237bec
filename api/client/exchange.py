"""One call: a request, its answer as a document, or the error that it is. What may be repeated is repeated.

Standard library alone: the command line starts in the time of its imports.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast
from urllib.parse import quote, urlencode

from api.client.address import Address
from api.client.errors import ApiError, NoAnswer, NotAGateway, Phase, WrongField

Document: TypeAlias = dict[str, Any]
Query: TypeAlias = Sequence[tuple[str, str]]

#: More than any answer: a list has at most 1 000 items.
_MOST_OCTETS: Final = 256 << 20
_PIECE: Final = 1 << 16
_JSON: Final = "application/json"
#: What says "later": too many, not now, no room.
_LATER: Final = frozenset({429, 503, 507})
#: Retry-After is obeyed up to here, in seconds; whoever asks for more is left to the caller.
_LONGEST_PAUSE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Repeating:
    """How often a call that does no harm twice is tried again, and how long is waited where the gateway is silent."""

    times: int = 3
    first_pause_s: float = 0.5


class Exchange:
    """Calls to one gateway with one token. Safe to share between threads: each call has a connection of its own."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 60.0,
        certificate: bytes | None = None,
        repeating: Repeating | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._address = Address.of(self.url)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("a token is one word of ASCII")
        self._token = token
        self._certificate = certificate
        self.repeating = repeating or Repeating()
        self.pause = pause or threading.Event().wait
        #: How long an answer may take, in seconds.
        self.timeout_s = timeout_s

    def call(
        self, method: str, path: str, query: Query = (), body: Document | None = None, *, key: str | None = None
    ) -> Document:
        """The answer's document. `key` is an Idempotency-Key. Raises `ApiError`, `NoAnswer` or `NotAGateway`."""
        octets = None if body is None else json.dumps(body).encode()
        extra = {"Idempotency-Key": key} if key else {}
        again = self.repeating.times if method in ("GET", "DELETE") or key else 0
        pause_s = self.repeating.first_pause_s
        while True:
            try:
                return document_of(self.url, *self.ask(method, path, query, octets, extra))
            except (ApiError, NoAnswer) as error:
                wait_s = _wait_of(error, pause_s)
                if again == 0 or wait_s is None:
                    raise
            again, pause_s = again - 1, pause_s * 2
            self.pause(wait_s)

    def ask(
        self, method: str, path: str, query: Query, body: bytes | None, extra: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, header fields and octets of the answer, whatever they are. Raises `NoAnswer`."""
        fields = {"Accept": _JSON, "Connection": "close", "Content-Type": _JSON, **extra}
        if body is None:
            del fields["Content-Type"]
        connection = self.opened()
        try:
            response = self.sent(connection, method, path, query, body=body, fields=fields)
            return response.status, dict(response.headers.items()), response.read(_MOST_OCTETS)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(self.url, reason_of(error), Phase.ASKED) from None
        finally:
            connection.close()

    def lines(self, method: str, path: str, body: Iterable[bytes], fields: Mapping[str, str]) -> Iterator[bytes]:
        """The lines of an answer to a body of unknown length. Raises `ApiError`, `NoAnswer` or `NotAGateway`."""
        connection = self.opened()
        try:
            response = self.sent(connection, method, path, (), body=body, fields=fields)
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                document_of(self.url, response.status, dict(response.headers.items()), response.read(_MOST_OCTETS))
            yield from response
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(self.url, reason_of(error), Phase.ASKED) from None
        finally:
            connection.close()

    def upload(self, path: str, query: Query, body: Iterable[bytes], media: str) -> Document:
        """The answer's document to a body of unknown length, which is sent as it is made."""
        connection = self.opened()
        fields = {"Accept": _JSON, "Connection": "close", "Content-Type": media}
        try:
            # A refusal may come before the body has ended.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", self._target(path, query), body, self._headers(fields), encode_chunked=True)
            response = connection.getresponse()
            told = dict(response.headers.items())
            return document_of(self.url, response.status, told, response.read(_MOST_OCTETS))
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(self.url, reason_of(error), Phase.ASKED) from None
        finally:
            connection.close()

    def download(self, path: str, query: Query) -> Iterator[bytes]:
        """The octets of an answer of any length, as they come."""
        connection = self.opened()
        try:
            response = self.sent(connection, "GET", path, query, body=None, fields={"Connection": "close"})
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                document_of(self.url, response.status, dict(response.headers.items()), response.read(_MOST_OCTETS))
            while piece := response.read(_PIECE):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(self.url, reason_of(error), Phase.ASKED) from None
        finally:
            connection.close()

    def opened(self) -> http.client.HTTPConnection:
        """An open connection. Raises `NoAnswer`."""
        connection = self._address.connection(self.timeout_s, self._certificate)
        try:
            connection.connect()
        except ssl.SSLError as error:
            connection.close()
            reason = getattr(error, "verify_message", None) or error.reason or error.args[0]
            raise NoAnswer(self.url, str(reason), Phase.TLS) from None
        except OSError as error:
            connection.close()
            raise NoAnswer(self.url, reason_of(error), Phase.CONNECTING) from None
        return connection

    def sent(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        query: Query,
        *,
        body: Any,
        fields: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        """The beginning of the answer. Raises what the connection raises."""
        connection.request(method, self._target(path, query), body, self._headers(fields))
        return connection.getresponse()

    def _target(self, path: str, query: Query) -> str:
        return self._address.base + path + (f"?{urlencode(query)}" if query else "")

    def _headers(self, fields: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", **fields}


def path_of(*parts: str) -> str:
    """A path of the interface; each part is one segment whatever it contains."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def document_of(url: str, status: int, fields: Mapping[str, str], content: bytes) -> Document:
    """The answer's document. Raises `ApiError` for a refusal, `NotAGateway` for what is no document."""
    document: object = None
    with suppress(ValueError):
        document = json.loads(content) if content else {}
    if not isinstance(document, dict):
        raise NotAGateway(url, status)
    found = cast("Document", document)
    if status >= http.HTTPStatus.BAD_REQUEST:
        raise _refusal(status, fields, found)
    return found


def reason_of(error: Exception) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    reason = getattr(error, "strerror", None)
    return str(reason).lower() if reason else type(error).__name__


def _refusal(status: int, fields: Mapping[str, str], problem: Document) -> ApiError:
    given = problem.get("errors")
    listed = cast("list[Any]", given) if isinstance(given, list) else []
    errors = [
        WrongField(str(one.get("pointer", "")), str(one.get("message", "")))
        for one in (cast("Document", each) for each in listed if isinstance(each, dict))
    ]
    message = problem.get("detail") or problem.get("title") or f"the gateway answered HTTP {status}"
    after = fields.get("Retry-After") or ""
    return ApiError(
        str(problem.get("code", "")), status, str(message), errors, float(after) if after.isdecimal() else None
    )


def _wait_of(error: ApiError | NoAnswer, pause_s: float) -> float | None:
    """How long to wait before the same call once more, in seconds; None when that would not help."""
    if isinstance(error, NoAnswer):
        return None if error.phase is Phase.TLS else pause_s
    if error.status not in _LATER:
        return None
    wait_s = pause_s if error.retry_after is None else error.retry_after
    return wait_s if wait_s <= _LONGEST_PAUSE_S else None
