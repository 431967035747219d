"""Ends the wait for a long training: answers the pipeline's approval when the job is over."""
