"""A client of our own that hands in many messages with each request, in a process of its own.

`python -m bench.many_load HOST PORT TOKEN batch|ndjson CLIENTS SECONDS` prints one JSON document. Each message has its
own number and text. The bodies are made before anything is measured; each client is a thread that mostly waits.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Sequence

from bench.wire import TEXT

BATCH = 1000
LINES = 5000
_FIRST_NUMBER = 33_630_000_000
_TYPES = {"batch": "application/json", "ndjson": "application/x-ndjson"}


def bodies(kind: str, client: int, count: int) -> list[bytes]:
    """So many requests, none of whose messages is in another."""
    size = BATCH if kind == "batch" else LINES
    first = _FIRST_NUMBER + client * 10_000_000
    return [_body(kind, range(first + at * size, first + (at + 1) * size)) for at in range(count)]


def _body(kind: str, numbers: Sequence[int]) -> bytes:
    messages = [json.dumps({"to": f"+{number}", "text": f"{TEXT} {number}"}) for number in numbers]
    if kind == "ndjson":
        return "\n".join(messages).encode() + b"\n"
    return f'{{"messages":[{",".join(messages)}]}}'.encode()


class _Client(threading.Thread):
    """One connection: the next request as soon as the one before is answered."""

    def __init__(self, arguments: Sequence[str], client: int, until: threading.Event) -> None:
        super().__init__()
        host, port, token, kind = arguments
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self._fields = {"Authorization": f"Bearer {token}", "Content-Type": _TYPES[kind]}
        self._bodies = bodies(kind, client, 40 if kind == "batch" else 10)
        self._until = until
        self.accepted = self.refused = 0
        self.ended = 0.0

    def run(self) -> None:
        """Until it is time, or there is nothing left."""
        for body in self._bodies:
            if self._until.is_set():
                break
            self._connection.request("POST", "/v1/messages/batch", body, self._fields)
            answer = self._connection.getresponse().read()
            # Items and answer lines name an id each; a refusal does not.
            accepted = answer.count(b'"id":"')
            self.accepted += accepted
            self.refused += (body.count(b'"to"')) - accepted
        self.ended = time.perf_counter()
        self._connection.close()


def load(arguments: Sequence[str], clients: int, seconds: float) -> dict[str, float]:
    """Messages a second, and how many were refused."""
    until = threading.Event()
    threads = [_Client(arguments, client, until) for client in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    until.wait(seconds)
    until.set()
    for thread in threads:
        thread.join()
    accepted = sum(thread.accepted for thread in threads)
    return {
        "per_s": accepted / (max(thread.ended for thread in threads) - began),
        "accepted": accepted,
        "refused": sum(thread.refused for thread in threads),
    }


if __name__ == "__main__":
    print(json.dumps(load(sys.argv[1:5], int(sys.argv[5]), float(sys.argv[6]))))
