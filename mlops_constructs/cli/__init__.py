"""The ``mlops`` command."""

from __future__ import annotations

import sys


def program() -> int:
    """Run the command that the arguments name; return its exit code."""
    # Ctrl-C during the imports must not print a traceback.
    try:
        from .main import main

        return main()
    except KeyboardInterrupt:
        print("mlops: interrupted", file=sys.stderr)
        return 130
