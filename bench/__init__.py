"""Benchmarks: what this machine reaches, beside the goal and beside what the machine itself allows.

`python -m bench` or `make bench`. One module of `bench.rows` for each kind of work; each measures real things (the
daemon in a process of its own, simulated modems on pseudo-terminals, HTTP on loopback, SQLite flushed to disk) and
judges nothing: goals are printed, not asserted.
"""
