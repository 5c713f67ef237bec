"""Dated, sourced rules of countries and states for advertising by SMS: one TOML file each, which a lawyer can correct.

`gateway.config.country_files` reads them and says what may stand in them. Nothing here is legal advice.
"""
