"""Scores the golden records with a candidate in a transform job, before anybody approves it."""
