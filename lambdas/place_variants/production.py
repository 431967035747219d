"""The calls for the production endpoint: what it is now, its weights, and its alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.production import find_stack
from place_variants.observed import find_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.ab_store import Store
    from handler_kit.production import Stack
    from place_variants.observed import Endpoint


@dataclass(frozen=True)
class Wait:
    """What the action waits for, for people."""

    summary: str


@dataclass(frozen=True)
class Production:
    """The production endpoint of one pipeline; its stack has the same name.

    Attributes:
        name: Its name.
        store: The record of champion and challenger.
        sagemaker: A client.
        cloudformation: A client.
        cloudwatch: A client.
    """

    name: str
    store: Store
    sagemaker: Any
    cloudformation: Any
    cloudwatch: Any

    def stack(self) -> Stack | None:
        """The stack; ``None`` when it does not exist."""
        return find_stack(self.cloudformation, self.name)

    def endpoint(self) -> Endpoint | None:
        """The endpoint; ``None`` when it does not exist."""
        return find_endpoint(self.sagemaker, self.name)

    def shift(self, weights: Mapping[str, float]) -> None:
        """Request weights, for all variants; they are live when the endpoint is InService again."""
        self._change([{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()])

    def scale(self, variant: str, count: int) -> None:
        """Request a number of instances for one variant."""
        self._change([{"VariantName": variant, "DesiredInstanceCount": count}])

    def _change(self, wanted: list[dict[str, Any]]) -> None:
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=wanted
        )
        logs.info("weights or capacities requested", endpoint=self.name, wanted=wanted)

    def alarms(self) -> list[str]:
        """Names of its alarms that are in ALARM; their names begin with the endpoint's."""
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{self.name}-", StateValue="ALARM"
        )
        return sorted(alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"])
