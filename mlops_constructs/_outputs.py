"""What a deployed pipeline is called, as outputs of the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._cdk import TerraformOutput
from .stages.trigger import data_bucket_needs

if TYPE_CHECKING:
    from constructs import Construct

    from .config import Dataset


def show(scope: Construct, dataset: Dataset, outputs: dict[str, str]) -> None:
    """Make the outputs, and one with what the owner of an existing bucket must configure."""
    if dataset.bucket_name is not None:
        outputs = {**outputs, "data_bucket_needs": data_bucket_needs(dataset)}
    for name, value in outputs.items():
        TerraformOutput(scope, name, value=value)
