"""The tables of SIMs, modems and hosts. Habits as in `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.schema_base import ROW_ID, metadata, partial

#: What the SIM of a modem with limits was used for, in the minute, day and month that began at these instants.
sim_count = Table(
    "sim_count",
    metadata,
    # Its ICCID, or node and modem where that is not known.
    Column("sim", String(320), primary_key=True),
    Column("node", String(255), nullable=False),
    Column("modem", String(64), nullable=False),
    Column("billing_day", Integer, nullable=False),
    Column("minute_us", BigInteger, nullable=False),
    Column("minute_parts", Integer, nullable=False),
    Column("day_us", BigInteger, nullable=False),
    Column("day_parts", Integer, nullable=False),
    Column("month_us", BigInteger, nullable=False),
    Column("month_parts", Integer, nullable=False),
    # People written to this month.
    Column("people", Integer, nullable=False),
    # Until when something waits, if this instant is still to come.
    Column("held_until_us", BigInteger),
    Column("held_detail", Text),
)

#: Who was written to through such a SIM, and in which month last.
sim_person = Table(
    "sim_person",
    metadata,
    Column("sim", String(320), primary_key=True),
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id"), primary_key=True),
    Column("month_us", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
)

#: What became of a PIN that a SIM was given: written before it is given. The PIN itself cannot be read from it.
sim_pin = Table(
    "sim_pin",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    # Keyed hash of the PIN.
    Column("fingerprint", LargeBinary(32), nullable=False),
    # The SIM as far as it was known then; the modem with its node.
    Column("iccid", String(24)),
    Column("imei", String(20)),
    Column("modem", String(320), nullable=False),
    # One of `drivers.gsm.pin_rules.PinState`; null for one that was not given yet.
    Column("state", String(12)),
    Column("tried_us", BigInteger),
    Column("settled_us", BigInteger),
    # When the SIM took it last, whatever came later.
    Column("proven_us", BigInteger),
    # When a person allowed one more try that was not made yet.
    Column("confirmed_us", BigInteger),
)
Index("ix_sim_pin_fingerprint", sim_pin.c.fingerprint)

#: Modems that an operator has paused: nothing is sent through them.
modem_pause = Table(
    "modem_pause",
    metadata,
    Column("node", String(255), primary_key=True),
    Column("modem", String(64), primary_key=True),
    Column("since_us", BigInteger, nullable=False),
)

#: The hosts that work on this database, on its clock. Not used on SQLite, where there is one.
host = Table(
    "host",
    metadata,
    Column("node", String(255), primary_key=True),
    # Names one incarnation of the host; null when it stopped, or when another host ended it after its lease.
    Column("session", String(32)),
    # How the last session ended: `stopped`, `silent`.
    Column("ended", String(16)),
    Column("version", String(64)),
    Column("revision", String(32)),
    Column("url", Text),
    # Hash of what decides about sending in its configuration.
    Column("rules", String(64)),
    Column("lease_us", BigInteger, nullable=False),
)

#: The modems of those hosts, as each last told.
host_modem = Table(
    "host_modem",
    metadata,
    Column("node", String(255), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("simulated", Boolean, nullable=False),
    # All that is known of it, as JSON.
    Column("status", Text, nullable=False),
)

#: What one host asks another to do with a modem. A row lives for seconds.
command = Table(
    "command",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("node", String(255), nullable=False),
    Column("modem", String(64), nullable=False),
    Column("name", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("asked_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("taken_us", BigInteger),
    Column("done_us", BigInteger),
    Column("result", Text),
)
partial("ix_command_open", "taken_us IS NULL", command.c.node)
