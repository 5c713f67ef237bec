"""`tocsin templates`, and `send --template`, against a running gateway."""

from __future__ import annotations

from support.command_line import documents, passed

AT = "at=2026-12-01T09:30+01:00"


def test_a_template_from_its_making_to_its_end(tocsin):
    made = passed(tocsin("templates", "set", "visit", "Hello {{ name }}, {{ at | day }}"))
    assert "any language: Hello {{ name }}, {{ at | day }}" in made
    assert "variables: at, name" in made
    (changed,) = documents(
        tocsin("templates", "set", "visit", "--text", "fr=Salut {{ name }}", "--text", "=Hi", "--json")
    )
    assert changed["texts"] == {"fr": "Salut {{ name }}", "": "Hi"}
    assert documents(tocsin("templates", "show", "visit", "--json")) == [changed]
    assert changed in documents(tocsin("templates", "list", "--json"))
    assert "visit" in passed(tocsin("templates"))
    assert passed(tocsin("templates", "remove", "visit")) == "visit  removed\n"
    gone = tocsin("templates", "show", "visit")
    assert (gone.exit_code, "there is no template of that name" in gone.stderr) == (1, True)


def test_a_text_is_made_of_a_template(tocsin):
    passed(tocsin("templates", "set", "meeting", "{{ name }}: {{ at | day }} {{ at | time }}"))
    given = ("--template", "meeting", "--var", AT, "--var", "name=Ann=Lou")
    (sent,) = documents(tocsin("send", "+33639980290", *given, "--json"))
    assert sent["text"] == "Ann=Lou: Tuesday, December 1 8:30 AM"
    (shown,) = documents(tocsin("preview", "+33639980290", *given, "--json"))
    assert shown["text"] == sent["text"]
    refused = tocsin("send", "+33639980290", "--template", "meeting", "--var", AT)
    assert (refused.exit_code, "the variable name has no value" in refused.stderr) == (1, True)
    said = passed(tocsin("templates", "preview", "meeting", "+33639980290", "--var", AT, "--var", "name=Fête"))
    assert "Fête: Tuesday, December 1 8:30 AM" in said
    assert "1 × 1" in said
    assert "warning: forced_ucs2: 1 text with ê" in said
    passed(tocsin("templates", "remove", "meeting"))


def test_wrong_usage(tocsin):
    for arguments in (("set", "visit"), ("set", "visit", "--text", "no equals"), ("preview", "visit")):
        assert tocsin("templates", *arguments).exit_code == 2
