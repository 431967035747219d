"""The error of a fault that cannot be made."""

from __future__ import annotations

from mlops_constructs.local_aws.errors import LocalAwsError


class FaultError(LocalAwsError):
    """A fault is not one that this package knows, or AWS cannot have it."""
