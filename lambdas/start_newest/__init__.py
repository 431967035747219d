"""Starts the pipeline on the newest data set, when a schedule says so."""
