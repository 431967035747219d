"""The base class of the resource types: how a resource is created, updated and deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.cloudformation.request import request_for

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from mlops_constructs.local_aws.service import Params


class ResourceError(Exception):
    """A resource could not be created or updated as requested; the text is the reason."""


@dataclass(frozen=True)
class Context:
    """What a provider uses: clients under the stack's role, and a name for a new resource."""

    client: Callable[[str], Any]
    generated_name: str
    closing: threading.Event


@dataclass(frozen=True)
class Created:
    """A new resource: the results of Ref and of Fn::GetAtt."""

    physical_id: str
    attributes: Params = field(default_factory=dict)


class Provider:
    """One resource type. Properties not in `update_in_place` are create-only: a change replaces the resource."""

    type: ClassVar[str]
    name_property: ClassVar[str | None] = None
    update_in_place: ClassVar[frozenset[str]] = frozenset()
    takes_tags: ClassVar[bool] = True
    maximum_name_length: ClassVar[int] = 63

    def create(self, context: Context, properties: Params) -> Created:
        """Start to create the resource."""
        raise NotImplementedError

    def stabilize(self, context: Context, created: Created, properties: Params) -> None:
        """Wait until the resource is ready. Raises `ResourceError`."""

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """Change the resource in place."""
        raise NotImplementedError

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """Delete the resource, and wait until it is deleted."""
        raise NotImplementedError

    def needs_replacement(self, old: Params, new: Params) -> bool:
        """Whether a change from the old to the new properties requires a new resource."""
        return bool(changed_names(old, new) - self.update_in_place)


def changed_names(old: Params, new: Params) -> set[str]:
    """The names of the properties that differ."""
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def update_tags(client: Any, arn: str, old: Params, new: Params) -> None:
    """Update the tags of a SageMaker resource."""
    wanted = request_for(client, "AddTags", {"ResourceArn": arn, "Tags": new.get("Tags", [])})
    gone = {tag["Key"] for tag in old.get("Tags", [])} - {tag["Key"] for tag in wanted["Tags"]}
    if wanted["Tags"]:
        client.add_tags(**wanted)
    if gone:
        client.delete_tags(ResourceArn=arn, TagKeys=sorted(gone))
