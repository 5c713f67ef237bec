"""A client of our own, in a process of its own: keep-alive connections that each post as soon as they are answered.

`python -m bench.http_load HOST PORT TOKEN CLIENTS SECONDS` prints one JSON document. Plain sockets and a selector, so
that the client takes little of the two cores that it shares with the daemon.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

from bench.figures import percentile
from bench.wire import TEXT

_FIRST_NUMBER = 33_610_000_000
_PATIENCE_S = 30.0
_WARM_S = 0.5


class _Client:
    """One connection; `octets` of a request are made anew each time, to another number."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._answer = b""
        self._began = 0.0

    def post(self, number: int) -> None:
        body = b'{"to":"+%d","text":"%s"}' % (_FIRST_NUMBER + number, TEXT.encode())
        self._answer = b""
        self._began = time.perf_counter()
        self.socket.sendall(self._head + b"%d\r\n\r\n" % len(body) + body)

    def answered(self) -> tuple[int, float] | None:
        """Status and seconds once the answer is whole."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server hung up")
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return None
        return int(head[9:12]), time.perf_counter() - self._began


def load(address: tuple[str, int], token: str, clients: int, seconds: float) -> dict[str, object]:
    """Post for so long, after some warming up; how many a second, and milliseconds."""
    with selectors.DefaultSelector() as selector:
        number = 0
        for _ in range(clients):
            client = _Client(address, token)
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.post(number := number + 1)
        began = time.perf_counter() + min(_WARM_S, seconds / 4)
        samples: list[float] = []
        refused = answered = 0
        while (now := time.perf_counter()) < began + seconds:
            ready = selector.select(_PATIENCE_S)
            if not ready:
                raise TimeoutError("no answer")
            for key, _ in ready:
                if (answer := key.data.answered()) is None:
                    continue
                answered += 1
                refused += answer[0] != 202
                if now >= began:
                    samples.append(1000 * answer[1])
                key.data.post(number := number + 1)
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    samples.sort()
    per_s = len(samples) / seconds
    return {
        "per_s": per_s,
        "answered": answered,
        "p50": percentile(samples, 50),
        "p99": percentile(samples, 99),
        "refused": refused,
    }


if __name__ == "__main__":
    host, port, token, clients, seconds = sys.argv[1:]
    print(json.dumps(load((host, int(port)), token, int(clients), float(seconds))))
