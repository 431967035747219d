"""Writes into the model registry what became of a candidate: approved, or rejected and why."""
