"""Random histories of a pipeline, after which it is left: nothing may remain, and nothing of others may go."""
