"""Serial devices behind Unix sockets with abstract names, for a client that opens such sockets instead of devices."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_STEP_S = 0.2


@contextlib.contextmanager
def bridged(devices: Mapping[str, Path]) -> Iterator[None]:
    """While the block runs, each name leads to its device; several clients share one, as several opens would."""
    over = threading.Event()
    threads = [threading.Thread(target=_listen, args=(name, path, over)) for name, path in devices.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _listen(name: str, path: Path, over: threading.Event) -> None:
    device = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    clients: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + name)
        listener.listen()
        while not over.is_set():
            ready, _, _ = select.select([listener, device, *clients], [], [], _STEP_S)
            for each in ready:
                if each is listener:
                    clients.append(listener.accept()[0])
                elif each == device:
                    data = os.read(device, 4096)
                    for client in clients:
                        client.sendall(data)
                else:
                    _pass_on(each, device, clients)
    for client in clients:
        client.close()
    os.close(device)


def _pass_on(client: socket.socket, device: int, clients: list[socket.socket]) -> None:
    try:
        data = client.recv(4096)
    except ConnectionError:
        data = b""
    if data:
        os.write(device, data)
    else:
        clients.remove(client)
        client.close()
