"""What goes wrong in a benchmark."""

from __future__ import annotations


class BenchmarkError(Exception):
    """The benchmark, or one part of it, cannot run here; the text says why in one sentence."""
