"""The endpoints that serve the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Problem, under
from ._part import Part
from ._rules import in_range, instance_type
from ._tokens import is_token
from .office_hours import OfficeHours
from .rollout import Rollout
from .smoke_test import SmokeTest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaling(Part):
    """Target tracking on the invocations per instance.

    Attributes:
        min_capacity: Minimum number of instances, 1 to 1,000. Literal.
        max_capacity: Maximum number of instances, ``min_capacity`` to 1,000. Literal.
        invocations_per_instance: Target value: invocations per minute and instance. Literal.
        scale_in_cooldown_seconds: Waiting time after instances are removed, 0 to 3,600 s. Literal.
        scale_out_cooldown_seconds: Waiting time after instances are added, 0 to 3,600 s. Literal.
        office_hours: When all of these instances are needed, with fewer at other times; None for always.
    """

    min_capacity: int = 2
    max_capacity: int = 4
    invocations_per_instance: float = 750.0
    scale_in_cooldown_seconds: int = 300
    scale_out_cooldown_seconds: int = 60
    office_hours: OfficeHours | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("min_capacity", self.min_capacity, 1, 1000)
        yield from in_range("max_capacity", self.max_capacity, 1, 1000)
        if not is_token([self.min_capacity, self.max_capacity]) and self.max_capacity < self.min_capacity:
            yield Problem(
                "max_capacity", f"must be at least min_capacity ({self.min_capacity})", self.max_capacity, "raise it"
            )
        yield from in_range("invocations_per_instance", self.invocations_per_instance, 0.001, 1e9, "a minute")
        yield from in_range("scale_in_cooldown_seconds", self.scale_in_cooldown_seconds, 0, 3600, "s")
        yield from in_range("scale_out_cooldown_seconds", self.scale_out_cooldown_seconds, 0, 3600, "s")
        if self.office_hours is not None:
            yield from under("office_hours", self.office_hours.problems())


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCapture(Part):
    """Store requests and responses in the artifact bucket, for monitoring; the smoke test fails if nothing is stored.

    Attributes:
        sampling_percentage: Percentage of the requests to capture, 1 to 100. Literal.
    """

    sampling_percentage: int = 20

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("sampling_percentage", self.sampling_percentage, 1, 100, "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Part):
    """One SageMaker endpoint.

    Attributes:
        instance_type: SageMaker instance type. With autoscaling, another type needs two releases: first the same type
            with ``autoscaling=None``, then the other type with autoscaling. Literal.
        initial_instance_count: Number of instances at first, 1 to 1,000. Later deployments keep the count that
            autoscaling has set. Literal.
        autoscaling: Target tracking, or None for a fixed instance count.
        rollout: How an update shifts traffic, or None for all at once without alarms.
        data_capture: What to capture, or None to capture nothing.
        smoke_test: What the smoke test requires before the pipeline continues.
        container_startup_health_check_timeout_in_seconds: Time until the first ``/ping`` must succeed, 60 to 3,600 s.
            Literal.
        hourly_price_usd: Price of one instance per hour, in US dollars, from your region's price list and with your
            discounts; the approver reads what production will cost. None uses the price of ``Cost``. Literal.
            https://aws.amazon.com/sagemaker/pricing/
    """

    instance_type: str = "ml.m5.large"
    initial_instance_count: int = 1
    autoscaling: Autoscaling | None = None
    rollout: Rollout | None = None
    data_capture: DataCapture | None = None
    smoke_test: SmokeTest = field(default_factory=SmokeTest)
    container_startup_health_check_timeout_in_seconds: int = 600
    hourly_price_usd: float | None = None

    @classmethod
    def for_production(
        cls,
        *,
        instance_type: str = "ml.m5.large",
        initial_instance_count: int = 2,
        autoscaling: Autoscaling | None = Autoscaling(),
        rollout: Rollout | None = Rollout(),
        data_capture: DataCapture | None = DataCapture(),
        smoke_test: SmokeTest = SmokeTest(),
        container_startup_health_check_timeout_in_seconds: int = 600,
        hourly_price_usd: float | None = None,
    ) -> Endpoint:
        """Two instances or more in two zones, autoscaling, canary with rollback alarms, data capture."""
        return cls(
            instance_type=instance_type,
            initial_instance_count=initial_instance_count,
            autoscaling=autoscaling,
            rollout=rollout,
            data_capture=data_capture,
            smoke_test=smoke_test,
            container_startup_health_check_timeout_in_seconds=container_startup_health_check_timeout_in_seconds,
            hourly_price_usd=hourly_price_usd,
        )

    @property
    def min_instances(self) -> int:
        """Minimum number of instances that the rollout needs."""
        return 2 if self.rollout is not None and self.rollout.strategy != "all_at_once" else 1

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("initial_instance_count", self.initial_instance_count, 1, 1000)
        yield from in_range(
            "container_startup_health_check_timeout_in_seconds",
            self.container_startup_health_check_timeout_in_seconds,
            60,
            3600,
            "s",
        )
        if self.hourly_price_usd is not None:
            yield from in_range("hourly_price_usd", self.hourly_price_usd, 0, 10_000, "US dollars per hour")
        for name in ("autoscaling", "rollout", "data_capture", "smoke_test"):
            part = getattr(self, name)
            if part is not None:
                yield from under(name, part.problems())
        if not is_token(self.initial_instance_count):
            yield from self._combination_problems()

    def _combination_problems(self) -> Iterator[Problem]:
        count, scaling, rollout = self.initial_instance_count, self.autoscaling, self.rollout
        if rollout is not None and count < self.min_instances and not is_token(rollout.strategy):
            yield Problem(
                "initial_instance_count",
                f"a {rollout.strategy} rollout needs at least 2 instances",
                count,
                "use 2, or Rollout.all_at_once()",
            )
        if scaling is None:
            return
        known = not is_token([scaling.min_capacity, scaling.max_capacity])
        if known and not scaling.min_capacity <= count <= scaling.max_capacity:
            yield Problem(
                "initial_instance_count",
                f"must be within autoscaling's {scaling.min_capacity} to {scaling.max_capacity}",
                count,
                "choose a count in that range, or widen autoscaling",
            )
        yield from self._office_hours_problems(scaling)
        if self.instance_type.startswith("ml.t2."):
            yield Problem(
                "instance_type",
                "burstable T2 instances do not support autoscaling",
                self.instance_type,
                "use 'ml.m5.large'",
            )

    def _office_hours_problems(self, scaling: Autoscaling) -> Iterator[Problem]:
        """A release outside the office hours finds the instances of that time, which its rollout must suffice with."""
        hours, rollout = scaling.office_hours, self.rollout
        if hours is None or rollout is None or is_token([hours.min_capacity_outside, rollout.strategy]):
            return
        if hours.min_capacity_outside < self.min_instances:
            yield Problem(
                "autoscaling.office_hours.min_capacity_outside",
                f"a {rollout.strategy} rollout needs at least 2 instances, at any time of a release",
                hours.min_capacity_outside,
                "use 2 for both capacities outside, or Rollout.all_at_once()",
            )
