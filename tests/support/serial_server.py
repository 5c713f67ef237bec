"""What stands between a gateway and a modem far away: a serial server in raw mode, with everything that goes wrong.

It takes one client, as ser2net does, and passes octets on between that client and a simulated modem.
"""

from __future__ import annotations

import asyncio
import contextlib

from drivers.sim import SimulatedModem


class SerialServer:
    """`banner` is said to each client first; `cut_after` octets of the modem, the connection ends; `frozen`, nothing
    passes any more and nobody is told."""

    def __init__(self, modem: SimulatedModem, *, banner: bytes = b"") -> None:
        self._modem = modem
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: list[asyncio.Task[None]] = []
        self.banner = banner
        self.port = 0
        self.frozen = False
        self.refusing = False
        self.cut_after: int | None = None
        self.clients = 0
        self.passed = bytearray()
        """What has gone to the modem."""
        self.refused = 0

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.hang_up()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def hang_up(self) -> None:
        """End the connection with a reset."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._release()

    def abandon(self) -> None:
        """Forget the client without a word: the connection stays half open."""
        self.frozen = True
        self._release()

    def _release(self) -> None:
        self._modem.detach()
        self._writer = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.append(task)
        if self._writer is not None or self.refusing:
            self.refused += 1
            writer.transport.abort()
            return
        self.clients += 1
        self._writer, self.frozen = writer, False
        writer.write(self.banner)
        self._modem.attach(self._from_modem)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                if writer is self._writer and not self.frozen:
                    self.passed += data
                    self._modem.receive_data(data)
        if writer is self._writer:
            self._release()

    def _from_modem(self, data: bytes) -> None:
        if self._writer is None or self.frozen:
            return
        if self.cut_after is not None:
            data = data[: self.cut_after]
            self.cut_after -= len(data)
        self._writer.write(data)
        if self.cut_after == 0:
            self.cut_after = None
            self._writer.close()
            self._release()
