"""The service manager's descriptor store, as systemd speaks it, in a process of its own.

`keep FOLDER` holds what comes over FOLDER/notify (sd_notify: FDSTORE=1, FDNAME, FDSTOREREMOVE=1, descriptors as
SCM_RIGHTS; one that hangs up is dropped, as with FDPOLL). `launch FOLDER COMMAND…` becomes COMMAND with what is held:
descriptors from 3 on, LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID and NOTIFY_SOCKET. Shares no code with the product.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

NOTIFY, GIVE = "notify", "give"
_FIRST = 3
_MOST = 128


class Keeper:
    """Descriptors by their names, in the order in which they came."""

    def __init__(self, folder: Path) -> None:
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder / NOTIFY))
        self._give = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._give.bind(str(folder / GIVE))
        self._give.listen()
        self._held: list[tuple[str, int]] = []
        self._poll = select.poll()
        self._poll.register(self._notify, select.POLLIN)
        self._poll.register(self._give, select.POLLIN)

    def run(self) -> None:
        while True:
            found = dict(self._poll.poll())
            # What was told comes first: whoever asks wants to know of it.
            if self._notify.fileno() in found:
                self._hear()
            elif self._give.fileno() in found:
                self._hand_out()
            for descriptor in found.keys() & {held for _, held in self._held}:
                self._drop(lambda _, held, gone=descriptor: held == gone)

    def _hear(self) -> None:
        text, descriptors, _, _ = socket.recv_fds(self._notify, 4096, _MOST)
        told = dict(line.partition("=")[::2] for line in text.decode("ascii").splitlines())
        name = told.get("FDNAME", "stored")
        assert len(name) <= 255, name
        assert ":" not in name, name
        if told.get("FDSTORE") == "1":
            for descriptor in descriptors:
                self._held.append((name, descriptor))
                self._poll.register(descriptor, 0)
        if told.get("FDSTOREREMOVE") == "1":
            self._drop(lambda held_name, _: held_name == name)

    def _drop(self, which) -> None:  # type: ignore[no-untyped-def]
        for name, descriptor in [each for each in self._held if which(*each)]:
            self._poll.unregister(descriptor)
            os.close(descriptor)
            self._held.remove((name, descriptor))

    def _hand_out(self) -> None:
        asking, _ = self._give.accept()
        names = ":".join(name for name, _ in self._held)
        socket.send_fds(asking, [f"{names}\n".encode()], [descriptor for _, descriptor in self._held])
        asking.close()


def asked(folder: Path) -> tuple[list[str], list[int]]:
    """Names and copies of what is held now."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.connect(str(folder / GIVE))
        text, descriptors, _, _ = socket.recv_fds(channel, 65536, _MOST)
    names = text.decode("ascii").strip()
    return (names.split(":") if names else []), list(descriptors)


def held(folder: Path) -> list[str]:
    """The names of what is held now."""
    names, descriptors = asked(folder)
    for descriptor in descriptors:
        os.close(descriptor)
    return names


def launch(folder: Path, command: list[str]) -> None:
    """Become the command, as a manager's child does after its fork."""
    names, descriptors = asked(folder)
    environ = dict(os.environ, NOTIFY_SOCKET=str(folder / NOTIFY))
    # First out of the way of each other, then to their places.
    high = [os.dup2(descriptor, 200 + index) for index, descriptor in enumerate(descriptors)]
    for index, descriptor in enumerate(high):
        os.dup2(descriptor, _FIRST + index)
    os.closerange(_FIRST + len(high), 256 + len(high))
    if names:
        environ |= {"LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names), "LISTEN_PID": str(os.getpid())}
    os.execvpe(command[0], command, environ)


@asynccontextmanager
async def service_manager(folder: Path) -> AsyncIterator[Path]:
    """A manager that holds descriptors until the end."""
    await asyncio.to_thread(folder.mkdir)
    process = await asyncio.to_thread(
        subprocess.Popen, [*PROGRAM, "keep", str(folder)], stdout=subprocess.PIPE, text=True, env=_environ()
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 20) == "ready\n"
        yield folder
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)
        process.stdout.close()


PROGRAM = (sys.executable, str(Path(__file__)))


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("LISTEN_", "NOTIFY_"))}


def main() -> None:
    what, folder, *command = sys.argv[1:]
    if what == "launch":
        launch(Path(folder), command)
        return
    keeper = Keeper(Path(folder))
    print("ready", flush=True)  # noqa: T201 - told to whoever started it
    with contextlib.suppress(KeyboardInterrupt):
        keeper.run()


if __name__ == "__main__":
    main()
