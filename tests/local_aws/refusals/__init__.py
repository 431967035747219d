"""Calls that AWS refuses, each beside one that it takes."""
