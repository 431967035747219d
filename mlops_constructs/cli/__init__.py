"""The ``mlops`` command."""

from __future__ import annotations

import sys


def program() -> int:
    """Run the command that the arguments name; give its exit code."""
    # Ctrl-C while the modules are imported is no reason for a traceback.
    try:
        from .main import main

        return main()
    except KeyboardInterrupt:
        print("mlops: interrupted", file=sys.stderr)
        return 130
