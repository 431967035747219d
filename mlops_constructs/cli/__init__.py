"""The ``mlops`` command."""

from __future__ import annotations

import os
import signal
import sys

_INTERRUPTED = 130


def program() -> int:
    """Run the command that the arguments name; return its exit code."""
    try:
        # Nothing has begun during the imports. An exception would be lost where Python imports in a callback.
        own = signal.getsignal(signal.SIGINT)
        if own is signal.default_int_handler:
            signal.signal(signal.SIGINT, _leave)
        from .main import main

        if own is signal.default_int_handler:
            signal.signal(signal.SIGINT, own)
        return main()
    except KeyboardInterrupt:
        print("mlops: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:  # A traceback tells a person neither what happened nor what to do.
        from ._unexpected import told

        sentence, code = told(error)
        print(f"{' '.join(['mlops', *sys.argv[1:2]])}: {sentence}", file=sys.stderr)
        return code


def _leave(*_: object) -> None:
    os.write(sys.stderr.fileno(), b"mlops: interrupted\n")
    os._exit(_INTERRUPTED)
