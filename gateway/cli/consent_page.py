"""The proof of consent as a page to print: one file that needs nothing else, and nothing in it can act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from string import Template
from typing import Any

from gateway.cli.output import Document, clean
from gateway.cli.proof_texts import ENGLISH, PROOF_TEXTS

_FIELDS = ("at", "recorded_at", "channel", "evidence", "source", "by")
_TIMES = frozenset({"at", "recorded_at"})
_SECONDS = len("2026-01-31 12:00:00")

_PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title $number</title>
<style>
body { font: 11pt/1.4 sans-serif; color: #111; background: #fff; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem } h3 { font-size: 1rem; margin: 0 0 .4rem }
section.entry { border-top: 1px solid #777; padding: .8rem 0; break-inside: avoid }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .15rem .8rem; margin: 0 }
dt { color: #444 } dd { margin: 0; overflow-wrap: anywhere }
blockquote { margin: .5rem 0 0; padding: .4rem .8rem; border-left: 3px solid #777; white-space: pre-wrap;
  overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% } th, td { text-align: start; padding: .25rem .8rem .25rem 0 }
@page { margin: 18mm } @media print { body { margin: 0; max-width: none; padding: 0 } }
</style>
</head>
<body>
<h1>$title <bdi>$number</bdi></h1>
<h2>$now</h2>
$standing
<h2>$every</h2>
$entries
</body>
</html>
""")


def summary(
    number: str, entries: Sequence[Document], optouts: Sequence[Document], inbox: Sequence[Document] = ()
) -> Document:
    """Everything that is known, as one document: the entries, those written last first, the opt-outs that stand, under
    `states` what was said last of each category, and under `said` the SMS of `inbox` that are evidence, by id."""
    states: dict[str, str] = {}
    in_order = [*reversed(entries)]
    for one in sorted(in_order, key=lambda one: str(one["at"])):
        if one["state"] != "asked":
            states[str(one["category"])] = str(one["state"])
    known = next((str(one["number"]) for one in (*entries, *optouts)), number)
    proving = {one.get("evidence") for one in entries}
    said = {
        one["id"]: {"received_at": one["received_at"], "text": one["text"]} for one in inbox if one["id"] in proving
    }
    return {"number": known, "states": states, "optouts": list(optouts), "consents": list(entries), "said": said}


def page(found: Mapping[str, Any], language: str = ENGLISH) -> str:
    """The same to be read and printed, in this language if it is spoken, else in English."""
    spoken = language if language in PROOF_TEXTS else ENGLISH
    texts = PROOF_TEXTS[spoken]
    entries = "\n".join(_entry(one, found["said"].get(one["evidence"]), texts) for one in found["consents"])
    return _PAGE.substitute(
        language=spoken,
        title=escape(texts["title"]),
        now=escape(texts["now"]),
        every=escape(texts["every"]),
        number=_shown(found["number"]),
        standing=_standing(found["states"], found["optouts"], texts),
        entries=entries or f"<p>{escape(texts['none'])}</p>",
    )


def _standing(states: Mapping[str, str], optouts: Sequence[Document], texts: Mapping[str, str]) -> str:
    rows = [(category, texts[f"holds_{state}"]) for category, state in sorted(states.items())]
    for one in optouts:
        how = texts["out"].format(since=_zoned_time(one["since"]), source=one["source"])
        rows.append((one["category"] or texts["all"], how))
    cells = "\n".join(f'<tr><th scope="row">{_shown(what)}</th><td>{_shown(how)}</td></tr>' for what, how in rows)
    table = f"<table>\n{cells}\n</table>" if rows else f"<p>{escape(texts['nothing'])}</p>"
    return table if optouts else f"{table}\n<p>{escape(texts['not_out'])}</p>"


def _entry(one: Document, said: Document | None, texts: Mapping[str, str]) -> str:
    fields = [key for key in _FIELDS if one[key]]
    rows = "\n".join(f"<dt>{escape(texts[key])}</dt><dd><bdi>{_value(one, key)}</bdi></dd>" for key in fields)
    parts = [f"<h3>{_shown(one['category'])}: {escape(texts.get(one['state'], ''))}</h3>", f"<dl>\n{rows}\n</dl>"]
    if said is not None and said["text"] is not None:
        parts.append(_quoted(texts["words"].format(at=_zoned_time(said["received_at"])), said["text"]))
    if one["wording"]:
        parts.append(_quoted(texts["shown"], one["wording"]))
    return '<section class="entry">\n{}\n</section>'.format("\n".join(parts))


def _quoted(head: str, text: str) -> str:
    return f"<p>{_shown(head)}</p>\n<blockquote><bdi>{_lines(text)}</bdi></blockquote>"


def _value(one: Document, key: str) -> str:
    return _shown(_zoned_time(one[key])) if key in _TIMES else _lines(one[key])


def _zoned_time(value: str) -> str:
    """A time of the interface in this machine's zone, with how far that is from UTC."""
    try:
        local = datetime.fromisoformat(value).astimezone().isoformat(sep=" ", timespec="seconds")
    except ValueError:
        return value
    return f"{local[:_SECONDS]} UTC{local[_SECONDS:]}"


def _lines(text: str) -> str:
    """Text of several lines, each of them without what steers."""
    return "\n".join(_shown(line) if line else "" for line in str(text).split("\n"))


def _shown(value: object) -> str:
    return escape(clean(value))
