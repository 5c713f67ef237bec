"""State: the one place with SQL. Stages hand whole transactions to `Store.write` and meet each other only here."""
