"""What we ask of a PostgreSQL server: settings of our sessions, limits on our own side, and what is refused by name.

A server that answers for itself ends a statement or a wait for a lock before we give up on it (`TripLimits`): then the
connection stays, and the answer says what was wrong. Our own limits are for a server, or a network, that says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.store.engine import StoreUnusable

#: The first version whose `pg_terminate_backend` waits.
OLDEST: Final = 140_000
#: Nothing of ours runs for long: what does was forgotten, and would keep its locks from everybody.
OF_SESSION: Final = (
    ("statement_timeout", "8s"),
    ("lock_timeout", "6s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("client_min_messages", "warning"),
    # A plan is kept for as long as the session. One that was made while a table was empty would read it through, and go
    # on doing so when it is full; and what is asked here never takes so long that compiling it would pay.
    ("enable_seqscan", "off"),
    ("jit", "off"),
    # As in `OF_CONNECTION`, for the server: what a host that lost its power held is free again by then.
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "3"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "12000"),
)
#: A network that is gone is noticed within 15 s also where nobody waits for an answer.
OF_CONNECTION: Final[Mapping[str, Any]] = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 12_000,
}


@dataclass(frozen=True, slots=True)
class TripLimits:
    """How long the server may say nothing before it counts as lost, in seconds.

    Together they bound what a caller waits for. The time of a trip is longer than `OF_SESSION` lets a statement take.
    """

    trip_s: float = 10
    connect_s: int = 5
    #: How long a commit is in doubt before callers who cannot wait are told so.
    doubt_s: float = 5


#: Of every store that is opened from now on.
LIMITS = TripLimits()


def refuse_unsafe(ask: Callable[[str], Any], version: int, place: str) -> str:
    """Refuse, as `StoreUnusable`, a server on which a commit is no promise; its `synchronous_commit`."""
    if version < OLDEST:
        raise StoreUnusable(f"PostgreSQL 14 or later is needed; {place} is {version // 10_000}")
    names = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names", "server_encoding")
    settings = {name: ask(f"SHOW {name}") for name in names}
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if settings[name] == "off":
            raise StoreUnusable(_unsafe(name, "off"))
    if settings["synchronous_commit"] == "local" and settings["synchronous_standby_names"]:
        raise StoreUnusable(_unsafe("synchronous_commit", "local"))
    if settings["server_encoding"] != "UTF8":
        raise StoreUnusable(f"server_encoding of {place} is {settings['server_encoding']}; UTF8 is needed")
    if ask("SELECT pg_is_in_recovery()"):
        raise StoreUnusable(f"{place} is a standby and takes no writes (pg_is_in_recovery)")
    return str(settings["synchronous_commit"])


def _unsafe(name: str, value: str) -> str:
    return (
        f"PostgreSQL runs with {name} = {value}: what was accepted could be lost with the power; "
        f"set it to on (ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf())"
    )
