"""The way in: receiver → inbox, reports → replies, committed before the modem may forget."""
