"""Records the decision about a candidate in the model registry: approved, or rejected and why."""
