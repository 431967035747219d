"""The error of the benchmark."""

from __future__ import annotations


class BenchmarkError(Exception):
    """The benchmark, or one part of it, cannot run here; the message says why."""
