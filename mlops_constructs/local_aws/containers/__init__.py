"""Runs containers: in a Docker engine, or their programs as processes in virtual environments."""
