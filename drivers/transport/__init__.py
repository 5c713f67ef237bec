"""Ways to a modem: serial device, TCP connection, or inside this process. Octets only; no AT command is known here."""
