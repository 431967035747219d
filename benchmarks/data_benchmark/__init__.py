"""What a rehearsal takes for data sets of some sizes, around the algorithm: ``make bench-data``."""
