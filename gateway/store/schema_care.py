"""The tables of what is done for modems from time to time, and of the calls that they turned away."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, String, Table, text

from gateway.store.schema_base import ID, ROW_ID, metadata

#: What is done for a modem from time to time, and what came of it.
modem_care = Table(
    "modem_care",
    metadata,
    Column("node", String(255), primary_key=True),
    Column("modem", String(64), primary_key=True),
    Column("test_due_us", BigInteger),
    Column("balance_due_us", BigInteger),
    # In thousandths of the operator's currency, of the SIM of that ICCID.
    Column("balance_milli", BigInteger),
    Column("balance_us", BigInteger),
    Column("balance_iccid", String(24)),
    Column("balance_low", Boolean, nullable=False),
    # Since when parts are taken and no report comes; null while all is well.
    Column("unreported_us", BigInteger),
)

#: Messages by which a modem proves itself. `token` stands in the text, and nobody can guess it.
self_test = Table(
    "self_test",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("node", String(255), nullable=False),
    Column("modem", String(64), nullable=False),
    # The modem of the same host to whose SIM it goes.
    Column("target", String(64), nullable=False),
    # Keyed hash of the number that it has to come from.
    Column("sender", LargeBinary(32), nullable=False),
    Column("message_id", ID, nullable=False),
    Column("begun_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    # `arrived`, `failed`, or `dropped`: it could not leave, for reasons that say nothing of the modem.
    Column("outcome", String(12)),
    Column("travel_us", BigInteger),
)
Index("ix_self_test_modem", self_test.c.node, self_test.c.modem, self_test.c.begun_us)
Index("uq_self_test_open", self_test.c.node, self_test.c.modem, unique=True, sqlite_where=text("ended_us IS NULL"),
      postgresql_where=text("ended_us IS NULL"))  # fmt: skip

#: Calls that were turned away; `event_id` is the `call.missed` that tells of it.
missed_call = Table(
    "missed_call",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("event_id", ROW_ID, nullable=False),
    # Null where the number was withheld.
    Column("recipient_id", ROW_ID, ForeignKey("recipient.id")),
    Column("modem", String(64), nullable=False),
    Column("node", String(255), nullable=False),
    Column("iccid", String(24)),
    Column("at_us", BigInteger, nullable=False),
)
Index("ix_missed_call_event_id", missed_call.c.event_id)
Index("ix_missed_call_recipient_id", missed_call.c.recipient_id)
