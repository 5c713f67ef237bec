"""The HTTP interface as commands use it: the client of `api.client`, whose errors become lines for a person."""

from __future__ import annotations

import http
import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from api.client.address import Address
from api.client.client import pages
from api.client.errors import ApiError, ClientError, NoAnswer, Phase
from api.client.events import events_of
from api.client.exchange import Exchange, Query, Repeating, document_of, path_of
from gateway.cli.errors import Failure, Rejected, Unreachable
from gateway.cli.output import Document, clean

__all__ = ["GatewayClient", "path_of"]

# A person who waits is told at once, and knows better than a program whether to try again.
_NEVER_AGAIN = Repeating(times=0)
# Each pause is twice the one before.
_FOLLOWING = Repeating(times=7, first_pause_s=0.25)


class GatewayClient:
    """One gateway at `url`, spoken to with `token`; `token_from` names where the token stands, for complaints.

    `certificate`, as DER, is the one that an https gateway must show; else the system's authorities vouch for its name.
    """

    def __init__(self, url: str, token: str, token_from: str, certificate: bytes | None = None) -> None:
        _check(url)
        try:
            self._exchange = Exchange(url, token, certificate=certificate, repeating=_NEVER_AGAIN)
        except ValueError:
            raise Failure(f"{token_from} does not hold a token") from None
        self.url = self._exchange.url
        self._token_from = token_from

    @property
    def patience_s(self) -> float:
        """How long an answer may take, in seconds."""
        return self._exchange.timeout_s

    @patience_s.setter
    def patience_s(self, seconds: float) -> None:
        self._exchange.timeout_s = seconds

    def get(self, path: str, query: Query = ()) -> Document:
        """The document at a path."""
        return self._call("GET", path, query)

    def text(self, path: str, media: str, pairs: Sequence[tuple[str, str]] = ()) -> str:
        """What stands at a path, in that media type."""
        try:
            status, fields, octets = self._exchange.ask("GET", path, pairs, None, {"Accept": media})
            if status >= http.HTTPStatus.BAD_REQUEST:
                document_of(self.url, status, fields, octets)
        except ClientError as error:
            raise self._failure("GET", error) from None
        return octets.decode()

    def post(self, path: str, body: Document, key: str | None = None) -> Document:
        """The answer to a document; with the same `key` a message that is handed in again is the same message."""
        return self._call("POST", path, body=body, key=key)

    def put(self, path: str, body: Document) -> Document:
        """The answer to a document that is to stand at a path."""
        return self._call("PUT", path, body=body)

    def patch(self, path: str, body: Document) -> Document:
        """The answer to a change of what stands at a path."""
        return self._call("PATCH", path, body=body)

    def delete(self, path: str, query: Query = ()) -> Document:
        """The answer to a deletion."""
        return self._call("DELETE", path, query)

    def upload(self, path: str, query: Query, body: Iterable[bytes], media: str) -> Document:
        """The answer to a file, which is sent as it is read."""
        try:
            return self._exchange.upload(path, query, body, media)
        except ClientError as error:
            raise self._failure("POST", error) from None

    def download(self, path: str, query: Query) -> Iterator[bytes]:
        """The octets at a path, as they come."""
        try:
            yield from self._exchange.download(path, query)
        except ClientError as error:
            raise self._failure("GET", error) from None

    def items(self, path: str, query: Query = (), limit: int = sys.maxsize) -> Iterator[Document]:
        """The first `limit` items of a list, page by page."""
        try:
            yield from pages(self._exchange, path, query, limit)
        except ClientError as error:
            raise self._failure("GET", error) from None

    def events(self, query: Query, after: str | None) -> Iterator[tuple[str, Document]]:
        """Each event with its id, without end. That nobody answers is told at once, and later after about a minute."""
        self.get(path_of("messages"), [("limit", "1")])
        self._exchange.repeating = _FOLLOWING
        try:
            for event in events_of(self._exchange, path_of("events"), query, after):
                yield event.id, {**event.document}
        except ClientError as error:
            raise self._failure("GET", error) from None

    def _call(
        self, method: str, path: str, query: Query = (), body: Document | None = None, key: str | None = None
    ) -> Document:
        try:
            return self._exchange.call(method, path, query, body, key=key)
        except ClientError as error:
            raise self._failure(method, error) from None

    def _failure(self, method: str, error: ClientError) -> Failure:
        if isinstance(error, ApiError):
            return self._rejection(error)
        return self._unreachable(method, error) if isinstance(error, NoAnswer) else Failure(str(error))

    def _unreachable(self, method: str, error: NoAnswer) -> Unreachable:
        if error.phase is Phase.TLS:
            return Unreachable(f"{self.url} does not speak TLS as expected: {error.reason}")
        if error.phase is Phase.CONNECTING:
            return Unreachable(f"no gateway answers at {self.url} ({error.reason}); is `tocsin serve` running?")
        doubt = "" if method == "GET" else "; it may have been done all the same"
        return Unreachable(f"the gateway at {self.url} broke off ({error.reason}){doubt}")

    def _rejection(self, error: ApiError) -> Rejected:
        if error.status == http.HTTPStatus.UNAUTHORIZED:
            said = f"the gateway at {self.url} refused the token of {self._token_from}"
            return Rejected(said, error.status, error.code)
        return Rejected(_sentence(error), error.status, error.code)


def _sentence(error: ApiError) -> str:
    """The problem's message, and each wrong field with its own; in one line where both say the same."""
    message = clean(error.message)
    fields = [(clean(field.pointer).lstrip("/"), clean(field.message)) for field in error.errors]
    if len(fields) == 1:
        ((name, said),) = fields
        if said.endswith(message) or message == f"{name} {said}":
            return f"{name}: {said}"
        if said in message:
            return f"{name}: {message.removeprefix(f'{name}: ')}"
    return "\n  ".join((message, *(f"{name}: {said}" for name, said in fields)))


def _check(url: str) -> None:
    try:
        Address.of(url)
    except ValueError:
        said = 'the gateway\'s address must be a URL such as "http://127.0.0.1:7672" or "unix:/run/tocsin/api.sock"'
        raise click.UsageError(said) from None
