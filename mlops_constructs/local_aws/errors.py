"""Errors of the local AWS itself, as opposed to the errors that its operations return to a caller."""

from __future__ import annotations

from mlops_constructs.errors import MlopsError


class LocalAwsError(MlopsError):
    """The local AWS cannot start, or lacks something on this machine that it needs."""
