"""Ends the wait for a long training: approves the pipeline's waiting approval action when the job is over."""
