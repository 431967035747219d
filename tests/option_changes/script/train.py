"""A script that trains nothing."""
