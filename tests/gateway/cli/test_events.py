"""`tocsin events` against a running gateway."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from urllib.parse import urlsplit

from support.command_line import documents


def _here(daemon) -> str:
    """Where the stream stands now."""
    connection = http.client.HTTPConnection(urlsplit(daemon.url).netloc, timeout=10)
    connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {daemon.token}"})
    response = connection.getresponse()
    place = next(line for line in response if line.startswith(b"id: ")).decode().strip().removeprefix("id: ")
    connection.close()
    return place


def test_what_happened_since_and_an_end_by_ctrl_c(spawn, daemon, tocsin):
    since = _here(daemon)
    (sent,) = documents(tocsin("send", "+33639980361", "Hello", "--wait", "--json"))
    options = ("events", "--type", "message.queued", "--type", "message.sent", "--since", since)
    for form in ((), ("--json",)):
        process: subprocess.Popen[str] = spawn(*options, *form, TOCSIN_CONFIG=str(daemon.config))
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
        if form:
            told = [json.loads(line) for line in lines]
            assert [(one["type"], one["data"]["id"]) for one in told] == [
                ("message.queued", sent["id"]),
                ("message.sent", sent["id"]),
            ]
            assert [set(one) for one in told] == [{"id", "type", "timestamp", "data"}] * 2
        else:
            assert [line.split()[2:5] for line in lines] == [
                [kind, sent["id"], "+33639980361"] for kind in ("message.queued", "message.sent")
            ]


def test_what_cannot_be_followed_is_said_at_once(tocsin, bare):
    refused = tocsin("events", "--type", "message.nonsense")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    nobody = bare("events", TOCSIN_URL="http://127.0.0.1:1", TOCSIN_TOKEN="tocsin_x")
    assert (nobody.exit_code, "no gateway answers" in nobody.stderr) == (1, True)
