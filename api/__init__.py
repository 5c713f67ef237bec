"""HTTP in, services out."""
