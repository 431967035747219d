"""The parts of a pipeline: a module for each, or a folder where one needs several modules (then ``stage.py`` has the
construct). They never import each other; ``pipeline.py`` wires them.
"""
