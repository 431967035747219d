"""Rows of calls with placeholders for names: by a role of the pipeline, or by another principal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.requests import Recorded
from iam_mutation.stacks import ACCOUNT
from iam_mutation.uses import arn

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_ACCOUNT = {"aws:sourceaccount": ACCOUNT}
PACKAGE = arn("sagemaker", "model-package/{pipeline}/1")


def call(purpose: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> Recorded:
    """Give the call of the role with a purpose."""
    return by(f"{{role: {purpose}}}", action, resource, context or {})


def by(principal: str, action: str, resource: str, context: Mapping[str, str]) -> Recorded:
    """Give the call of a principal."""
    return Recorded(principal, action, resource, tuple((key, (value,)) for key, value in context.items()))
