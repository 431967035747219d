"""Batch transform: files are scored by jobs."""
