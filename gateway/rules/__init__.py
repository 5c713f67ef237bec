"""Pure decisions: facts in, a `Verdict` out. No clock, no store, no sockets."""
