"""A client of our own that asks at a steady pace, in a process of its own: how long answers take meanwhile.

`python -m bench.steady_load HOST PORT TOKEN PER_SECOND` posts messages over some connections, each at its moment and
not as soon as the one before is answered, until it is asked to end; then it prints milliseconds as one JSON list. It
prints `ready` when it can be asked to. How long an answer took counts from the moment at which it was to be asked for.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time
from types import FrameType

from bench.wire import TEXT

_FIRST_NUMBER = 33_620_000_000
_CONNECTIONS = 5
_APART = 100_000


class _Asker(threading.Thread):
    """One connection, which asks every `every` seconds."""

    def __init__(self, address: tuple[str, int], token: str, place: int, every: float, ended: threading.Event) -> None:
        super().__init__()
        self._connection = http.client.HTTPConnection(*address, timeout=60)
        self._fields = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._first = _FIRST_NUMBER + place * _APART
        self._begins = place * every / _CONNECTIONS
        self._every = every
        self._ended = ended
        self.took: list[float] = []

    def run(self) -> None:
        """Until it is time to end."""
        began = time.perf_counter() + self._begins
        while not self._ended.is_set():
            due = began + len(self.took) * self._every
            if (wait := due - time.perf_counter()) > 0 and self._ended.wait(wait):
                break
            body = json.dumps({"to": f"+{self._first + len(self.took)}", "text": TEXT})
            self._connection.request("POST", "/v1/messages", body, self._fields)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status != http.client.ACCEPTED:
                raise RuntimeError(f"refused with {answer.status}")
            self.took.append((time.perf_counter() - due) * 1000)


def load(address: tuple[str, int], token: str, per_second: float) -> list[float]:
    """Ask until SIGTERM comes; milliseconds of each answer."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    askers = [_Asker(address, token, place, _CONNECTIONS / per_second, ended) for place in range(_CONNECTIONS)]
    for asker in askers:
        asker.start()
    ended.wait()
    for asker in askers:
        asker.join()
    return [took for asker in askers for took in asker.took]


if __name__ == "__main__":
    print(json.dumps(load((sys.argv[1], int(sys.argv[2])), sys.argv[3], float(sys.argv[4]))))
