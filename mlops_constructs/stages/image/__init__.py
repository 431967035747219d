"""The image of the algorithm: the source of its code, its build, and images that exist already."""
