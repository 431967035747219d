"""Abuse of a running server of the container, and long mixed load: see `make soak-serving`."""
