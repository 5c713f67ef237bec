"""Which gateway is meant, and what is said when it cannot be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import assert_failed, passed

from gateway.cli.client import GatewayClient
from gateway.cli.errors import Failure
from gateway.cli.reach import url_of
from gateway.config.loader import load_settings

HELD = "tocsin: no gateway answers at {url} (connection refused); is `tocsin serve` running?"


@pytest.fixture
def unused() -> str:
    """An address at which nobody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """A server that is no gateway: it answers each request with the same octets."""
    server = socket.create_server(("127.0.0.1", 0))
    answers: list[bytes] = []

    def run() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answers[0])

    thread = threading.Thread(target=run)

    def start(answer: bytes) -> str:
        answers.append(answer)
        thread.start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


@pytest.mark.parametrize("before", [True, False])
def test_options_stand_before_or_after_the_command(bare, daemon, before: bool):
    options = ("--config", str(daemon.config), "--json")
    result = bare(*options, "modems") if before else bare("modems", *options)
    assert passed(result).startswith('{"name":"sim1"')


def test_the_later_mention_wins(bare, daemon):
    passed(bare("--config", "/nowhere", "modems", "--config", str(daemon.config)))
    passed(bare("--config", str(daemon.config), "modems", TOCSIN_CONFIG="/nowhere"))
    passed(bare("token", "--config", str(daemon.config), "list"))


@pytest.mark.parametrize("where", ["--url", "TOCSIN_URL"])
def test_with_address_and_token_no_configuration_is_needed(bare, daemon, where: str):
    environ = {"TOCSIN_TOKEN": daemon.token, "TOCSIN_CONFIG": "/nowhere"}
    said = ("--url", daemon.url + "/") if where == "--url" else ()
    passed(bare("modems", *said, **environ | ({} if said else {"TOCSIN_URL": daemon.url})))


def test_the_token_of_the_environment_wins_over_the_file(tocsin, daemon):
    assert_failed(
        tocsin("modems", TOCSIN_TOKEN="tocsin_wrong"),
        1,
        f"tocsin: the gateway at {daemon.url} refused the token of TOCSIN_TOKEN",
    )


def test_an_address_with_the_token_of_the_file(tocsin, daemon, unused: str):
    passed(tocsin("modems", "--url", daemon.url))
    assert_failed(tocsin("modems", "--url", unused), 1, HELD.format(url=unused))


def test_no_gateway_at_the_address_of_the_configuration(bare, config: Path, unused: str):
    config.write_text(config.read_text().replace("127.0.0.1:0", unused.removeprefix("http://")))
    (config.parent / "state").mkdir()
    (config.parent / "state/cli.token").write_text("tocsin_x\n")
    assert_failed(bare("inbox", TOCSIN_CONFIG=str(config)), 1, HELD.format(url=unused))


@pytest.mark.parametrize(
    ("prepare", "line"),
    [
        (lambda file: None, "there is no {file}: start the gateway once, or set TOCSIN_TOKEN"),
        (
            lambda file: file.mkdir(parents=True),
            "{file} cannot be read (is a directory): run as the gateway's user, or set TOCSIN_TOKEN",
        ),
        (lambda file: (file.parent.mkdir(), file.write_bytes(b"")), "{file} does not hold a token"),
        (lambda file: (file.parent.mkdir(), file.write_bytes(b"a b\nc")), "{file} does not hold a token"),
        (lambda file: (file.parent.mkdir(), file.write_bytes(b"\xff\xfe")), "{file} does not hold a token"),
    ],
)
def test_the_file_of_the_token(bare, config: Path, prepare: Callable[[Path], object], line: str):
    file = config.parent / "state/cli.token"
    config.write_text(config.read_text().replace("127.0.0.1:0", "127.0.0.1:7672"))
    prepare(file)
    assert_failed(bare("modems", TOCSIN_CONFIG=str(config)), 1, "tocsin: " + line.format(file=file))


@pytest.mark.parametrize(
    "url", ["gateway", "ftp://x", "http://", "http://x:0", "http://x:99999", "http://[", "http://a b", "http://é"]
)
def test_an_address_that_is_none(bare, url: str):
    result = bare("modems", "--url", url, TOCSIN_TOKEN="tocsin_x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'the gateway\'s address must be a URL such as "http://127.0.0.1:7672"' in result.stderr


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nHello", "{url} does not answer as a gateway does (HTTP 200)"),
        (b"HTTP/1.1 200 OK\r\n\r\n[]", "{url} does not answer as a gateway does (HTTP 200)"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", "{url} does not answer as a gateway does (HTTP 502)"),
        (b"HTTP/1.1 500 X\r\n\r\n{}", "the gateway answered HTTP 500"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the gateway at {url} broke off (BadStatusLine)"),
        (b"", "the gateway at {url} broke off (RemoteDisconnected)"),
        (b'HTTP/1.1 422 X\r\n\r\n{"detail": "a\\u001b[31m\\nb", "errors": 1}', "a\\nb"),
    ],
)
def test_a_server_that_is_no_gateway(bare, answering: Callable[[bytes], str], answer: bytes, line: str):
    url = answering(answer)
    assert_failed(bare("modems", "--url", url, TOCSIN_TOKEN="tocsin_x"), 1, "tocsin: " + line.format(url=url))


def test_a_broken_answer_to_a_change_leaves_a_doubt(bare, answering: Callable[[bytes], str]):
    url = answering(b"")
    assert_failed(
        bare("send", "+33639980501", "x", "--url", url, TOCSIN_TOKEN="tocsin_x"),
        1,
        f"tocsin: the gateway at {url} broke off (RemoteDisconnected); it may have been done all the same",
    )


def test_every_wrong_field_is_named(answering: Callable[[bytes], str]):
    url = answering(
        b'HTTP/1.1 422 X\r\n\r\n{"detail": "Two fields are wrong.", "code": "invalid_request", "errors": '
        b'[{"pointer": "/to", "message": "is missing"}, {"pointer": "/text", "message": "is empty"}]}'
    )
    with pytest.raises(Failure) as caught:
        GatewayClient(url, "tocsin_x", "the test").get("/v1/messages")
    assert caught.value.message == "Two fields are wrong.\n  to: is missing\n  text: is empty"


def test_plain_http_where_tls_is_expected(bare, daemon):
    url = daemon.url.replace("http:", "https:")
    result = bare("modems", "--url", url, TOCSIN_TOKEN=daemon.token)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "TLS" in result.stderr


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:7672", "http://127.0.0.1:7672"),
        ("[::1]:1", "http://[::1]:1"),
        ("0.0.0.0:2", "http://127.0.0.1:2"),
        ("[::]:3", "http://[::1]:3"),
        ("localhost:4", "http://localhost:4"),
    ],
)
def test_the_address_that_the_configuration_means(config: Path, listen: str, url: str):
    config.write_text(config.read_text().replace('["127.0.0.1:0"]', f'["{listen}"]\ninsecure = true'))
    assert url_of(load_settings(config, {})) == url


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": 1}', '{"url": 1}'])
def test_a_lock_that_names_no_address(config: Path, text: str):
    (config.parent / "state").mkdir()
    (config.parent / "state/tocsin.lock").write_text(text)
    with pytest.raises(Failure, match="no gateway runs on "):
        url_of(load_settings(config, {}))
