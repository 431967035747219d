"""Checks a data set before it costs anything, and pins it for this execution."""
