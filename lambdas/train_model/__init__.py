"""Starts the training or tuning job of an execution, or finds it, and waits until it ends."""
