"""Proves that an endpoint runs the requested model, and that it answers the golden records."""
