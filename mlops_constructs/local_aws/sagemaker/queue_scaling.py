"""Application Auto Scaling of asynchronous endpoints: to zero, and from zero.

Of real time, what AWS counts in minutes takes `minute_seconds` each here; a clock that is advanced counts in full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.service import without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

MINUTE_SECONDS = 1.0
_MINUTE = 60.0
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_OUT_MINUTES, _IN_MINUTES = 3, 15
"""Target tracking adds instances after 3 minutes above its target, and removes them after 15 minutes below 90 % of it.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


@dataclass(frozen=True)
class Seen:
    """A variant at one moment: its requests, and its instances."""

    endpoint_name: str
    variant_name: str
    backlog: int
    count: int

    @property
    def is_stuck(self) -> bool:
        """HasBacklogWithoutCapacity: requests wait, and there is no instance."""
        return self.backlog > 0 and self.count == 0


@dataclass
class _Memory:
    """Since when each condition of an endpoint holds, and when a policy last changed its instances."""

    since: dict[str, float] = field(default_factory=dict)
    scaled: dict[str, float] = field(default_factory=dict)
    looked: float = 0.0

    def held(self, name: str, holds: bool, now: float) -> float:
        """How long a condition has held, in seconds; below 0 when it does not hold."""
        if not holds:
            self.since.pop(name, None)
            return -1.0
        return now - self.since.setdefault(name, now)


class QueueScaling:
    """Changes the instances of asynchronous endpoints by their scaling policies and alarms."""

    def __init__(self, account: Account) -> None:
        self.minute_seconds = MINUTE_SECONDS
        self._account = account
        self._memory: dict[str, _Memory] = {}

    def look(self, seen: Seen) -> None:
        """Evaluate the policies of a variant, at most four times a minute."""
        memory = self._memory.setdefault(seen.endpoint_name, _Memory())
        now = self._now()
        if now - memory.looked < _MINUTE / 4:
            return
        memory.looked = now
        target = self._target(seen)
        if target is None:
            return
        wanted = [self._wanted(policy, seen, memory, now) for policy in self._policies(target)]
        counts = [count for count in wanted if count is not None]
        if not counts:
            return
        # "the policy that provides the largest capacity" wins:
        # https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
        count = min(max(max(counts), target["MinCapacity"]), target["MaxCapacity"])
        if count != seen.count:
            self._scale(seen, count)

    def _now(self) -> float:
        """Seconds as AWS counts them."""
        clock = self._account.clock
        ahead = clock.ahead
        return (clock.now() - ahead) * _MINUTE / self.minute_seconds + ahead

    def _wanted(self, policy: Params, seen: Seen, memory: _Memory, now: float) -> int | None:
        if policy["PolicyType"] == "StepScaling":
            return self._by_steps(policy, seen, memory, now)
        return self._by_target(policy, seen, memory, now)

    def _by_target(self, policy: Params, seen: Seen, memory: _Memory, now: float) -> int | None:
        config = policy["TargetTrackingScalingPolicyConfiguration"]
        metric = config.get("CustomizedMetricSpecification", {}).get("MetricName")
        if metric != "ApproximateBacklogSizePerInstance" or seen.count == 0:
            return None
        value, target, name = seen.backlog / seen.count, config["TargetValue"], policy["PolicyName"]
        above = memory.held(f"{name} above", value > target, now) >= _OUT_MINUTES * _MINUTE
        below = memory.held(f"{name} below", value < 0.9 * target, now) >= _IN_MINUTES * _MINUTE
        cooldown = config.get("ScaleOutCooldown" if above else "ScaleInCooldown", 300)
        if not (above or below) or not self._is_over(name, cooldown, memory, now):
            return None
        memory.scaled[name] = now
        return math.ceil(seen.backlog / float(target))

    def _by_steps(self, policy: Params, seen: Seen, memory: _Memory, now: float) -> int | None:
        name = policy["PolicyName"]
        alarm = self._alarm(policy["PolicyARN"])
        if alarm is None or alarm["MetricName"] != "HasBacklogWithoutCapacity":
            return None
        value = float(seen.is_stuck)
        breaches = _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
        held = memory.held(name, breaches, now) >= alarm["EvaluationPeriods"] * alarm["Period"]
        self._set_state(alarm, "ALARM" if held else "OK")
        config = policy["StepScalingPolicyConfiguration"]
        if not held or not self._is_over(name, config.get("Cooldown", 300), memory, now):
            return None
        memory.scaled[name] = now
        return seen.count + sum(
            int(step["ScalingAdjustment"])
            for step in config["StepAdjustments"]
            if step.get("MetricIntervalLowerBound", -math.inf)
            <= value - alarm["Threshold"]
            < step.get("MetricIntervalUpperBound", math.inf)
        )

    def _is_over(self, name: str, cooldown_seconds: float, memory: _Memory, now: float) -> bool:
        last = memory.scaled.get(name)
        return last is None or now - last >= cooldown_seconds

    def _scale(self, seen: Seen, count: int) -> None:
        change = {"VariantName": seen.variant_name, "DesiredInstanceCount": count}
        try:
            self._account.client("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=seen.endpoint_name, DesiredWeightsAndCapacities=[change]
            )
        except ClientError as error:
            # The endpoint is being updated, or a quota is used up: it is tried again.
            self._account.log(f"endpoint {seen.endpoint_name}: {count} instances: {error}")
            return
        self._account.log(f"endpoint {seen.endpoint_name}: scaled from {seen.count} to {count} instances")

    def _set_state(self, alarm: Params, state: str) -> None:
        if alarm["StateValue"] != state:
            self._account.client("cloudwatch").set_alarm_state(
                AlarmName=alarm["AlarmName"], StateValue=state, StateReason="HasBacklogWithoutCapacity"
            )

    def _target(self, seen: Seen) -> Params | None:
        resource = f"endpoint/{seen.endpoint_name}/variant/{seen.variant_name}"
        found = self._account.moto("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[resource], ScalableDimension=_DIMENSION
        )
        return next(iter(found["ScalableTargets"]), None)

    def _policies(self, target: Params) -> list[Params]:
        found = self._account.moto("application-autoscaling").describe_scaling_policies(
            ServiceNamespace="sagemaker", ResourceId=target["ResourceId"], ScalableDimension=_DIMENSION
        )
        return list(found["ScalingPolicies"])

    def _alarm(self, policy_arn: str) -> Params | None:
        found = without_metadata(self._account.moto("cloudwatch").describe_alarms())["MetricAlarms"]
        return next((alarm for alarm in found if policy_arn in alarm.get("AlarmActions", ())), None)
