"""Judges an A/B test: what the outcomes so far show about the challenger, at any time and at any split."""
