"""What a ``trainingjob.zip`` may request in place of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Problem, under
from ._part import Part
from ._rules import boolean, in_range, instance_type
from ._tokens import is_token
from .training import MAX_ASKED_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .endpoint import Endpoint
    from .training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLimits(Part):
    """What a data set may request for its training job.

    Attributes:
        instance_types: Instance types that it may choose, in addition to those of ``Training``. Literals.
        max_instance_count: Maximum number of instances, 1 to 100; None for that of ``Training``. Literal.
        max_volume_size_in_gb: Maximum storage volume, 1 to 16,384 GB; None for that of ``Training``. Literal.
        max_runtime_in_seconds: Maximum runtime, 60 to 82,800 s (23 hours); None for that of ``Training``. Literal.
        environment: Whether it may set environment variables. They can change which code ``train`` runs, so True lets
            everyone who may upload a data set do that. Literal.
    """

    instance_types: Sequence[str] = ()
    max_instance_count: int | None = None
    max_volume_size_in_gb: int | None = None
    max_runtime_in_seconds: int | None = None
    environment: bool = False

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from _type_problems(self.instance_types)
        yield from _optional_range("max_instance_count", self.max_instance_count, 1, 100)
        yield from _optional_range("max_volume_size_in_gb", self.max_volume_size_in_gb, 1, 16_384, "GB")
        yield from _optional_range("max_runtime_in_seconds", self.max_runtime_in_seconds, 60, MAX_ASKED_SECONDS, "s")
        yield from boolean("environment", self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLimits(Part):
    """What a data set may request for an endpoint.

    Attributes:
        instance_types: Instance types that it may choose, in addition to that of the ``Endpoint``. Literals.
        min_instance_count: Minimum number of instances, 1 to 1,000; None for that of the ``Endpoint``. Literal.
        max_instance_count: Maximum number of instances, 1 to 1,000, also for autoscaling; None for that of the
            ``Endpoint``. Literal.
        autoscaling: Whether it may configure autoscaling, within these numbers, or switch it off. Literal.
        min_sampling_percentage: Minimum percentage of requests to capture, 0 to 100, where 0 lets it switch data
            capture off; None for exactly that of the ``Endpoint``. Literal.
    """

    instance_types: Sequence[str] = ()
    min_instance_count: int | None = None
    max_instance_count: int | None = None
    autoscaling: bool = False
    min_sampling_percentage: int | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from _type_problems(self.instance_types)
        yield from _optional_range("min_instance_count", self.min_instance_count, 1, 1000)
        yield from _optional_range("max_instance_count", self.max_instance_count, 1, 1000)
        low, high = self.min_instance_count, self.max_instance_count
        if low is not None and high is not None and not is_token([low, high]) and low > high:
            yield Problem("max_instance_count", f"must be at least min_instance_count ({low})", high, "increase it")
        yield from boolean("autoscaling", self.autoscaling)
        yield from _optional_range("min_sampling_percentage", self.min_sampling_percentage, 0, 100, "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests(Part):
    """What a ``trainingjob.zip`` may request in place of the configuration; what is not allowed here is refused.

    Without it, a data set chooses its channels and hyperparameters, and everything else must fit the configuration.
    CheckDataset enforces the limits; so do the policies of the roles (instance types and runtime, for which IAM has
    condition keys) and the templates of the endpoints. The approver reads what was requested.

    Attributes:
        training: For the training job.
        dev: For the DEV endpoint, which is deployed before anybody approves.
        production: For the production endpoint.
    """

    training: TrainingLimits = field(default_factory=TrainingLimits)
    dev: EndpointLimits = field(default_factory=EndpointLimits)
    production: EndpointLimits = field(default_factory=EndpointLimits)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        for name in ("training", "dev", "production"):
            yield from under(name, getattr(self, name).problems())


@dataclass(frozen=True, slots=True)
class AllowedTraining:
    """The limits of a training job: the configuration, widened by ``TrainingLimits``."""

    instance_types: list[str]
    max_instance_count: int
    max_volume_size_in_gb: int
    max_runtime_in_seconds: int
    environment: bool

    @classmethod
    def of(cls, training: Training, limits: TrainingLimits) -> AllowedTraining:
        """Widen the configuration by the limits."""
        return cls(
            instance_types=list(dict.fromkeys([*training.instance_types, *limits.instance_types])),
            max_instance_count=max(training.instance_count, limits.max_instance_count or 0),
            max_volume_size_in_gb=max(training.volume_size_in_gb, limits.max_volume_size_in_gb or 0),
            max_runtime_in_seconds=max(training.max_runtime_in_seconds, limits.max_runtime_in_seconds or 0),
            environment=limits.environment,
        )


@dataclass(frozen=True, slots=True)
class AllowedEndpoint:
    """The limits of an endpoint: the configuration, widened by ``EndpointLimits``."""

    instance_types: list[str]
    min_instance_count: int
    max_instance_count: int
    autoscaling: bool
    min_sampling_percentage: int | None

    @classmethod
    def of(cls, endpoint: Endpoint, limits: EndpointLimits) -> AllowedEndpoint:
        """Widen the configuration by the limits; a serverless endpoint has no instances."""
        counts = [endpoint.initial_instance_count]
        if endpoint.autoscaling is not None:
            counts += [endpoint.autoscaling.min_capacity, endpoint.autoscaling.max_capacity]
        low, high = limits.min_instance_count, limits.max_instance_count
        return cls(
            instance_types=list(dict.fromkeys([*endpoint.instance_types, *limits.instance_types])),
            min_instance_count=min([*counts, *([] if low is None else [low])]),
            max_instance_count=max([*counts, *([] if high is None else [high])]),
            autoscaling=limits.autoscaling,
            min_sampling_percentage=limits.min_sampling_percentage,
        )


def _type_problems(types: Sequence[str]) -> Iterator[Problem]:
    for index, one in enumerate(types):
        yield from instance_type(f"instance_types[{index}]", one)


def _optional_range(name: str, value: Any, low: int, high: int, unit: str = "") -> Iterator[Problem]:
    if value is not None:
        yield from in_range(name, value, low, high, unit)
