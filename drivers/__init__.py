"""A library for GSM modems: knows no queue, no rules, no HTTP, and is useful alone."""
