"""The volume of an endpoint's instances, and the download of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem
from ._instances import has_own_disks
from ._rules import in_range
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator


def volume_problems(instance_type: str, size_in_gb: int | None, timeout_in_seconds: int | None) -> Iterator[Problem]:
    """Yield what is wrong with the volume and the time of the download; None is SageMaker's default.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
    """
    if timeout_in_seconds is not None:
        yield from in_range("model_data_download_timeout_in_seconds", timeout_in_seconds, 60, 3600, "s")
    if size_in_gb is None:
        return
    yield from in_range("volume_size_in_gb", size_in_gb, 1, 512, "GB")
    if not is_token(instance_type) and has_own_disks(instance_type):
        rule = f"{instance_type} has disks of its own, and takes no volume"
        yield Problem("volume_size_in_gb", rule, size_in_gb, "leave it out, or use 'ml.m5.large'")
