"""`python -m drivers.sim`: simulated modems without the gateway."""

import sys

from drivers.sim.command_line import main

if __name__ == "__main__":
    sys.exit(main())
