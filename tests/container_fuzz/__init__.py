"""Requests that nobody would send on purpose, against a running server of the container: see `make fuzz`."""
