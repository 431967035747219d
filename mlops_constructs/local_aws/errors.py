"""What goes wrong with the local AWS itself, as opposed to what it answers to a caller."""

from __future__ import annotations

from mlops_constructs.errors import MlopsError


class LocalAwsError(MlopsError):
    """The local AWS cannot start, or lacks something on this machine that it needs."""
