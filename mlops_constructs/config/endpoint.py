"""The endpoints that serve the model."""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING

from ..errors import Problem, under
from ._part import Part
from ._rules import in_range, instance_type
from ._tokens import is_token
from ._volume import volume_problems
from .autoscaling import Autoscaling
from .data_capture import DataCapture
from .rollout import MAX_LATENCY_MS, Rollout
from .serving import AsyncInferenceConfig, Mode, ServerlessConfig, asynchronous_problems, serverless_problems
from .smoke_test import SmokeTest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Part):
    """One SageMaker endpoint: real-time, ``Endpoint.serverless(...)`` or ``Endpoint.asynchronous(...)``.

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
        volume_size_in_gb: Volume of an instance, 1 to 512 GB, which holds the archive of the model and what is in it;
            SageMaker's 30 GB when it is None. Not for instance types with disks of their own. Literal.
        model_data_download_timeout_in_seconds: Time in which an instance must have downloaded the model, 60 to 3,600 s;
            SageMaker's when it is None. Literal.
            https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-hosting.html
        hourly_price_usd: Price of one instance per hour, in US dollars, from your region's price list and with your
            discounts; the approver reads what production will cost. None uses the price of ``Cost``. Literal.
            https://aws.amazon.com/sagemaker/pricing/
        serverless_config: Serves without instances. None for an endpoint with instances.
        async_inference_config: Serves from a queue. None for an endpoint that responds at once.
    """

    instance_type: str = "ml.m5.large"
    initial_instance_count: int = 1
    autoscaling: Autoscaling | None = None
    rollout: Rollout | None = None
    data_capture: DataCapture | None = None
    smoke_test: SmokeTest = field(default_factory=SmokeTest)
    container_startup_health_check_timeout_in_seconds: int = 600
    volume_size_in_gb: int | None = None
    model_data_download_timeout_in_seconds: int | None = None
    hourly_price_usd: float | None = None
    serverless_config: ServerlessConfig | None = None
    async_inference_config: AsyncInferenceConfig | None = None

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
        volume_size_in_gb: int | None = None,
        model_data_download_timeout_in_seconds: int | None = None,
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
            volume_size_in_gb=volume_size_in_gb,
            model_data_download_timeout_in_seconds=model_data_download_timeout_in_seconds,
            hourly_price_usd=hourly_price_usd,
        )

    @classmethod
    def serverless(
        cls,
        *,
        memory_size_in_mb: int = 2048,
        max_concurrency: int = 5,
        provisioned_concurrency: int | None = None,
        smoke_test: SmokeTest = SmokeTest(),
    ) -> Endpoint:
        """Without instances, for DEV or production; the arguments are those of ``ServerlessConfig``."""
        config = ServerlessConfig(
            memory_size_in_mb=memory_size_in_mb,
            max_concurrency=max_concurrency,
            provisioned_concurrency=provisioned_concurrency,
        )
        return cls(serverless_config=config, smoke_test=smoke_test)

    @classmethod
    def asynchronous(
        cls,
        *,
        instance_type: str = "ml.m5.large",
        initial_instance_count: int = 1,
        autoscaling: Autoscaling | None = Autoscaling.on_backlog(),
        rollout: Rollout | None = None,
        smoke_test: SmokeTest = SmokeTest(max_latency_ms=60_000),
        container_startup_health_check_timeout_in_seconds: int = 600,
        volume_size_in_gb: int | None = None,
        model_data_download_timeout_in_seconds: int | None = None,
        hourly_price_usd: float | None = None,
        async_inference_config: AsyncInferenceConfig | None = AsyncInferenceConfig(),
    ) -> Endpoint:
        """With a queue, for DEV or production; a release starts ``initial_instance_count`` instances."""
        return cls(
            instance_type=instance_type,
            initial_instance_count=initial_instance_count,
            autoscaling=autoscaling,
            rollout=rollout,
            smoke_test=smoke_test,
            container_startup_health_check_timeout_in_seconds=container_startup_health_check_timeout_in_seconds,
            volume_size_in_gb=volume_size_in_gb,
            model_data_download_timeout_in_seconds=model_data_download_timeout_in_seconds,
            hourly_price_usd=hourly_price_usd,
            async_inference_config=async_inference_config or AsyncInferenceConfig(),
        )

    @property
    def min_instances(self) -> int:
        """Minimum number of instances that the rollout needs."""
        return 2 if self.rollout is not None and self.rollout.strategy != "all_at_once" else 1

    @property
    def mode(self) -> Mode:
        """How it serves."""
        if self.serverless_config is not None:
            return "serverless"
        return "real-time" if self.async_inference_config is None else "asynchronous"

    @property
    def instance_types(self) -> list[str]:
        """Its instance type; none where it is serverless."""
        return [] if self.mode == "serverless" else [self.instance_type]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("initial_instance_count", self.initial_instance_count, 1, 1000)
        timeout = self.container_startup_health_check_timeout_in_seconds
        yield from in_range("container_startup_health_check_timeout_in_seconds", timeout, 60, 3600, "s")
        if self.hourly_price_usd is not None:
            yield from in_range("hourly_price_usd", self.hourly_price_usd, 0, 10_000, "US dollars per hour")
        parts = ("autoscaling", "rollout", "data_capture", "smoke_test", "serverless_config", "async_inference_config")
        for name in parts:
            part = getattr(self, name)
            if part is not None:
                yield from under(name, part.problems())
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != _default(one)}
        if self.mode == "serverless":
            yield from serverless_problems(given)
            return
        if self.mode == "asynchronous":
            yield from asynchronous_problems(given)
        volume, download = self.volume_size_in_gb, self.model_data_download_timeout_in_seconds
        yield from volume_problems(self.instance_type, volume, download)
        yield from self._metric_problems()
        if not is_token(self.initial_instance_count):
            yield from self._combination_problems()

    def _metric_problems(self) -> Iterator[Problem]:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html"""
        scaling, rollout, asynchronous = self.autoscaling, self.rollout, self.mode == "asynchronous"
        if scaling is not None and asynchronous is (scaling.backlog_per_instance is None):
            rule = "is needed: an asynchronous endpoint publishes no invocations per instance"
            remedy = "use Autoscaling.on_backlog(...)"
            if not asynchronous:
                rule = "is for asynchronous endpoints: this one has no backlog"
                remedy = "leave it out, or use Endpoint.asynchronous(...)"
            yield Problem("autoscaling.backlog_per_instance", rule, scaling.backlog_per_instance, remedy)
        latency = 1 if rollout is None or is_token(rollout.max_latency_ms) else rollout.max_latency_ms
        if not asynchronous and 60_000 < latency <= MAX_LATENCY_MS:
            rule, remedy = "must be at most 60000 ms: no real-time invocation takes longer", "lower it"
            yield Problem("rollout.max_latency_ms", rule, latency, remedy)

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


def _default(one: Field[object]) -> object:
    return one.default if one.default_factory is MISSING else one.default_factory()
