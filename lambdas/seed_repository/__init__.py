"""Gives a new repository its first content: the algorithm the team deployed with."""
