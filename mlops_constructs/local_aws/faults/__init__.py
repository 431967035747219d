"""Faults of the local AWS: named, seeded, and each says whether it happened."""
