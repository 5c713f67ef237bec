"""What can go wrong with a simulated modem, by name: each trouble is a small class with typed options.

`SimulatedModem.trouble(name, **options)` switches one on; `TroubleScript` draws them by lot. Whether a message really
left is decided in every one of them, and the ledger of the modem says it.
"""

from drivers.sim.troubles.base import Trouble
from drivers.sim.troubles.board import Happening, TroubleEvent, Troubles
from drivers.sim.troubles.script import TroubleScript
from drivers.sim.troubles.specifications import (
    TROUBLES,
    TroubleSpec,
    make_trouble,
    parse_trouble,
    trouble_lines,
    trouble_table,
)

__all__ = [
    "TROUBLES",
    "Happening",
    "Trouble",
    "TroubleEvent",
    "TroubleScript",
    "TroubleSpec",
    "Troubles",
    "make_trouble",
    "parse_trouble",
    "trouble_lines",
    "trouble_table",
]
