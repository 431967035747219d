"""Starts the pipeline on the newest data set, on a schedule."""
