"""`tocsin campaigns` against a running gateway."""

from __future__ import annotations

import threading

from support.command_line import documents, passed

from gateway.cli.campaigns import tell_looked_at

A, B = "+33639980311", "+33639980312"


def test_start_says_for_how_many_and_a_terminal_sees_how_many_were_looked_at(tocsin, daemon, capsys):
    made = daemon.client.post("/v1/campaigns", {"name": "told", "to": [A, B], "text": "Told."})
    line = passed(tocsin("campaigns", "start", made["id"], "--force"))
    assert "2 people, 2 parts" in line
    ended = threading.Event()
    ended.set()
    tell_looked_at(daemon.client, made["id"], ended)
    assert "2 people looked at" in capsys.readouterr().err
    (shown,) = documents(tocsin("campaigns", "show", made["id"], "--json"))
    assert shown["counts"]["members"] == 2
