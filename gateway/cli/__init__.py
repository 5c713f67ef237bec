"""The command line: one file a command or a family of them. It talks to a running gateway over HTTP."""
