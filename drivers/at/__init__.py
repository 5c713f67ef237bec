"""AT commands without input or output: ITU-T V.250, 3GPP TS 27.007 and 27.005, PDU mode only.

`connection` is the terminal's side, `equipment` the modem's. Octets go in, events come out; nothing here waits, opens
a port, or knows what an SMS is.
"""
