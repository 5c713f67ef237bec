"""The gateway: what is promised about messages, kept in a store."""
