"""E-mail to SMS: an SMTP listener for programs that can send mail and nothing else.

A mail to `number@any.domain` is a message to that number. The token is the password of AUTH PLAIN or LOGIN; the user
name says nothing. A recipient is refused when it is named (RCPT), and the mail is accepted (250) when all its messages
are on the disk, and not before. aiosmtpd takes a line for ended by CR LF alone, so that nothing can be smuggled in
behind a bare line feed. Its log lines hold numbers and are switched off.

With a certificate STARTTLS (RFC 3207) is offered, and a password is heard behind it alone. Wrong passwords are put down
to the same account of the peer's address as wrong tokens over HTTP (`api.throttle`).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, TLSSetupException

from api.intakes.mail_text import Unreadable, mail_of
from api.problems import log_defect
from api.throttle import wrong_token
from gateway.config.settings import EmailSettings
from gateway.errors import (
    Forbidden,
    GatewayError,
    InvalidRequest,
    StorageFull,
    TooMany,
    Unauthorized,
    Unavailable,
)
from gateway.requests import NewMessage, Principal, Submission
from gateway.services import Services

#: Nothing that fits into an SMS is longer.
MAIL_MAX: Final = 64 * 1024
MOST_RECIPIENTS: Final = 100
#: Between two commands, a mail included; whoever sends more is cut off.
_OCTETS_MAX: Final = 4 * MAIL_MAX
_IDLE_S: Final = 60.0
_MOST_CONNECTIONS: Final = 50
#: How often a command may be given on one connection: a guesser has to come again.
_MOST_CALLS: Final = {"*": 100, "RCPT": 10 * MOST_RECIPIENTS, "AUTH": 4}
_BUSY: Final = b"421 4.7.0 too many connections, try again later\r\n"
_GUESSES: Final = "421 4.7.0 too many wrong passwords came from this address, try again in {} s; a valid one is taken"
_REPLY_MAX: Final = 400

#: The most specific class first.
_REPLIES: Final[tuple[tuple[type[GatewayError], str], ...]] = (
    (InvalidRequest, "554 5.6.0"),
    (Forbidden, "550 5.7.1"),
    (Unauthorized, "535 5.7.8"),
    (TooMany, "451 4.7.1"),
    (StorageFull, "452 4.3.1"),
    (Unavailable, "451 4.3.0"),
)
_OTHER: Final = "554 5.0.0"


class MailDoor:
    """What is done at the commands of a session; the names of the methods are aiosmtpd's."""

    def __init__(self, services: Services, *, with_subject: bool) -> None:
        self._services = services
        self._with_subject = with_subject

    def authenticate(self, server: Any, session: Session, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        """Whether the password is a token that may send. Who guesses is told to wait (421), and let go."""
        del session, envelope, mechanism
        if not isinstance(login, LoginPassword):
            return AuthResult(success=False, handled=False)
        secret = login.password.decode("ascii", "replace")
        try:
            self._principal(secret)
        except Unauthorized as error:
            wait_s = wrong_token(server.transport, self._services.tokens)
            server.unwelcome = wait_s is not None
            return _refused(_reply(error) if wait_s is None else _GUESSES.format(wait_s))
        except GatewayError as error:
            return _refused(_reply(error))
        return AuthResult(success=True, auth_data=secret)

    async def handle_RCPT(  # noqa: N802 - its name is the command's
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether the number in front of the @ can be written to."""
        del server, options
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        number, _, domain = address.rpartition("@")
        if not domain or not number:
            return "553 5.1.3 write the number in front of the @"
        try:
            # The token may have been revoked since the session began.
            principal = self._principal(str(session.auth_data))
            envelope.rcpt_tos.append(self._services.messages.allowed(principal, number.strip('"')))
        except InvalidRequest as error:
            return _worded("550 5.1.1", f"the recipient {error.message}")
        except Forbidden as error:
            return _worded("550 5.7.1", f"the recipient {error.message}" if error.errors else error.message)
        except Unauthorized as error:
            return _reply(error)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Accept the mail: one message for each recipient, all or none."""
        del server
        content = envelope.content
        try:
            mail = await asyncio.to_thread(mail_of, content if isinstance(content, bytes) else b"")
            text = f"{mail.subject}: {mail.text}" if self._with_subject and mail.subject else mail.text
            numbers = list(dict.fromkeys(envelope.rcpt_tos))
            principal = self._principal(str(session.auth_data))
            news = [Submission(NewMessage(number, text)) for number in numbers]
            accepted = await self._services.messages.create_all(principal, news, _key(mail.name, numbers, text))
        except Unreadable as error:
            return _worded("554 5.6.0", str(error))
        except GatewayError as error:
            return _reply(error)
        return f"250 2.0.0 accepted as {accepted[0].id}" + (f" and {len(accepted) - 1} more" if accepted[1:] else "")

    async def handle_exception(self, error: Exception) -> str:
        """An error that nobody expected; what it says may quote the mail. That a peer speaks no TLS is none."""
        if not isinstance(error, TLSSetupException):
            log_defect(error, "SMTP")
        return "451 4.3.0 something failed inside the gateway; its log says where"

    def _principal(self, secret: str) -> Principal:
        principal = self._services.tokens.authenticate(secret)
        if not principal.may("send"):
            raise Forbidden("scope_missing", "this token does not have the scope send")
        return principal


class _Connection(SMTP):
    """One connection. It ends when more comes between two commands than any mail has."""

    def __init__(
        self, door: MailDoor, connections: set[_Connection], tls: ssl.SSLContext | None, *, insecure: bool
    ) -> None:
        with warnings.catch_warnings():
            # That passwords are heard without TLS the configuration has decided: on loopback, or on purpose.
            warnings.simplefilter("ignore", UserWarning)
            super().__init__(
                door,
                data_size_limit=MAIL_MAX,
                hostname="tocsin",
                ident="ESMTP",
                tls_context=tls,
                timeout=_IDLE_S,
                auth_required=True,
                auth_require_tls=tls is not None and not insecure,
                authenticator=door.authenticate,
                command_call_limit=_MOST_CALLS,
                loop=asyncio.get_running_loop(),
            )
        self._connections = connections
        self._octets = 0
        #: Set by who told the peer to come again later.
        self.unwelcome = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Also once more after STARTTLS."""
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Whatever it was doing is cancelled; what was committed stays."""
        self._connections.discard(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """A line without an end, or a mail without one, is not waited for."""
        self._octets += len(data)
        if self._octets <= _OCTETS_MAX:
            super().data_received(data)
        else:
            self.leave()

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 - its name is the command's
        """As the package has it; behind a 421 the connection ends, as RFC 5321 (3.8) wants it."""
        await super().smtp_AUTH(arg)
        if self.unwelcome and isinstance(self.transport, asyncio.WriteTransport):
            self.transport.close()

    def leave(self) -> None:
        """End it at once: not heard any more, nor answered."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """At each command that is understood."""
        self._octets = 0
        super()._reset_timeout(duration)


class _Busy(asyncio.Protocol):
    """Says that there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer and go."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_BUSY)
            transport.close()


@asynccontextmanager
async def receiving(
    services: Services, settings: EmailSettings, bound: socket.socket, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[None]:
    """Take mail on this socket until the end of the block. With `tls` a password is heard after STARTTLS alone, unless
    the settings say otherwise. A renewed certificate is the context's own affair (`gateway.certificate`)."""
    logging.getLogger("mail.log").disabled = True
    door = MailDoor(services, with_subject=settings.with_subject)
    connections: set[_Connection] = set()

    def connection() -> _Connection:
        return _Connection(door, connections, tls, insecure=settings.insecure)

    def made() -> asyncio.Protocol:
        return _Busy() if len(connections) >= _MOST_CONNECTIONS else connection()

    server = await asyncio.get_running_loop().create_server(made, sock=bound)
    try:
        yield
    finally:
        server.close()
        for each in tuple(connections):
            each.leave()
        # They are told in the next round of the loop.
        await asyncio.sleep(0)


def _key(name: str, numbers: list[str], text: str) -> str | None:
    """A mail that is handed over once more, because its sender never heard the answer, is the same mail."""
    if not name:
        return None
    said = "\0".join((name, *numbers, text)).encode(errors="replace")
    return f"mail/{hashlib.sha256(said).hexdigest()}"


def _refused(message: str) -> AuthResult:
    return AuthResult(success=False, handled=False, message=message)


def _reply(error: GatewayError) -> str:
    if error.code == "text_too_long":
        return _worded("552 5.3.4", f"the text {error.message}")
    return _worded(next((code for kind, code in _REPLIES if isinstance(error, kind)), _OTHER), error.message)


def _worded(code: str, sentence: str) -> str:
    """One line of ASCII."""
    line = " ".join(sentence.encode("ascii", "replace").decode().split())
    return f"{code} {line}"[:_REPLY_MAX]
