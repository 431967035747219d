"""Which sets of production variants CreateEndpointConfig refuses. No endpoint is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .images import empty_model
from .verdict import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .room import Room
    from .verdict import Verdicts

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
_MAX_VARIANTS = 10


def weights_of_zero_are_refused(room: Room) -> Verdicts:
    """Create a configuration of two variants with the weight 0."""
    return _refused(room, [("one", 0.0), ("two", 0.0)])


def equal_names_are_refused(room: Room) -> Verdicts:
    """Create a configuration of two variants of the same name."""
    return _refused(room, [("one", 1.0), ("one", 1.0)])


def many_variants_are_refused(room: Room) -> Verdicts:
    """Create a configuration of one variant too many."""
    return _refused(room, [(f"v{number}", 1.0) for number in range(_MAX_VARIANTS + 1)])


def _refused(room: Room, variants: Sequence[tuple[str, float]]) -> Verdicts:
    model, problem = empty_model(room)
    if problem:
        return "undecided", f"there is no model for the variants: {problem}"
    usual = _create(room, "usual", model, [("one", 1.0), ("two", 0.0)])
    if usual:
        return "undecided", f"two variants with the weights 1 and 0 were refused too: {usual}"
    found = _create(room, "asked", model, variants)
    return ("yes", found) if found else ("no", "CreateEndpointConfig accepted them")


def _create(room: Room, kind: str, model: str, variants: Sequence[tuple[str, float]]) -> str:
    """Create a configuration; return the refusal, or nothing when it was created."""
    sagemaker, name = room.client("sagemaker"), room.name(kind)
    wanted: list[dict[str, Any]] = [
        {
            "VariantName": variant,
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for variant, weight in variants
    ]

    def make() -> None:
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=wanted)
        room.on_leave(
            f"endpoint configuration {name}", lambda: sagemaker.delete_endpoint_config(EndpointConfigName=name)
        )

    return refusal(make)
