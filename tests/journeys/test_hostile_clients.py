"""A gateway among clients that mean it harm: bodies without end, connections that say nothing, guesses of tokens."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from support.daemon import Client, DaemonProcess, client_of, daemon
from support.memory import peak_mib, resident_mib

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
[api]
listen = ["127.0.0.1:0"]
[modems.sim1]
port = "simulated:"
"""
IDLE = 1000
MIB = 1 << 20
#: A body, what it is sent with besides its type, and the status and code of its refusal.
BODIES: dict[str, tuple[list[bytes], str, str]] = {
    "100 MB": ([bytes(MIB)] * 100, f"Content-Length: {100 * MIB}\r\n", "413 body_too_large"),
    "chunked without end": (
        [b"100000\r\n" + bytes(MIB) + b"\r\n"] * 100,
        "Transfer-Encoding: chunked\r\n",
        "413 body_too_large",
    ),
    "a bomb of gzip": (
        [gzip.compress(bytes(100 * MIB), 9)],
        "Content-Encoding: gzip\r\n",
        "415 unsupported_media_type",
    ),
    "deep JSON": ([b'{"to":' + b"[" * MIB], "", "400 invalid_json"),
    "a name twice": ([b'{"to": "+33639980101", "to": "+33639980102"}'], "", "400 invalid_json"),
    "NaN": ([b'{"to": NaN}'], "", "400 invalid_json"),
    "10**308 times ten": ([b'{"to": 1' + b"0" * 309 + b".0}"], "", "400 invalid_json"),
    "a number of a million digits": ([b'{"to": 1' + b"0" * MIB + b"}"], "", "400 invalid_json"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory) -> AsyncIterator[DaemonProcess]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    async with daemon(folder, CONFIG) as made:
        await made.start()
        yield made


@asynccontextmanager
async def _connection(gateway: DaemonProcess, local: str = "127.0.0.1"):
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(local, 0))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _refusal(gateway: DaemonProcess, chunks: list[bytes], fields: str) -> tuple[str, int]:
    """Status and code of the answer to a message with such a body, and how many octets were sent until then."""
    length = "" if "Content-Length" in fields or "chunked" in fields else f"Content-Length: {sum(map(len, chunks))}\r\n"
    port, sent = gateway.url.rpartition(":")[2], 0
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {gateway.token}\r\n"
        f"Content-Type: application/json\r\n{length}{fields}\r\n"
    )
    async with _connection(gateway) as (reader, writer):
        answer = asyncio.ensure_future(reader.readuntil(b"}"))
        writer.write(head.encode())
        for chunk in chunks:
            if answer.done() or writer.is_closing():
                break
            writer.write(chunk)
            sent += len(chunk)
            try:
                await writer.drain()
            except ConnectionError:
                break
        text = (await asyncio.wait_for(answer, 20)).decode()
    code = text.partition('"code":"')[2].partition('"')[0]
    return f"{text.split(' ')[1]} {code}", sent


async def _waits(client: Client, times: int) -> list[float]:
    """How long a client with a right token waits for each of its answers, in ms, from the best to the worst."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        await client.ok("GET", "/v1/pause")
        found.append((time.perf_counter() - started) * 1000)
    return sorted(found)


async def test_bodies_of_every_bad_kind(gateway: DaemonProcess, tell: Callable[[str], None]) -> None:
    assert gateway.process is not None
    before = resident_mib(gateway.process.pid)
    found, sent = {}, 0
    for name, (chunks, fields, _) in BODIES.items():
        found[name], octets = await _refusal(gateway, chunks, fields)
        sent += octets
    grown = peak_mib(gateway.process.pid) - before
    assert found == {name: refusal for name, (_, _, refusal) in BODIES.items()}
    tell(
        f"H05: {len(found)} hostile bodies refused, {sent // MIB} MiB of them sent: the process grew by {grown:.0f} MiB"
    )
    assert grown < 64


async def test_a_thousand_idle_connections(gateway: DaemonProcess, tell: Callable[[str], None]) -> None:
    async with AsyncExitStack() as stack, client_of(gateway.url, gateway.token) as client:
        alone = await _waits(client, 100)
        held = [await stack.enter_async_context(_connection(gateway, "127.0.0.2")) for _ in range(IDLE)]
        for number, (_, writer) in enumerate(held):
            # Half of them have begun a request that never ends.
            writer.write(b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nX-Slow: " if number % 2 else b"")
        beside = await _waits(client, 100)
        # From the same address too, past its share of the room: the longest idle ones make place.
        more = [await stack.enter_async_context(_connection(gateway, "127.0.0.2")) for _ in range(IDLE // 2)]
        reader, writer = more[-1]
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in await asyncio.wait_for(reader.readline(), 10)
        assert await asyncio.wait_for(held[0][0].read(), 10) == b""
        crowded = await _waits(client, 100)
    tell(
        f"H06: answers to another client, p99 in ms: {alone[98]:.1f} alone, {beside[98]:.1f} beside {IDLE} idle "
        f"connections, {crowded[98]:.1f} beside {IDLE + IDLE // 2}"
    )
    assert crowded[98] < 1000


async def test_guesses_are_held_off_and_nobody_else_is(gateway: DaemonProcess, tell: Callable[[str], None]) -> None:
    port = gateway.url.rpartition(":")[2]
    guess = f"GET /v1/pause HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer tocsin_%d\r\n\r\n"

    async def guesses(count: int) -> list[bytes]:
        async with _connection(gateway) as (reader, writer):
            heads = []
            for number in range(count):
                writer.write((guess % number).encode())
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                heads.append(head)
            return heads

    async with client_of(gateway.url, gateway.token) as client:
        flood = asyncio.ensure_future(guesses(1000))
        waits = await _waits(client, 200)
        heads = await flood
        assert (await client.call("GET", "/v1/pause"))[0] == 200
    refused = [head for head in heads if head.startswith(b"HTTP/1.1 429")]
    assert all(head.startswith(b"HTTP/1.1 401") for head in heads if head not in refused)
    assert b"Retry-After: " in refused[-1]
    log = (gateway.folder / "stderr.log").read_text(encoding="utf-8")
    assert log.count("wrong tokens again and again") == 1
    assert "tocsin_9" not in log
    tell(
        f"A04: of {len(heads)} guesses over HTTP {len(refused)} got 429; a right token from the same address "
        f"meanwhile: 200 of 200 served, p99 {waits[197]:.1f} ms"
    )
    assert len(refused) > 800
