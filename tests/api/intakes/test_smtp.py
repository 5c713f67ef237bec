"""E-mail to SMS: what is accepted, how it is refused, and what a hostile peer gets."""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
import shutil
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from support.http import Api
from support.tree import ROOT

from api.intakes.mailbox import listening
from api.intakes.smtp import MAIL_MAX, MOST_RECIPIENTS
from api.throttle import wrong_token
from gateway.certificate import Certificate
from gateway.config.settings import EmailSettings, TlsFiles
from gateway.daemon import Gateway
from gateway.requests import Principal

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE, TWO = "+33639980021", "+33639980022"
_SESSION = {"scope": "module", "loop_scope": "session"}
_names = itertools.count()


class Peer:
    """Says lines, and reads the codes of the answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hears(self) -> str:
        """One answer, its last line."""
        async with asyncio.timeout(10):
            while (line := await self.reader.readline()) and line[3:4] == b"-":
                pass
        return line.decode().strip()

    async def says(self, line: str | bytes) -> str:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return await self.hears()

    async def mails(self, *to: str, body: bytes) -> str:
        assert (await self.says("MAIL FROM:<ups@example.org>")).startswith("250")
        for each in to:
            assert (await self.says(f"RCPT TO:<{each}@sms.example>")).startswith("250")
        assert (await self.says("DATA")).startswith("354")
        return await self.says(body + b"\r\n.")


@pytest_asyncio.fixture(**_SESSION)
async def port(gateway: Gateway) -> AsyncIterator[int]:
    bound = socket.create_server(("127.0.0.1", 0))
    async with listening(gateway.services, EmailSettings(None, with_subject=True), [bound]):
        yield bound.getsockname()[1]


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(port: int) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    peer = Peer(reader, writer)
    assert (await peer.hears()).startswith("220")
    assert (await peer.says("EHLO here")).startswith("250")
    yield peer
    writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def peer(stranger: Peer, api: Api) -> Peer:
    login = base64.b64encode(f"\0anybody\0{api.token}".encode()).decode()
    assert (await stranger.says(f"AUTH PLAIN {login}")).startswith("235")
    return stranger


async def texts(api: Api, number: str = ONE) -> list[str]:
    answer = await api.get("/v1/messages", params={"to": number})
    return [each["text"] for each in answer.items]


async def test_a_mail_is_a_message_to_each_recipient(peer: Peer, api: Api):
    body = (
        b"Subject: =?utf-8?q?Onduleur=20d=C3=A9charg=C3=A9?=\r\nMessage-ID: <1@x>\r\n\r\nReste 5 min\r\n-- \r\nups\r\n"
    )
    first = await peer.mails(ONE, "06 39 98 00 22".replace(" ", ""), ONE, body=body)
    assert first.startswith("250 2.0.0 accepted as ")
    # Its sender never heard the answer.
    assert await peer.mails(ONE, TWO, body=body) == first
    assert [await texts(api, each) for each in (ONE, TWO)] == [["Onduleur déchargé: Reste 5 min"]] * 2


async def test_who_is_not_known_is_heard_no_further(stranger: Peer, holder):
    assert (await stranger.says("MAIL FROM:<a@b>")).startswith("530")
    wrong = base64.b64encode(b"\0u\0tocsin_" + b"A" * 43).decode()
    assert (await stranger.says(f"AUTH PLAIN {wrong}")).startswith("535 5.7.8")
    reader_only = base64.b64encode(f"\0u\0{(await holder('read')).token}".encode()).decode()
    assert (await stranger.says(f"AUTH PLAIN {reader_only}")).startswith("550 5.7.1")
    assert (await stranger.says("AUTH PLAIN =")).startswith("501")
    assert (await stranger.says("AUTH CRAM-MD5")).startswith("504")
    assert (await stranger.says(f"AUTH PLAIN {wrong}")).startswith("421")
    assert await stranger.reader.read() == b""


async def test_recipients_are_refused_one_by_one(peer: Peer):
    await peer.says("MAIL FROM:<a@b>")
    refused = {name: await peer.says(f"RCPT TO:<{name}>") for name in ("bob@x", "12@x", "+33899000000@x", ONE)}
    assert [answer[:9] for answer in refused.values()] == ["550 5.1.1", "550 5.1.1", "550 5.1.1", "553 5.1.3"]
    numbers = [f"+3363998{at:04}" for at in range(MOST_RECIPIENTS + 1)]
    answers = [await peer.says(f"RCPT TO:<{each}@x>") for each in numbers]
    assert {answer[:3] for answer in answers[:-1]} == {"250"}
    assert answers[-1].startswith("452 4.5.3")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"\r\n-- \r\nme", "554 5.6.0"),
        (b"Content-Type: image/png\r\n\r\nx", "554 5.6.0"),
        (b"\r\nx\x00y", "554 5.6.0"),
        (b"\r\n" + b"many words " * 400, "500"),
        (b"\r\n" + b"many words\r\n" * 400, "552 5.3.4"),
        (b"\r\n" + b"x" * 78 + b"\r\n" + (b"y" * 78 + b"\r\n") * (MAIL_MAX // 80), "552"),
        (b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n", "554"),
    ],
    ids=["empty", "no text", "NUL", "a long line", "too long for an SMS", "too large", "no boundary"],
)
async def test_a_mail_that_is_no_message_is_refused_and_the_next_one_taken(peer: Peer, body: bytes, answer: str):
    assert (await peer.mails(ONE, body=body)).startswith(answer)
    assert (await peer.mails(ONE, body=b"\r\nafter all")).startswith("250")


async def test_nothing_is_smuggled_in_behind_a_bare_line_feed(peer: Peer, api: Api):
    hidden = b"\r\nsmuggle\n.\nMAIL FROM:<a@b>\nRCPT TO:<%b@x>\nDATA\n\nhidden\n.\n" % TWO.encode()
    before = await texts(api, TWO)
    assert (await peer.mails(ONE, body=hidden)).startswith("250")
    assert await texts(api, TWO) == before
    assert (await texts(api))[0].startswith("smuggle\n.\nMAIL FROM")


async def test_commands_in_one_packet_are_answered_in_order(peer: Peer, api: Api):
    sender, to = "MAIL FROM:<a@b>", f"RCPT TO:<{ONE}@x>"
    lines = [sender, to, "BDAT 3 LAST", "RCPT TO:<bad@x>", "DATA", "", "at once", ".", "NOOP", ""]
    peer.writer.write("\r\n".join(lines).encode())
    assert [(await peer.hears())[:3] for _ in range(7)] == ["250", "250", "500", "550", "354", "250", "250"]
    assert (await texts(api))[0] == "at once"


@pytest.mark.parametrize("in_data", [False, True], ids=["a command without end", "a mail without end"])
async def test_what_does_not_end_is_cut_off(peer: Peer, in_data: bool):
    if in_data:
        await peer.says("MAIL FROM:<a@b>")
        await peer.says(f"RCPT TO:<{ONE}@x>")
        await peer.says("DATA")
    for _ in range(40):
        peer.writer.write(b"x" * 16384)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await peer.reader.readexactly(1)


class _Tokens:
    """Those of the gateway, with an account of their own for guesses: other tests' are not to suffer."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def authenticate(self, secret: str) -> Principal:
        return self._gateway.services.tokens.authenticate(secret)


