"""The wire trace: what passed between driver and modem, line by line, told without telling people's numbers or texts.

`records` is the form of a line, `redaction` and `pdu_redaction` what is left of a person's data, `recorder` cuts
octets into records, `files` keeps them within bounds, `tap` switches the whole on and off.
"""
