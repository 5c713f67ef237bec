"""Tocsin's HTTP interface for Python programs. Standard library alone, safe to share between threads.

from api.client.client import Client

client = Client("http://127.0.0.1:7672", token)
message = client.send("+33639980101", "The water is drinkable again.")
"""

from __future__ import annotations
