"""One call that rings a group at once, and follows who was reached and who answered."""
