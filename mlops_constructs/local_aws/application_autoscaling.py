"""Application Auto Scaling: moto stores targets and policies; scheduled actions are executed, nothing else scales."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.schedules import Schedule
from mlops_constructs.local_aws.service import Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.clock import Due

_KEYS = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_LOOK_SECONDS = 0.5


class AutoScalingService(Service):
    """What moto leaves undone."""

    service_name: ClassVar[str] = "application-autoscaling"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._looked = datetime.min.replace(tzinfo=timezone.utc)
        # Whether there have been scheduled actions, and the targets whose capacity is still to be changed.
        self._any, self._outside = False, list[dict[str, str]]()
        account.clock.add_timer(self._next)

    def start(self) -> None:
        """Execute scheduled actions when they are due."""
        self._looked = self.account.clock.utc()
        self.account.spawn("scheduled-scaling", self._run, always=True)

    def after_put_scheduled_action(self, params: Params, headers: dict[str, str]) -> None:
        """Begin to look for what is due."""
        self._any = True

    def after_deregister_scalable_target(self, params: Params, headers: dict[str, str]) -> None:
        """Delete the target's policies and scheduled actions.

        "Deregistering a scalable target deletes the scaling policies that are associated with it."
        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
        "Any scheduled actions that were specified for the scalable target are deleted."
        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
        """
        keys = {name: params[name] for name in _KEYS}
        moto = self.account.moto("application-autoscaling")
        for policy in moto.describe_scaling_policies(**keys)["ScalingPolicies"]:
            moto.delete_scaling_policy(PolicyName=policy["PolicyName"], **keys)
        for action in moto.describe_scheduled_actions(**keys)["ScheduledActions"]:
            moto.delete_scheduled_action(ScheduledActionName=action["ScheduledActionName"], **keys)

    def _run(self) -> None:
        while not self.account.closing.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        with self.lock:
            if self._any:
                self._execute(self.account.clock.utc())

    def _next(self, after: float, until: float) -> Due | None:
        begin, end = (datetime.fromtimestamp(one, timezone.utc) for one in (after, until))
        schedules = [
            Schedule.parse(action["Schedule"], action.get("Timezone")).first(begin, end, action["CreationTime"])
            for action in (self._scheduled_actions() if self._any else ())
        ]
        first = min((one for one in schedules if one is not None), default=None)
        return None if first is None else (first.timestamp(), self._look)

    def _scheduled_actions(self) -> list[dict[str, Any]]:
        found = self.account.moto("application-autoscaling").describe_scheduled_actions(ServiceNamespace="sagemaker")
        return list(found["ScheduledActions"])

    def _execute(self, now: datetime) -> None:
        """Execute what was due since the last look, in the order of time."""
        due = []
        for action in self._scheduled_actions():
            schedule = Schedule.parse(action["Schedule"], action.get("Timezone"))
            latest = schedule.latest(self._looked, now, action["CreationTime"])
            if latest is not None:
                due.append((latest, action["ScheduledActionName"], action))
        self._looked = now
        for _, name, action in sorted(due, key=lambda one: one[:2]):
            keys = {key: action[key] for key in _KEYS}
            self.account.log(f"scaling {keys['ResourceId']}: {name} is due: {action['ScalableTargetAction']}")
            moto = self.account.moto("application-autoscaling")
            moto.register_scalable_target(**keys, **action["ScalableTargetAction"])
            self._outside = [one for one in self._outside if one != keys] + [keys]
        self._outside = [keys for keys in self._outside if not self._is_within(keys)]

    def _is_within(self, keys: dict[str, str]) -> bool:
        """Bring a variant's number of instances into its range; False when it has to be done later.

        "If current capacity is less than the specified minimum capacity, Application Auto Scaling scales out (increases
        capacity) to the specified minimum capacity", and likewise for the maximum.
        https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html
        """
        _, endpoint, _, variant = keys["ResourceId"].split("/")
        sagemaker = self.account.client("sagemaker")
        try:
            found = sagemaker.describe_endpoint(EndpointName=endpoint)
            if found["EndpointStatus"] != "InService":
                return False
            now = next(
                one["CurrentInstanceCount"] for one in found["ProductionVariants"] if one["VariantName"] == variant
            )
            wanted = max(self._target(keys)["MinCapacity"], min(now, self._target(keys)["MaxCapacity"]))
            if wanted != now:
                change = {"VariantName": variant, "DesiredInstanceCount": wanted}
                sagemaker.update_endpoint_weights_and_capacities(
                    EndpointName=endpoint, DesiredWeightsAndCapacities=[change]
                )
        except (ClientError, StopIteration):
            # It was deleted in between; or it began to change, and is looked at again.
            return not self._exists(endpoint)
        return True

    def _target(self, keys: dict[str, str]) -> dict[str, Any]:
        answer = self.account.moto("application-autoscaling").describe_scalable_targets(
            ServiceNamespace=keys["ServiceNamespace"],
            ResourceIds=[keys["ResourceId"]],
            ScalableDimension=keys["ScalableDimension"],
        )
        target: dict[str, Any] = answer["ScalableTargets"][0]
        return target

    def _exists(self, endpoint: str) -> bool:
        pages = self.account.client("sagemaker").get_paginator("list_endpoints").paginate(NameContains=endpoint)
        return any(one["EndpointName"] == endpoint for page in pages for one in page["Endpoints"])
