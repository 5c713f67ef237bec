"""A GSM modem as an object, over any transport: `supervisor` keeps it usable, `modem` is one opening of its port.

It knows no queue, no rules and no store: what becomes of a message is its owner's business.
"""
