"""How the model is trained."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Problem
from ._rules import in_range, instance_type, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NUMBER = r"([0-9.eE+-]+|nan|inf)"
DEFAULT_METRICS = {
    name: f"{name}={_NUMBER};" for name in ("train:accuracy", "validation:accuracy", "validation:log_loss")
}
# One Lambda action may wait 24 hours; an hour is left for the rest of it.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
LONGEST_RUN_SECONDS = 23 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The SageMaker training job.

    Attributes:
        instance_type: SageMaker instance. Literal.
        instance_count: Instances, 1 to 100; more than one encrypts the traffic between them. Literal.
        volume_size_gb: Disk of each instance, 1 to 16,384 GB. Literal.
        max_runtime_seconds: Stop the job after this, 60 to 82,800 s (23 hours). Literal.
        hyperparameters: Handed to ``train``; numbers and booleans are sent as their JSON text, as SageMaker
            takes strings only. At most 100. Literal.
        metrics: Name to regular expression with one group, looked for in the log of ``train``. At most 40. Literal.
        environment: Environment variables of ``train``. At most 100. Literal.

    Numbers are those of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html.
    """

    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    volume_size_gb: int = 30
    max_runtime_seconds: int = 3600
    hyperparameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_METRICS))
    environment: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("instance_count", self.instance_count, 1, 100)
        yield from in_range("volume_size_gb", self.volume_size_gb, 1, 16_384, "GB")
        yield from in_range("max_runtime_seconds", self.max_runtime_seconds, 60, LONGEST_RUN_SECONDS, "s")
        yield from self._hyperparameter_problems()
        yield from self._metric_problems()
        yield from _small_mapping("environment", self.environment, most=100, longest=1024)

    def _hyperparameter_problems(self) -> Iterator[Problem]:
        for name, value in self.hyperparameters.items():
            if not isinstance(value, (str, int, float, bool)):
                yield Problem(
                    f"hyperparameters[{name!r}]",
                    "must be a string, number or boolean",
                    value,
                    "encode it as a JSON string and decode it in the algorithm",
                )
        texts = {name: str(value) for name, value in self.hyperparameters.items()}
        yield from _small_mapping("hyperparameters", texts, most=100, longest=2500)

    def _metric_problems(self) -> Iterator[Problem]:
        yield from _small_mapping("metrics", self.metrics, most=40, longest=500)
        for name, expression in self.metrics.items():
            try:
                groups = re.compile(expression).groups
            except re.error as error:
                yield Problem(f"metrics[{name!r}]", f"must be a regular expression ({error})", expression, "mend it")
                continue
            if groups < 1:
                yield Problem(
                    f"metrics[{name!r}]",
                    "must have one group that catches the number",
                    expression,
                    "put the number in parentheses",
                )


def _small_mapping(field_: str, mapping: Mapping[str, str], *, most: int, longest: int) -> Iterator[Problem]:
    yield from literal(field_, dict(mapping))
    if len(mapping) > most:
        yield Problem(field_, f"must have at most {most} entries", len(mapping), "leave some out")
    for key, value in mapping.items():
        if not key or len(key) > 256:
            yield Problem(f"{field_}[{key!r}]", "the name must have 1 to 256 characters", len(key), "rename it")
        if len(value) > longest:
            remedy = "shorten it, or put it in the data set"
            rule = f"must have at most {longest} characters"
            yield Problem(f"{field_}[{key!r}]", rule, f"{len(value)} characters", remedy)
