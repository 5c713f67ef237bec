"""The configuration: TOML in, frozen settings out, every problem at once."""
