"""Keeps a destroy from taking the roles of what the pipeline made, or deletes that first, as configured."""
