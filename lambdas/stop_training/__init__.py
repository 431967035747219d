"""Stops the job of an execution that was stopped or has failed, so that the job costs nothing more."""
