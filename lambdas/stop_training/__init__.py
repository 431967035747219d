"""Stops the job of an execution that was stopped or has failed, so that it costs nothing more."""
