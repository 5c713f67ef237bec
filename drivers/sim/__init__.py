"""The simulated modem, its SIM and its network: a device of 3GPP TS 27.005 and 27.007 without any hardware.

It is what tests, `tocsin simulate` and the port `simulated:` talk to. It shares nothing with the driver that talks to
it but the codec and the grammar of AT.
"""

from drivers.sim.ends import PtyEnd, SimulatedPort, TcpEnd, TransportEnd
from drivers.sim.ledger import Ledger, Submission
from drivers.sim.modem import SimulatedModem
from drivers.sim.network import SimulatedNetwork
from drivers.sim.profile import SimProfile
from drivers.sim.profiles import SIM_PROFILES
from drivers.sim.recipient import EXPIRED, Recipient
from drivers.sim.settings import SimSettings, numbered
from drivers.sim.simulation import Simulation, SimulationOptions, simulate
from drivers.sim.troubles import TROUBLES, Happening, TroubleEvent, TroubleScript, TroubleSpec, parse_trouble
from drivers.sim.variants import VARIANTS

__all__ = [
    "EXPIRED",
    "SIM_PROFILES",
    "TROUBLES",
    "VARIANTS",
    "Happening",
    "Ledger",
    "PtyEnd",
    "Recipient",
    "SimProfile",
    "SimSettings",
    "SimulatedModem",
    "SimulatedNetwork",
    "SimulatedPort",
    "Simulation",
    "SimulationOptions",
    "Submission",
    "TcpEnd",
    "TransportEnd",
    "TroubleEvent",
    "TroubleScript",
    "TroubleSpec",
    "numbered",
    "parse_trouble",
    "simulate",
]
