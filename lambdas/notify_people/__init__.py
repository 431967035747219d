"""Notifies people of what no alarm can tell: a rollback with its reason, and an approval that waits for long."""
