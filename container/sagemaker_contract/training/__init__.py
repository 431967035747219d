"""The training program: everything around the algorithm."""
