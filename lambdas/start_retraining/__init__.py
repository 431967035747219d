"""Starts the pipeline when the image changes, on the newest data set for which training was attempted."""
