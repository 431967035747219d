"""``python -m mlops_constructs`` is the ``mlops`` command."""

from .cli import program

raise SystemExit(program())
