"""How much is measured: a size for a look, the size of `make bench`, and the full size of the goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """Amounts. Times are in seconds; `folder` lies on the disk that is measured."""

    folder: Path
    submits: int = 2500
    submits_at_once: int = 5000
    #: (latency, modems, seconds)
    utilisation: Sequence[tuple[float, int, float]] = (
        (0.2, 1, 4.0),
        (0.2, 8, 4.0),
        (0.2, 64, 6.0),
        (3.0, 1, 12.5),
        (3.0, 64, 12.5),
    )
    wire_samples: int = 100
    accept_s: float = 4.0
    accept_clients: Sequence[int] = (1, 32)
    backlog: int = 50_000
    gates: int = 1000
    counted: int = 200
    inbound: int = 200
    stops: int = 60
    previews: int = 2000
    stops_busy: int = 500
    held: int = 100_000
    #: Deliveries owed to a receiver that is down; what is measured beside it, and how often: seconds, parts,
    #: samples.
    owed: int = 100_000
    owed_s: float = 4.0
    owed_submits: int = 2000
    owed_told: int = 150
    owed_turns: int = 2
    hosts: int = 3
    hosts_s: float = 6.0
    idle_s: float = 61.0
    idle_modems: Sequence[int] = (8, 64)
    codec_s: float = 1.5
    people: int = 100_000
    campaign: int = 100_000
    campaign_calm_s: float = 10.0
    peers: bool = False
    peer_messages: int = 15
    peer_samples: int = 5


def tiny(folder: Path) -> Plan:
    """Everything once, as small as it can be: shows that each row runs, and measures nothing of worth."""
    return Plan(
        folder,
        submits=20,
        submits_at_once=20,
        utilisation=((0.05, 2, 0.5),),
        wire_samples=3,
        accept_s=0.3,
        accept_clients=(1, 2),
        backlog=50,
        gates=10,
        counted=5,
        inbound=5,
        stops=2,
        previews=12,
        stops_busy=2,
        held=250,
        owed=30,
        owed_s=0.3,
        owed_submits=10,
        owed_told=3,
        owed_turns=1,
        hosts=2,
        hosts_s=0.3,
        idle_s=0.3,
        idle_modems=(2,),
        codec_s=0.02,
        people=50,
        campaign=120,
        campaign_calm_s=0.5,
        peer_messages=2,
        peer_samples=1,
    )
