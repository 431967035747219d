"""Writes the person's decision into the model registry: approved, or rejected."""