async def test_guesses_are_told_to_wait_and_let_go_and_a_right_password_is_taken_at_once(gateway: Gateway, api: Api):
    bound = socket.create_server(("127.0.0.1", 0))
    guess, right = (base64.b64encode(f"\0u\0{each}".encode()).decode() for each in ("tocsin_guess", api.token))
    services = replace(gateway.services, tokens=_Tokens(gateway))
    answers: list[str] = []

    class Transport(asyncio.BaseTransport):
        """Over which the same address guessed before, by HTTP."""

        def get_extra_info(self, name: str, default: object = None) -> object:
            return ("127.0.0.1", 5) if name == "peername" else default

    async def session(*logins: str) -> bytes:
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        peer = Peer(reader, writer)
        await peer.hears()
        await peer.says("EHLO here")
        answers.extend([(await peer.says(f"AUTH PLAIN {login}"))[:9] for login in logins])
        writer.write(b"QUIT\r\n")
        rest = await reader.read()
        writer.close()
        return rest

    async with listening(services, EmailSettings(None), [bound]):
        assert await session(guess) == b"221 Bye\r\n"
        while wrong_token(Transport(), services.tokens) is None:
            pass
        assert await session(guess) == b""
        assert await session(right) == b"221 Bye\r\n"
    assert answers == ["535 5.7.8", "421 4.7.0", "235 2.7.0"]


