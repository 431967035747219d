"""The user's tags on everything that can carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cdk import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

# S3 takes 10 tags on an object, not 50; and its content is code, which the function that it belongs to is tagged for.
_UNTAGGED = {"aws_s3_object"}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as a request of AWS's API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_everything(scope: Construct, tags: Mapping[str, str]) -> None:
    """Tag every resource below ``scope`` that takes tags; nothing is walked where there are none.

    A walk at the end, so that no resource can be forgotten.
    """
    if not tags:
        return
    for construct in scope.node.find_all():
        if not isinstance(construct, TerraformResource) or not hasattr(type(construct), "tags"):
            continue
        if construct.terraform_resource_type not in _UNTAGGED:
            construct.add_override("tags", dict(tags))
