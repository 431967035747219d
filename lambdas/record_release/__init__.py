"""Writes the record of a release once production runs it: what it is made of, and who let it through."""
