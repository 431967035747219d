"""How each resource type is created, updated and deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.cloudformation.request import request_for

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from mlops_constructs.local_aws.service import Params


class ResourceError(Exception):
    """A resource did not become what was asked for; the text is the reason."""


@dataclass(frozen=True)
class Context:
    """What a provider works with: clients under the stack's role, and a name for a new resource."""

    client: Callable[[str], Any]
    generated_name: str
    closing: threading.Event


@dataclass(frozen=True)
class Created:
    """A new resource: what Ref gives, and what Fn::GetAtt gives."""

    physical_id: str
    attributes: Params = field(default_factory=dict)


class Provider:
    """One resource type. Names not in `update_in_place` are create-only: changing them replaces."""

    type: ClassVar[str]
    name_property: ClassVar[str | None] = None
    update_in_place: ClassVar[frozenset[str]] = frozenset()
    takes_tags: ClassVar[bool] = True
    maximum_name_length: ClassVar[int] = 63

    def create(self, context: Context, properties: Params) -> Created:
        """Begin to make the resource."""
        raise NotImplementedError

    def stabilize(self, context: Context, created: Created, properties: Params) -> None:
        """Wait until the resource is ready. Raises `ResourceError`."""

    def update(self, context: Context, physical_id: str, old: Params, new: Params) -> None:
        """Change the resource in place."""
        raise NotImplementedError

    def delete(self, context: Context, physical_id: str, attributes: Params) -> None:
        """Remove the resource, and wait until it is gone."""
        raise NotImplementedError

    def needs_replacement(self, old: Params, new: Params) -> bool:
        """Whether going from one set of properties to another takes a new resource."""
        return bool(changed_names(old, new) - self.update_in_place)


def changed_names(old: Params, new: Params) -> set[str]:
    """The properties that differ."""
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def update_tags(client: Any, arn: str, old: Params, new: Params) -> None:
    """Bring the tags of a SageMaker resource up to date."""
    wanted = request_for(client, "AddTags", {"ResourceArn": arn, "Tags": new.get("Tags", [])})
    gone = {tag["Key"] for tag in old.get("Tags", [])} - {tag["Key"] for tag in wanted["Tags"]}
    if wanted["Tags"]:
        client.add_tags(**wanted)
    if gone:
        client.delete_tags(ResourceArn=arn, TagKeys=sorted(gone))
