"""Rows of the route table, by room; `api.table` puts them together."""
