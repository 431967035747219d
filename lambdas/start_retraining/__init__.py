"""Starts the pipeline again when another image is to be trained, on the newest data set that was tried."""
