"""Takes the traffic of an A/B test's challenger away, and can do nothing else."""
