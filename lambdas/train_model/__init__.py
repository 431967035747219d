"""Starts the training job of an execution, or finds it, and waits until it is over."""
