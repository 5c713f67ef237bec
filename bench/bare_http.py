"""A server that does nothing: the same library answers the same route with the same octets, and keeps nothing.

`python -m bench.bare_http` prints `ready http://HOST:PORT` and serves until SIGTERM. It is the limit of accepting.
"""

from __future__ import annotations

import asyncio
import json
import signal

from aiohttp import web

from api.server import SERVER_LIMITS

_ANSWER = json.dumps({"id": "0" * 32, "status": "queued", "text": "x" * 500}).encode()


async def _accept(request: web.Request) -> web.Response:
    json.loads(await request.read())
    return web.Response(body=_ANSWER, status=202, content_type="application/json")


async def _serve() -> None:
    app = web.Application(handler_args=dict(SERVER_LIMITS))
    app.router.add_post("/v1/messages", _accept)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    host, port = runner.addresses[0][:2]
    print(f"ready http://{host}:{port}", flush=True)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
