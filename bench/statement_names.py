"""Statements by what they are for: from the text that SQLite ran to a line for a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VALUES = re.compile(r"x'[0-9a-f]*'|'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b|\bNULL\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
#: Begins the description of what frames a transaction and touches no row.
FRAME = "frame: "
# A pattern of the text whose values were replaced by ?, and what the statement is for. The first that fits counts.
_NAMES: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), purpose)
    for pattern, purpose in (
        (r"BEGIN IMMEDIATE", f"{FRAME}begin of a group of writes"),
        (r"BEGIN", f"{FRAME}begin of a read"),
        (r"COMMIT", f"{FRAME}commit, the flush"),
        (r"ROLLBACK TO", f"{FRAME}one work of a group is taken back"),
        (r"ROLLBACK", f"{FRAME}end of a read"),
        (r"SAVEPOINT", f"{FRAME}begin of one work of a group"),
        (r"RELEASE", f"{FRAME}end of one work of a group"),
        (
            r"SELECT recipient\.id\b.* FROM recipient WHERE recipient\.lookup",
            "find the person by the number's keyed hash, or several",
        ),
        (r"INSERT INTO recipient", "a person who is written to for the first time"),
        (r"SELECT optout\.(id|recipient_id)", "has this person opted out?"),
        (
            r"SELECT message\.(recipient_id, message\.)?category, message\.begun_us",
            "how often was this person written to?",
        ),
        (r"SELECT anon_1\.due_us, sum", "how many reminders wait for one minute?"),
        (
            r"SELECT message\.id, message\.recipient_id, message\.status, .* JOIN contact",
            "how did messages to contacts end?",
        ),
        (r"SELECT contact\.", "what is known of these people?"),
        (r"SELECT follower\.", "how far was what happened read?"),
        (r"UPDATE follower", "how far what happened was read"),
        (r"INSERT INTO follower", "somebody begins to read what happens"),
        (r"SELECT contact_import\.", "does an import wait?"),
        (r"SELECT max\(event\.id\)", "the number of the last event"),
        (r"SELECT event\.id", "what has happened since?"),
        (r"SELECT ring\.(id|next_us)|SELECT min\(ring\.", "which alerts are looked after?"),
        (r"SELECT DISTINCT (message\.ring_id|ring_member)", "which alerts has something happened to?"),
        (r"SELECT ring_member\.", "the people of an alert"),
        (r"(INSERT INTO|UPDATE) ring_member", "a person of an alert"),
        (r"(INSERT INTO|UPDATE) ring\b", "an alert"),
        (r"SELECT (notice|trouble)\.", "what has to be told by other channels?"),
        (r"SELECT (min\()?campaign(_stop)?\.", "which campaigns have something to do?"),
        (r"SELECT modem_care\.", "which modem is due to be looked after?"),
        (r"SELECT webhook\.", "which endpoints are told?"),
        (r"SELECT attempt\.modem, count", "do reports stay away from a modem?"),
        (r"DELETE FROM delivery", "upkeep: what was owed for too long"),
        (r"(SELECT|INSERT INTO|UPDATE) (link|click|conversion|code_pool|code)\b", "links, codes and conversions"),
        (r"SELECT consent\.", "what did this person say of the category?"),
        (r"SELECT review\.", "does a reply of this person wait to be judged?"),
        (r"SELECT pause\.", "does the kill switch hold, or a modem's pause?"),
        (r"SELECT modem_pause\.", "which modems are paused, for whoever asks"),
        (r"SELECT min\(idempotency\.", "upkeep: the next key that may be forgotten"),
        (r"SELECT idempotency\.", "was this key used before?"),
        (r"INSERT INTO idempotency", "the key of a request, with its answer"),
        (r"INSERT INTO message", "the message as it was accepted"),
        (r"INSERT INTO event", "an event of the timeline"),
        (r"WITH RECURSIVE lanes", "claim: the lanes in which something waits"),
        (
            r"SELECT message\.id, message\.status, .* message\.lane = ",
            "claim: the first that are ready in a lane",
        ),
        (r"SELECT message\.id, message\.status, ", "claim: a begun one with a part left"),
        (r"SELECT message\.modem, message\.node, message\.created_us", "which SIM does this person know?"),
        (r"SELECT sim_count\.sim", "what the SIM was used for"),
        (r"SELECT sim_person\.", "was this person written to through the SIM this month?"),
        (r"SELECT count\(\*\) AS count_1 FROM message JOIN part", "room that begun messages need"),
        (r"UPDATE sim_count", "the SIM's counts"),
        (r"INSERT INTO sim_person", "the SIM's people"),
        (r"SELECT message\.id FROM message WHERE message\.status", "does a further copy wait?"),
        (r"SELECT message\.id, message\.recipient_id, message\.token_id", "messages, for whoever asks"),
        (r"INSERT INTO part", "the octets of a part, fixed at the gate; the first is marked"),
        (r"UPDATE message SET parts", "the message has begun"),
        (r"SELECT part\.message_id, .* LIMIT", "the next part to send"),
        (r"UPDATE part SET", "the state of a part"),
        (r"INSERT INTO attempt", "the durable mark"),
        (r"UPDATE attempt SET state=\?, settled_us", "the mark's result"),
        (r"SELECT part\.copies, message\.expires_us", "what a late refusal is judged by"),
        (r"UPDATE attempt SET state=\?, cause=\?, tp_mr", "a late answer, as evidence for its mark"),
        (r"UPDATE attempt SET state=\?, (tp_mr=\?, )?tp_st", "what the report says of the attempt"),
        (
            r"SELECT part\.sequence, part\.state, .* FROM attempt JOIN part",
            "the mark that is open, with every part of its message",
        ),
        (r"SELECT part\.sequence, part\.state, part\.copies, message", "all parts, to compute the status word"),
        (r"UPDATE message SET status", "the status word, computed from the parts"),
        (r"SELECT report\.id, .* WHERE report\.attempt_id IS", "has a report come before the result?"),
        (r"SELECT inbound_part\.fingerprint", "which of these octets are here already?"),
        (r"SELECT inbound_part\.id, inbound_part\.received_us", "the same octets, as they came before"),
        (r"SELECT inbound_part\.id, inbound_part\.fingerprint", "which parts wait for the same long message?"),
        (r"INSERT INTO inbound_part", "an SMS-DELIVER as it came, tied to its message"),
        (r"UPDATE inbound_part SET inbox_id", "the part belongs to that message"),
        (r"INSERT INTO inbox", "the received message"),
        (r"SELECT recipient\.id AS person, ", "what were these people sent last?"),
        (r"SELECT message\.id, message\.category FROM message", "what waits for this person?"),
        (r"INSERT INTO optout", "this person opts out"),
        (r"UPDATE optout", "the opt-out is lifted"),
        (r"INSERT INTO report", "the status report as it came"),
        (r"SELECT attempt\.id, .* FROM attempt JOIN message", "which attempt does the report speak of?"),
        (r"SELECT pg_advisory_xact_lock_shared", "the gate goes before a pause, or after it"),
        (r"SELECT tocsin_fence", "does this host hold its lease?"),
        (r"SELECT recipient\.id FROM recipient WHERE recipient\.id IN", "the people, kept from a STOP heard elsewhere"),
        (r"UPDATE report SET attempt_id", "the report belongs to that attempt"),
        (r"SELECT campaign_stop\.", "which campaigns are stopped?"),
        (r"SELECT min\(message\.(\w+)\)", "upkeep: the next instant ({0})"),
    )
]


def describe(sql: str) -> str:
    """What a statement is for; one that nobody has named yet is shown by its beginning."""
    text = _SPACE.sub(" ", _VALUES.sub("?", sql))
    for pattern, purpose in _NAMES:
        if found := pattern.match(text):
            return purpose.format(*found.groups())
    return text[:100]
