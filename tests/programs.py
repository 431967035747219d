"""Ending the container's programs as SageMaker does."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    import subprocess

STOPPED = 143


def terminate_after(process: subprocess.Popen[str], text: str) -> int:
    """Wait for a line with ``text``, then stop the process like SageMaker; give its exit code."""
    with process:
        try:
            assert process.stdout is not None
            assert any(text in line for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    return process.returncode
