"""Shared by all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlops_constructs._jsii_node import use_packaged_node

if TYPE_CHECKING:
    import pytest

# Tests import cdktf in any order; jsii starts Node at the first.
use_packaged_node()

# boto3 in a test must never reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
    os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that run Terraform: they wait the longest, and nothing should wait for them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("terraform")}
    items.sort(key=lambda item: item.path not in slow)
