"""What the production stack and its endpoint serve now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.ab_record import PRIMARY, SLOTS
from handler_kit.errors import StepError, error_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.production import Stack

OCCUPIED = "Slots"
BOTH = "both"
PREFIXES = {slot: slot.capitalize() for slot in SLOTS}
_CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
_WEIGHT_SLACK = 1e-4


@dataclass(frozen=True)
class Endpoint:
    """The endpoint.

    Attributes:
        name: Its name.
        status: Its status.
        reason: Why its last update failed; empty when it did not.
        weights: Variant to its weight.
        counts: Variant to its number of instances.
        seen: When all this was true, in seconds since 1970.
    """

    name: str
    status: str
    reason: str
    weights: Mapping[str, float]
    counts: Mapping[str, int]
    seen: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether it is being changed."""
        return self.status in _CHANGING

    def has(self, wanted: Mapping[str, float]) -> bool:
        """Whether its variants have these shares of the traffic."""
        ours, theirs = _shares(self.weights), _shares(wanted)
        return ours.keys() == theirs.keys() and all(abs(ours[name] - theirs[name]) < _WEIGHT_SLACK for name in ours)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total if total else 0.0 for name, weight in weights.items()}


def find_endpoint(sagemaker: Any, name: str) -> Endpoint | None:
    """The endpoint; ``None`` when it does not exist."""
    try:
        found = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error_code(error) == "ValidationException" and "not find" in str(error):
            return None
        raise
    variants = found.get("ProductionVariants", [])
    return Endpoint(
        name,
        found["EndpointStatus"],
        found.get("FailureReason", ""),
        {one["VariantName"]: float(one.get("CurrentWeight", 0.0)) for one in variants},
        {one["VariantName"]: int(one.get("CurrentInstanceCount", 0)) for one in variants},
        time.time(),
    )


def slots_of(stack: Stack | None) -> dict[str, dict[str, str]]:
    """Occupied slot to its parameters in the stack, without the prefix; empty when the stack serves nothing.

    A stack that was deployed before it had A/B tests has one slot, whose parameters have no prefix.
    """
    if stack is None or not stack.serves:
        return {}
    given = stack.parameters
    if OCCUPIED not in given:
        return {PRIMARY: dict(given)}
    occupied = SLOTS if given[OCCUPIED] == BOTH else (given[OCCUPIED],)
    return {
        slot: {
            name.removeprefix(PREFIXES[slot]): value
            for name, value in given.items()
            if name.startswith(PREFIXES[slot]) and name != PREFIXES[slot]
        }
        for slot in occupied
    }


def check_variants(endpoint: Endpoint | None, slots: Mapping[str, object]) -> None:
    """Raise StepError when the endpoint does not serve exactly the slots of its stack."""
    if endpoint is None and not slots:
        return
    found = sorted(endpoint.weights) if endpoint is not None else []
    if found != sorted(slots):
        name = "The production endpoint" if endpoint is None else f"Endpoint {endpoint.name}"
        raise StepError(
            f"{name} serves the variants {', '.join(found) or 'none'}, and its stack has {', '.join(sorted(slots))}:"
            " somebody changed one of them by hand. Bring the endpoint back to the configuration of its stack, then"
            " retry the stage."
        )
