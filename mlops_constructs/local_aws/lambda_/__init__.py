"""Lambda: each function runs in its own processes."""
