"""The slots of an endpoint: one, or two for an A/B test, of which either may be the champion's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a template places a model.

    Attributes:
        variant: Name of its production variant.
        prefix: Prefix of its parameters.
        logical: Prefix of its resources; those of the first slot are the same with and without A/B tests, so that
            CloudFormation changes the existing ones.
        condition: Condition that is true while it is occupied, or None when it always is.
    """

    variant: str
    prefix: str = ""
    logical: str = ""
    condition: str | None = None

    @property
    def scales(self) -> str:
        """The condition that is true while it has autoscaling."""
        return f"{self.prefix}Scales"

    def value(self, parameter: str) -> dict[str, str]:
        """Return the reference to one of its parameters."""
        return {"Ref": f"{self.prefix}{parameter}"}

    def resource(self, name: str) -> str:
        """Return the logical id of one of its resources."""
        return f"{self.logical}{name}"

    def attribute(self, name: str, attribute: str) -> dict[str, list[str]]:
        """Return an attribute of one of its resources."""
        return {"Fn::GetAtt": [self.resource(name), attribute]}

    def while_occupied(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return a resource that exists only while the slot is occupied."""
        return resource if self.condition is None else {**resource, "Condition": self.condition}

    def if_occupied(self, value: object) -> Any:
        """Return a value, or none while the slot is empty."""
        return value if self.condition is None else no_value_unless(self.condition, value)


def no_value_unless(condition: str, value: object) -> dict[str, Any]:
    """Return a value that is left out while a condition is false."""
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]}


# The parameter that tells which slots are occupied: the name of one, or BOTH.
SLOTS = "Slots"
BOTH = "both"
ONLY = (Slot("primary"),)
TWO = (
    Slot("primary", "Primary", "", "HasPrimary"),
    Slot("secondary", "Secondary", "Secondary", "HasSecondary"),
)