async def test_a_recipient_that_the_token_may_not_write_to_is_refused_when_it_is_named(stranger: Peer, holder):
    bounded = await holder("send", destinations=["+331"])
    login = base64.b64encode(f"\0anybody\0{bounded.token}".encode()).decode()
    assert (await stranger.says(f"AUTH PLAIN {login}")).startswith("235")
    await stranger.says("MAIL FROM:<a@b>")
    refused = await stranger.says(f"RCPT TO:<{ONE}@x>")
    assert refused == "550 5.7.1 the recipient is not among the destinations of this token"
    assert (await stranger.says("RCPT TO:<+33123456789@x>")).startswith("250")


VECTORS = ROOT / "tests/vectors/tls"


def _take(name: str, folder: Path) -> None:
    for kind in ("pem", "key"):
        shutil.copyfile(VECTORS / f"{name}.{kind}", folder / f"mail.{kind}")
        (folder / f"mail.{kind}").chmod(0o600)


def _trusting(name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=VECTORS / f"{name}.pem")
    context.check_hostname = False
    return context


def _mailed(port: int, token: str, trusted: str, text: str) -> None:
    """As programs of Python send mail."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        server.starttls(context=_trusting(trusted))
        server.login("ups", token)
        assert server.sendmail("ups@example.org", f"{ONE}@sms.lan", f"\r\n{text}\r\n") == {}


async def test_with_a_certificate_a_password_is_heard_behind_starttls_alone(
    gateway: Gateway, api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    _take("one", tmp_path)
    certificate = Certificate(TlsFiles(tmp_path / "mail.pem", tmp_path / "mail.key"))
    bound = socket.create_server(("127.0.0.1", 0))
    port: int = bound.getsockname()[1]

    def naked() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
            server.ehlo()
            assert (server.has_extn("starttls"), server.has_extn("auth")) == (True, False)
            assert server.docmd("AUTH", "PLAIN AHUAeA==")[0] == 538

    def hostile() -> bytes:
        """What follows STARTTLS in the clear is never obeyed (CVE-2011-0411); what is no TLS ends the connection."""
        with socket.create_connection(("127.0.0.1", port), 10) as peer:
            peer.sendall(b"EHLO x\r\nSTARTTLS\r\nNOOP\r\nNOOP\r\n")
            told = b""
            while b"220 Ready to start TLS\r\n" not in told:
                told += peer.recv(4096)
            peer.sendall(b"NOOP\r\n")
            return told.partition(b"220 Ready")[2] + peer.recv(4096)

    async with listening(gateway.services, EmailSettings(None), [bound], certificate.context):
        await asyncio.to_thread(naked)
        await asyncio.to_thread(_mailed, port, api.token, "one", "behind TLS")
        with caplog.at_level(logging.WARNING):
            assert b"250" not in await asyncio.to_thread(hostile)
        assert caplog.records == []
        _take("two", tmp_path)
        await certificate._renew()
        await asyncio.to_thread(_mailed, port, api.token, "two", "behind the new one")
    assert (await texts(api))[:2] == ["behind the new one", "behind TLS"]


async def test_a_network_that_is_trusted_on_purpose_may_do_without(gateway: Gateway, api: Api, tmp_path: Path):
    _take("one", tmp_path)
    bound = socket.create_server(("127.0.0.1", 0))
    certificate = Certificate(TlsFiles(tmp_path / "mail.pem", tmp_path / "mail.key"))

    def login() -> None:
        with smtplib.SMTP("127.0.0.1", bound.getsockname()[1], timeout=10) as server:
            assert server.login("ups", api.token)[0] == 235

    async with listening(gateway.services, EmailSettings(None, insecure=True), [bound], certificate.context):
        await asyncio.to_thread(login)
