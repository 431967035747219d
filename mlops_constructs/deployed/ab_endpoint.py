"""The production endpoint with two variants: what is observed, and the changes of weights and instance counts."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import explained
from .endpoints import endpoint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .pipeline import DeployedPipeline

IN_SERVICE = "InService"
CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
# SageMaker keeps weights as single precision numbers.
_SAME_WEIGHT = 1e-6
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_POLL_SECONDS = 1.0
# A change is visible in DescribeEndpoint a moment after it was accepted.
_VISIBLE_SECONDS = 15.0
# Less than the time after which a command counts as crashed.
WAIT_SECONDS = 720.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A production variant.

    Attributes:
        weight: Its weight now.
        instances: Its instances now; 0 where it has none, as a serverless variant.
        model: Name of its model; empty until ``Endpoint.observe`` looked it up.
        image: Image of its model.
        model_data_url: Data of its model.
    """

    weight: float
    instances: int = 0
    model: str = ""
    image: str = ""
    model_data_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What DescribeEndpoint, and DescribeStacks where it was asked, have said.

    Attributes:
        endpoint: Name of the endpoint.
        status: Its EndpointStatus.
        config: Its endpoint configuration.
        variants: Its variants by name.
        reason: Its FailureReason.
        stack_status: Status of its CloudFormation stack; empty if it was not asked for.
        stack_config: The endpoint configuration in that stack; empty if it was not asked for or is unknown.
    """

    endpoint: str
    status: str
    config: str
    variants: Mapping[str, Variant]
    reason: str = ""
    stack_status: str = ""
    stack_config: str = ""

    @property
    def shares(self) -> dict[str, float]:
        """Variant to its share of the traffic."""
        total = sum(one.weight for one in self.variants.values())
        return {name: one.weight / total if total else 0.0 for name, one in self.variants.items()}

    def has(self, weights: Mapping[str, float]) -> bool:
        """Whether traffic is distributed as with these weights; a variant that is not named has none."""
        total, shares = sum(weights.values()), self.shares
        return all(abs(share - weights.get(name, 0.0) / total) <= _SAME_WEIGHT for name, share in shares.items())

    def busy(self) -> str:
        """Why nothing may be changed now, as a sentence; empty when stack and endpoint are at rest."""
        if self.stack_status.endswith("_IN_PROGRESS"):
            return f"the stack {self.endpoint} is {self.stack_status}: wait until its update has ended"
        if self.status in CHANGING:
            return f"the endpoint {self.endpoint} is {self.status}: wait until it is {IN_SERVICE}"
        return "" if self.status == IN_SERVICE else self.broken()

    def broken(self) -> str:
        """Why it cannot be waited for, as a sentence."""
        return f"the endpoint {self.endpoint} is {self.status}{f' ({self.reason})' if self.reason else ''}"


class Endpoint:
    """The production endpoint of a pipeline."""

    def __init__(
        self, pipeline: DeployedPipeline, tell: Callable[[str], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Find it.

        Args:
            pipeline: Its pipeline.
            tell: Called with a sentence on what is waited for.
            pause: Waits between polls.

        Raises:
            MlopsError: when it is not deployed.
        """
        self._client, self._stack, self._tell, self._pause = pipeline.client, pipeline.stacks[-1], tell, pause
        self.name = endpoint_of(pipeline, self._stack)

    def state(self) -> Observed:
        """Return its status and its weights."""
        with explained(f"the endpoint {self.name} could not be looked up"):
            found = self._client("sagemaker").describe_endpoint(EndpointName=self.name)
        variants = {
            one["VariantName"]: Variant(
                weight=float(one.get("CurrentWeight", 0.0)), instances=int(one.get("CurrentInstanceCount") or 0)
            )
            for one in found.get("ProductionVariants", [])
        }
        return Observed(
            endpoint=self.name,
            status=found["EndpointStatus"],
            config=found["EndpointConfigName"],
            variants=variants,
            reason=found.get("FailureReason", ""),
        )

    def observe(self) -> Observed:
        """Return everything: its models and its stack too."""
        seen, sagemaker, cloudformation = self.state(), self._client("sagemaker"), self._client("cloudformation")
        with explained(f"the models of the endpoint {self.name} could not be looked up"):
            config = sagemaker.describe_endpoint_config(EndpointConfigName=seen.config)
            variants = {
                one["VariantName"]: _with_model(seen.variants[one["VariantName"]], sagemaker, one["ModelName"])
                for one in config["ProductionVariants"]
                if one["VariantName"] in seen.variants
            }
        with explained(f"the stack {self._stack} could not be looked up"):
            stack = cloudformation.describe_stacks(StackName=self._stack)["Stacks"][0]
            resources = cloudformation.describe_stack_resources(StackName=self._stack)["StackResources"]
        kinds = {one["ResourceType"]: str(one.get("PhysicalResourceId", "")) for one in resources}
        return Observed(
            endpoint=self.name,
            status=seen.status,
            config=seen.config,
            variants={**seen.variants, **variants},
            reason=seen.reason,
            stack_status=stack["StackStatus"],
            stack_config=kinds.get("AWS::SageMaker::EndpointConfig", "").rpartition("/")[2],
        )

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Ask for weights; of nothing else."""
        self._update([{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()])

    def set_instances(self, variant: str, count: int) -> None:
        """Ask for the instance count of one variant, and wait for it."""
        self._update([{"VariantName": variant, "DesiredInstanceCount": count}])
        self.wait(lambda seen: seen.variants[variant].instances >= count, f"waiting for {count} instances of {variant}")

    def needed(self, seen: Observed, variant: str, share: float) -> int | None:
        """Return the instances that a variant needs to carry a share of the traffic.

        None where it has enough, or where autoscaling has no target for it, so that nothing says how many it may have.
        """
        resource = f"endpoint/{self.name}/variant/{variant}"
        with explained(f"the autoscaling of {resource} could not be looked up"):
            answer = self._client("application-autoscaling").describe_scalable_targets(
                ServiceNamespace="sagemaker", ResourceIds=[resource], ScalableDimension=_DIMENSION
            )
        if not answer["ScalableTargets"]:
            return None
        target = answer["ScalableTargets"][0]
        total = sum(one.instances for one in seen.variants.values())
        # Without the tiny number, 0.7 of 10 instances would be 8.
        wanted = min(max(math.ceil(total * share - 1e-9), target["MinCapacity"]), target["MaxCapacity"])
        return wanted if wanted > seen.variants[variant].instances else None

    def wait_for_weights(self, weights: Mapping[str, float]) -> None:
        """Wait until these weights are read back. Raises MlopsError when the endpoint has others, or takes too long."""
        self.wait(lambda seen: seen.has(weights), f"waiting for the weights of {self.name}")

    def wait(self, reached: Callable[[Observed], bool], what: str) -> Observed:
        """Wait until the endpoint is in service and as it was asked for."""
        began = time.monotonic()
        while True:
            seen = self.state()
            waited = time.monotonic() - began
            if seen.status == IN_SERVICE and reached(seen):
                return seen
            if seen.status == IN_SERVICE and waited >= _VISIBLE_SECONDS:
                why = f": {seen.reason}" if seen.reason else ""
                raise MlopsError(
                    f"the endpoint {self.name} is {IN_SERVICE} again, but not with the requested weights{why}"
                )
            if seen.status not in (IN_SERVICE, *CHANGING):
                raise MlopsError(seen.broken())
            if waited >= WAIT_SECONDS:
                raise MlopsError(
                    f"the endpoint {self.name} has been {seen.status} for {waited:.0f} s; the requested change may"
                    " still happen: see it with `mlops ab status`"
                )
            self._tell(f"{what}: {seen.status}")
            self._pause(_POLL_SECONDS)

    def _update(self, wanted: list[dict[str, Any]]) -> None:
        with explained(f"the endpoint {self.name} could not be changed"):
            self._client("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=self.name, DesiredWeightsAndCapacities=wanted
            )


def _with_model(variant: Variant, sagemaker: Any, name: str) -> Variant:
    model = sagemaker.describe_model(ModelName=name)
    container = model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0]
    source = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
    return Variant(
        weight=variant.weight,
        instances=variant.instances,
        model=name,
        image=container.get("Image", ""),
        model_data_url=container.get("ModelDataUrl") or source,
    )
