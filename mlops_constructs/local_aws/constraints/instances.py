"""Differences between SageMaker's instance families."""

from __future__ import annotations

import re

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/InstanceStorage.html
_LOCAL_STORAGE = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[4-9]e?|p[4-9][a-z]*(?:-[a-z0-9]+)?|trn\w+)\.")


def has_local_storage(instance_type: str) -> bool:
    """Whether the instances have local storage, which is encrypted by hardware."""
    return _LOCAL_STORAGE.match(instance_type) is not None


def is_burstable(instance_type: str) -> bool:
    """Whether the instances are of the family T2, which cannot be scaled automatically."""
    return instance_type.startswith("ml.t2.")
