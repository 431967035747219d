"""The parts of a pipeline: one module each, or a folder where a part needs several modules (its construct is then in
``stage.py``). They never import each other; ``_parts.py`` and ``_delivery.py`` connect them.
"""
