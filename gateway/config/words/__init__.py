"""The words of replies as data: one TOML file a language, with the source of each family."""
