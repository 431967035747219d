"""EventBridge: rules and schedules, and the targets that they reach."""
