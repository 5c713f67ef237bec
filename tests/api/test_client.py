"""The Python client against a gateway, and against servers that do what gateways do at their worst."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from api.client.client import Client
from api.client.errors import ApiError, NoAnswer, NotAGateway, Phase
from api.client.events import parsed
from api.client.exchange import Repeating
from gateway.daemon import Gateway

NUMBER = "+33639980701"


@pytest.fixture
def client(gateway: Gateway) -> Client:
    return Client(gateway.url, gateway.admin_token, timeout_s=10)


@pytest.fixture
def scripted() -> Iterator[Callable[..., tuple[str, list[tuple[str, dict[str, str]]]]]]:
    """A server with these answers, one after the other; gives its address and what it was asked."""
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: tuple[int, dict[str, str], bytes] | None) -> tuple[str, list[tuple[str, dict[str, str]]]]:
        left, asked = list(answers), list[tuple[str, dict[str, str]]]()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def answer(self) -> None:
                asked.append((f"{self.command} {self.path}", dict(self.headers.items())))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = left.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                status, fields, body = answer
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _impatient(url: str, waited: list[float] | None = None) -> Client:
    client = Client(url, "tocsin_x", timeout_s=5, repeating=Repeating(2, 0.001))
    client.exchange.pause = (waited if waited is not None else []).append
    return client


@pytest.mark.asyncio(loop_scope="session")
async def test_every_method_against_a_gateway(client: Client):
    await asyncio.to_thread(_use_everything, client)


@pytest.mark.asyncio(loop_scope="session")
async def test_people_and_campaigns_by_the_client(client: Client, tmp_path: Path):
    await asyncio.to_thread(_campaign, client, tmp_path / "people.csv")


def _campaign(client: Client, file: Path) -> None:
    file.write_text(f"number,of_client\n{NUMBER},1\nnobody,2\n", encoding="utf-8")
    found = client.import_contacts(file, tags="of-the-client")
    assert (found["status"], found["added"] + found["changed"], found["rejected"]) == ("finished", 1, 1)
    for source in ("attributes.of_client > 2", "attributes.of_client == 1"):
        assert client.set_segment("of-client", source)["filter"] == source
    assert client.count("of-client")["count"] == 1
    for text in ("first", "Hello {{ who }}"):
        assert client.set_template("of-client", {"": text})["texts"] == {"": text}
    assert client.preview_template("of-client", ["of-client"], who="you")["longest"]["text"] == "Hello you"
    with pytest.raises(ApiError) as caught:
        client.set_segment("of-client", "nothing > 2")
    assert caught.value.code == "filter_unknown"
    # It runs, and nothing of it leaves meanwhile.
    one = {"name": "only", "template": "of-client", "send_at": "2099-01-01T12:00:00Z"}
    made = client.create_campaign("c", ["of-client"], variants=[one], variables={"who": "you"})
    assert client.start_campaign(made["id"], force=True)["status"] == "running"
    assert client.pause_campaign(made["id"])["status"] == "paused"
    assert client.resume_campaign(made["id"])["status"] == "running"
    assert client.cancel_campaign(made["id"])["status"] == "canceled"
    assert client.campaign(made["id"])["counts"]["members"] == 1
    assert client.campaign_report(made["id"])["figures"]["members"] == 1
    told = client.convert(number=NUMBER, kind="order", reference="of-client")
    assert client.convert(number=NUMBER, kind="order", reference="of-client") == told


def _use_everything(client: Client) -> None:
    sent = client.send(NUMBER, "hello", reference="client", key="once")
    assert client.send(NUMBER, "hello", reference="client", key="once")["id"] == sent["id"]
    batch = client.send_all([{"to": NUMBER, "text": "one"}, {"to": NUMBER, "text": "two"}])
    assert client.message(batch[0]["id"])["text"] == "one"
    lines = list(
        client.stream({"to": NUMBER, "text": f"line {n}"} if n != 1 else {"to": "x", "text": ""} for n in range(3))
    )
    assert [sorted(line) for line in lines] == [["id", "status"], ["error"], ["id", "status"]]
    assert client.preview(NUMBER, "hello")["parts"] == 1
    assert [one["id"] for one in client.messages(reference="client", most=5)] == [sent["id"]]
    assert len(list(client.messages(to=NUMBER))) == 5
    assert client.timeline(sent["id"])[0]["event"].startswith("message.")
    assert list(client.inbox(sender=NUMBER)) == []
    client.opt_out(NUMBER)
    assert [one["number"] for one in client.optouts(number=NUMBER)] == [NUMBER]
    client.lift_optout(NUMBER)
    assert [modem["name"] for modem in client.modems()] == ["sim1"]
    assert client.pause(["promotional"])["paused"] is True
    assert client.resume()["paused"] is False
    assert client.create_token("of-the-client", ["send"])["token"].startswith("tocsin_")
    assert "of-the-client" in [token["name"] for token in client.tokens()]
    client.revoke_token("of-the-client")
    assert list(client.consents(number=NUMBER)) == []
    with pytest.raises(ApiError) as caught:
        client.send("12ab", "hello")
    assert (caught.value.status, caught.value.code, caught.value.errors[0].pointer) == (422, "number_invalid", "/to")


def test_later_is_obeyed_where_that_does_no_harm(scripted):
    problem = b'{"code": "store_busy", "detail": "later"}'
    later, done = (503, {"Retry-After": "7"}, problem), (202, {}, b'{"id": "1"}')
    url, asked = scripted(later, None, done)
    waited: list[float] = []
    assert _impatient(url, waited).send(NUMBER, "x")["id"] == "1"
    assert waited[0] == 7
    assert len({fields["Idempotency-Key"] for _, fields in asked}) == 1
    assert len(asked) == 3
    # Nothing says that this may be done twice.
    url, asked = scripted(later)
    with pytest.raises(ApiError) as caught:
        _impatient(url).resume()
    assert (caught.value.retry_after, len(asked)) == (7, 1)
    # An hour is not waited for.
    url, asked = scripted((429, {"Retry-After": "3600"}, problem))
    with pytest.raises(ApiError):
        _impatient(url).message("1")
    assert len(asked) == 1


def test_what_is_no_gateway(scripted):
    url, _ = scripted((200, {}, b"<html>"))
    with pytest.raises(NotAGateway):
        _impatient(url).message("1")
    url, asked = scripted(None, None, None)
    with pytest.raises(NoAnswer) as caught:
        _impatient(url).message("1")
    assert (caught.value.phase, len(asked)) == (Phase.ASKED, 3)
    for wrong in ("gateway", "ftp://x", "unix:x", "http://é"):
        with pytest.raises(ValueError, match=r"URL|unix"):
            Client(wrong, "tocsin_x")
    with pytest.raises(ValueError, match="one word"):
        Client("http://127.0.0.1:1", "two words")


def test_a_stream_of_events_goes_on_where_it_broke(scripted):
    kind = {"Content-Type": "text/event-stream; charset=utf-8"}

    def event(number: int) -> bytes:
        body = json.dumps({"type": "message.sent", "timestamp": "", "data": {"id": str(number)}})
        return f"id: c{number}\nevent: message.sent\ndata: {body}\n\n".encode()

    url, asked = scripted(
        (200, kind, b"id: c0\n\n" + event(1) + event(2)[:-2]), (200, kind, event(2)), (403, {}, b'{"detail": "no"}')
    )
    events = _impatient(url).events(types="message.*")
    assert [next(events).document["data"]["id"] for _ in range(2)] == ["1", "2"]
    with pytest.raises(ApiError, match="no"):
        next(events)
    assert [fields.get("Last-Event-ID") for _, fields in asked] == [None, "c1", "c2"]
    assert asked[0][0] == "GET /v1/events?types=message.%2A"


def test_events_of_several_lines():
    lines = b'id: 1\nevent: x\ndata: {"a":\ndata: 1}\n\n:comment\n\n'.splitlines(keepends=True)
    event = next(parsed(lines))
    assert (event.id, event.type, event.document) == ("1", "x", {"a": 1})
