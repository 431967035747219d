"""The user's tags on every resource that can have tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._cdk import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

# Names the pipeline on everything that executions create: policies allow changes only with it, and it is found by it.
PIPELINE_TAG = "mlops:pipeline"
# An S3 object can have 10 tags, not 50. Its content is code, and the function that it belongs to is tagged.
_UNTAGGED = {"aws_s3_object"}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of a request to AWS's API."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_everything(scope: Construct, tags: Mapping[str, str]) -> None:
    """Tag every resource below ``scope`` that can have tags; without tags, do nothing.

    It visits the constructs at the end, so that no resource can be forgotten. Each gets the tags as its own attribute,
    which Aspects read and change.
    """
    if not tags:
        return
    for construct in scope.node.find_all():
        if not isinstance(construct, TerraformResource) or not hasattr(type(construct), "tags"):
            continue
        if construct.terraform_resource_type not in _UNTAGGED:
            resource: Any = construct
            resource.tags = dict(tags)
