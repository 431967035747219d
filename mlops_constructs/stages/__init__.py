"""The parts of a pipeline, one construct a file. They never import each other; ``pipeline.py`` wires them."""
