"""Writes the record of a release when production runs it: what it was made from, and who approved it."""
