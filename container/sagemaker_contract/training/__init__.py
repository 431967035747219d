"""The training program and what it does around the algorithm."""
