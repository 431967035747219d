"""Modes of serving beside real-time: serverless, and asynchronous from a queue; and what AWS excludes from each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import Problem
from ._part import Part
from ._rules import in_range, reference
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Mode = Literal["real-time", "serverless", "asynchronous"]
MEMORY_SIZES_IN_MB = tuple(range(1024, 6145, 1024))
# The metric and the statistic that count an endpoint's requests: an asynchronous one publishes no Invocations, but of
# each response whether it was an error. https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
COUNTED: Mapping[Mode, tuple[str, str]] = {
    "real-time": ("Invocations", "Sum"),
    "serverless": ("Invocations", "Sum"),
    "asynchronous": ("Invocation5XXErrors", "SampleCount"),
}
_NO_INSTANCES = "a serverless endpoint has no instances"
_LEAVE_OUT = "leave it out"
# Argument of an endpoint to why a serverless endpoint cannot have it.
# https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
_NOT_SERVERLESS: Mapping[str, tuple[str, str]] = {
    "instance_type": (f"{_NO_INSTANCES}: memory_size_in_mb sizes it", _LEAVE_OUT),
    "initial_instance_count": (f"{_NO_INSTANCES}: max_concurrency limits it", _LEAVE_OUT),
    "autoscaling": (f"{_NO_INSTANCES}: SageMaker scales it, from 0 to max_concurrency", _LEAVE_OUT),
    "rollout": (
        f"{_NO_INSTANCES}, and a canary or linear rollout and its alarms shift instances: SageMaker replaces a"
        " serverless model all at once",
        "leave it out; the smoke test checks the release, and mlops rollback returns to an older one",
    ),
    "data_capture": ("SageMaker does not support data capture for serverless endpoints", _LEAVE_OUT),
    "container_startup_health_check_timeout_in_seconds": (
        "a serverless variant has no such member: SageMaker limits how long its containers may start",
        _LEAVE_OUT,
    ),
    "volume_size_in_gb": (f"{_NO_INSTANCES}: its containers have 5 GB of disk", _LEAVE_OUT),
    "model_data_download_timeout_in_seconds": ("a serverless variant has no such member", _LEAVE_OUT),
    "hourly_price_usd": (f"{_NO_INSTANCES}: SageMaker bills the time of each request, by memory", _LEAVE_OUT),
    "async_inference_config": ("an endpoint is serverless or asynchronous, not both", "choose one"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessConfig(Part):
    """Serve without instances: SageMaker starts containers for the requests, and none runs without requests.

    The first request after a pause waits until a container has started (cold start). The image may have 10 GB, a
    request 4 MB. https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html

    Attributes:
        memory_size_in_mb: Memory of a container, 1,024 to 6,144 MB in steps of 1,024; with it the vCPUs. Literal.
        max_concurrency: Maximum number of requests at one time, 1 to 200; more are throttled. Literal.
        provisioned_concurrency: Number of containers that are kept ready, 1 to ``max_concurrency``, which cost also
            without requests; None for none. Literal.
    """

    memory_size_in_mb: int = 2048
    max_concurrency: int = 5
    provisioned_concurrency: int | None = None

    def __str__(self) -> str:
        kept = "" if self.provisioned_concurrency is None else f", {self.provisioned_concurrency} kept ready"
        return f"serverless, {self.memory_size_in_mb} MB, up to {self.max_concurrency} at a time{kept}"

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        memory, most, kept = self.memory_size_in_mb, self.max_concurrency, self.provisioned_concurrency
        yield from in_range("memory_size_in_mb", memory, 1024, 6144, "MB")
        if not is_token(memory) and 1024 <= memory <= 6144 and memory not in MEMORY_SIZES_IN_MB:
            yield Problem("memory_size_in_mb", "must be a multiple of 1,024 MB", memory, "use for example 2048")
        yield from in_range("max_concurrency", most, 1, 200, "requests")
        if kept is not None:
            yield from in_range("provisioned_concurrency", kept, 1, 200, "containers")
            if not is_token([kept, most]) and most < kept <= 200:
                yield Problem("provisioned_concurrency", f"must be at most max_concurrency ({most})", kept, "lower it")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncInferenceConfig(Part):
    """Serve from a queue: requests and responses are objects in the artifact bucket, of up to 1 GB and one hour.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html

    Attributes:
        max_concurrent_invocations_per_instance: Requests that an instance gets at one time, 1 to 1,000; None lets
            SageMaker choose. Literal.
        success_topic: ARN of an SNS topic that is notified of each response, or None. Reference.
        error_topic: ARN of an SNS topic that is notified of each request that failed, or None. Reference.
    """

    max_concurrent_invocations_per_instance: int | None = None
    success_topic: str | None = None
    error_topic: str | None = None

    @property
    def topics(self) -> dict[str, str]:
        """The topics by the member of AWS's request."""
        named = {"SuccessTopic": self.success_topic, "ErrorTopic": self.error_topic}
        return {name: arn for name, arn in named.items() if arn is not None}

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        name = "max_concurrent_invocations_per_instance"
        if self.max_concurrent_invocations_per_instance is not None:
            yield from in_range(name, self.max_concurrent_invocations_per_instance, 1, 1000, "requests")
        rule, remedy = "must be the ARN of an SNS topic", "give the ARN, or leave it out"
        for name in ("success_topic", "error_topic"):
            topic = getattr(self, name)
            if topic is not None:
                yield from reference(name, topic, r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+", rule, remedy)


def serverless_problems(given: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what a serverless endpoint cannot have; ``given`` are its arguments that are not the defaults."""
    for name, (rule, remedy) in _NOT_SERVERLESS.items():
        if name in given:
            yield Problem(name, rule, _shown(given[name]), remedy)


def asynchronous_problems(given: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what an asynchronous endpoint cannot have; ``given`` are its arguments that are not the defaults.

    AWS documents data capture for real-time endpoints and batch transform jobs only.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html
    """
    if "data_capture" in given:
        yield Problem(
            "data_capture",
            "SageMaker captures real-time endpoints; an asynchronous endpoint keeps every request and response in S3",
            _shown(given["data_capture"]),
            _LEAVE_OUT,
        )


def _shown(value: object) -> object:
    return type(value).__name__ if isinstance(value, Part) else value
