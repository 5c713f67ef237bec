"""One file for each resource: a handler asks one service and shapes its answer. No rule and no check stands here."""
