"""Every trouble by its name, but for the one that draws the others."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.sim.troubles.base import Trouble
from drivers.sim.troubles.octets import Burst, LineEnds, Noise, SilentLine, SlowLine, StubbornEcho, UrcStorm
from drivers.sim.troubles.ports import Reboot, Unplugged
from drivers.sim.troubles.reports import LostIndication, ReportOrder, ReportStatus
from drivers.sim.troubles.states import (
    FullMemory,
    PinAgain,
    RoutingReset,
    SameReference,
    SimLost,
    TextMode,
    Unregistered,
    ZeroReference,
)
from drivers.sim.troubles.submissions import (
    BareError,
    BareOk,
    CmeRefusal,
    CmsRefusal,
    LateAnswer,
    Lies,
    PromptHang,
    SilentSubmit,
)

_ALL: tuple[type[Trouble], ...] = (
    BareOk,
    LateAnswer,
    SilentSubmit,
    CmsRefusal,
    CmeRefusal,
    BareError,
    Lies,
    PromptHang,
    SilentLine,
    UrcStorm,
    StubbornEcho,
    LineEnds,
    Noise,
    SlowLine,
    Burst,
    Unplugged,
    Reboot,
    Unregistered,
    SimLost,
    PinAgain,
    FullMemory,
    RoutingReset,
    TextMode,
    SameReference,
    ZeroReference,
    ReportOrder,
    ReportStatus,
    LostIndication,
)

NAMED: Mapping[str, type[Trouble]] = {trouble.name: trouble for trouble in _ALL}
