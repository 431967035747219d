"""How the model is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..errors import Problem, under
from ._part import Part
from ._rules import boolean, in_range, instance_type, literal, matches, one_of, text
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = r"([0-9.eE+-]+|nan|inf)"
# Of a classification, and of a regression; SageMaker records those that the log has.
_CLASSES = ("accuracy", "accuracy_se", "f1", "auc", "log_loss")
_NUMBERS = ("rmse", "rmse_se", "mae", "mae_se", "r2")
_VALIDATION = [f"validation:{name}" for name in (*_CLASSES, *_NUMBERS)]
DEFAULT_METRICS = {name: f"{name}={_NUMBER};" for name in ("train:accuracy", "train:rmse", *_VALIDATION)}
# One Lambda action may take 24 hours. train_model stops waiting after 23, and SageMaker needs time before and after.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
MAX_POLL_SECONDS = 22 * 3600
MAX_RUNTIME_SECONDS = 28 * 24 * 3600
# The most that a data set may request, see lambdas/check_dataset/training_request.py.
MAX_ASKED_SECONDS = 23 * 3600
# SageMaker stops every job after this time, whatever the request says.
MAX_JOB_SECONDS = 30 * 24 * 3600
# Characters that the dot in SageMaker's pattern, ``.*``, does not match.
_LINE_BREAK = re.compile("[\n\r\x85\u2028\u2029]")
# Set on every job, see lambdas/train_model/request.py and lambdas/check_dataset/columns.py.
OWN_VARIABLES = (
    *("MLOPS_CAPACITY_RETRIES", "MLOPS_EXECUTION_ID", "MLOPS_PIPELINE_JOB_ID"),
    *("MLOPS_COLUMNS", *(f"MLOPS_COLUMNS_{number}" for number in range(2, 9))),
)
INPUT_MODES = ("File", "FastFile", "Pipe")
DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints(Part):
    """Keep checkpoints in the artifact bucket, one folder per execution, from which its next job continues.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html

    Attributes:
        local_path: Folder that ``train`` writes them to, and reads them from when it starts. Literal.
    """

    local_path: str = "/opt/ml/checkpoints"

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        rule = "must be an absolute path outside /opt/ml/input, /opt/ml/model and /opt/ml/output"
        pattern = r"/(?!opt/ml/(?:input|model|output)(?:/|$))[^\0]{1,4095}"
        yield from matches("local_path", self.local_path, pattern, rule, "use '/opt/ml/checkpoints'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot(Part):
    """Managed spot training, up to 90% cheaper; an interrupted job continues from its last checkpoint.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html

    Attributes:
        max_wait_time_in_seconds: Time to wait for capacity plus time to run, ``max_runtime_in_seconds`` to 2,592,000
            s (30 days). Literal.
    """

    max_wait_time_in_seconds: int

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("max_wait_time_in_seconds", self.max_wait_time_in_seconds, 60, MAX_JOB_SECONDS, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry(Part):
    """What is retried, and how often. An exceeded quota is never retried: the job fails at once.

    Attributes:
        max_retry_attempts: How often SageMaker repeats a job after an internal server error, 0 to 30. Literal.
        max_capacity_retries: How often a job is started again when AWS has no capacity for it, 0 to 8. Literal.
        fallback_instance_types: Instance types for those retries, in this order, then from the first again; a tuning
            job passes them to SageMaker. At most 5. Literals.
    """

    max_retry_attempts: int = 2
    max_capacity_retries: int = 2
    fallback_instance_types: Sequence[str] = ()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from in_range("max_retry_attempts", self.max_retry_attempts, 0, 30)
        yield from in_range("max_capacity_retries", self.max_capacity_retries, 0, 8)
        count = len(self.fallback_instance_types)
        if count > 5:
            yield Problem("fallback_instance_types", "must have at most 5 entries", count, "leave some out")
        for index, fallback in enumerate(self.fallback_instance_types):
            yield from instance_type(f"fallback_instance_types[{index}]", fallback)
        if not is_token(self.max_capacity_retries) and self.max_capacity_retries < count <= 5:
            rule = f"must be at least the number of fallback instance types ({count})"
            yield Problem("max_capacity_retries", rule, self.max_capacity_retries, "increase it, or remove some types")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Part):
    """The SageMaker training job.

    A CodePipeline action can poll for about 22 hours. For a job that may take longer, the stage Train starts the job,
    waits in an approval that only the pipeline's own function answers at SageMaker's event, and reads the result.

    Attributes:
        instance_type: SageMaker instance type. Literal.
        instance_count: Number of instances, 1 to 100; more than one is distributed training. Literal.
        encrypt_inter_container_traffic: Encrypt the traffic between the instances of a job. False trains faster, and is
            safe only in a network that you trust. Literal.
        volume_size_in_gb: Storage volume per instance, 1 to 16,384 GB; instances with local disks ignore it. Literal.
        max_runtime_in_seconds: Stop the job after this time, 60 to 2,419,200 s (28 days). Literal.
        spot: Managed spot training, or None for on-demand instances. Includes checkpoints.
        checkpoints: Where checkpoints are kept, or None for no checkpoints, except with ``spot``.
        retry: What is retried.
        keep_alive_period_in_seconds: Keep the instances for the next job (a warm pool, billed), 0 to 3,600 s; not with
            ``spot``, and not in a tuning job. Literal.
        enable_network_isolation: Isolate ``train`` from the network. False gives it network access, for an algorithm
            that must download something. Literal.
        input_mode: ``File`` copies the channels before the start, ``FastFile`` reads them on demand, ``Pipe`` provides
            named pipes; the algorithm must support it. Literal.
        distribution: ``FullyReplicated`` gives every instance the whole channel, ``ShardedByS3Key`` a share of the
            files. Literal.
        hyperparameters: Hyperparameters of ``train``; numbers and booleans are sent as JSON text, because SageMaker
            accepts only strings. At most 100. Literal.
        metric_definitions: Name to regular expression with one group, searched for in the log of ``train``. At most 40.
            Literal.
        environment: Environment variables of ``train``. At most 89, with values of at most 512 characters. Literal.

    For the limits, see https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html.
    """

    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    encrypt_inter_container_traffic: bool = True
    volume_size_in_gb: int = 30
    max_runtime_in_seconds: int = 3600
    spot: Spot | None = None
    checkpoints: Checkpoints | None = None
    retry: Retry = field(default_factory=Retry)
    keep_alive_period_in_seconds: int = 0
    enable_network_isolation: bool = True
    input_mode: Literal["File", "FastFile", "Pipe"] = "File"
    distribution: Literal["FullyReplicated", "ShardedByS3Key"] = "FullyReplicated"
    hyperparameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    metric_definitions: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_METRICS))
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def instance_types(self) -> list[str]:
        """The instance type and its fallbacks."""
        return list(dict.fromkeys([self.instance_type, *self.retry.fallback_instance_types]))

    @property
    def max_seconds(self) -> int:
        """How long a job may take, including the wait for spot capacity."""
        return self.max_runtime_in_seconds if self.spot is None else self.spot.max_wait_time_in_seconds

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("instance_count", self.instance_count, 1, 100)
        yield from in_range("volume_size_in_gb", self.volume_size_in_gb, 1, 16_384, "GB")
        yield from in_range("max_runtime_in_seconds", self.max_runtime_in_seconds, 60, MAX_RUNTIME_SECONDS, "s")
        yield from in_range("keep_alive_period_in_seconds", self.keep_alive_period_in_seconds, 0, 3600, "s")
        for name, choices in (("input_mode", INPUT_MODES), ("distribution", DISTRIBUTIONS)):
            yield from one_of(name, getattr(self, name), choices)
        for name in ("encrypt_inter_container_traffic", "enable_network_isolation"):
            yield from boolean(name, getattr(self, name))
        for name in ("spot", "checkpoints", "retry"):
            part = getattr(self, name)
            if part is not None:
                yield from under(name, part.problems())
        yield from self._spot_problems()
        yield from _hyperparameter_problems(self.hyperparameters)
        yield from _metric_problems(self.metric_definitions)
        yield from _environment_problems(self.environment)

    def _spot_problems(self) -> Iterator[Problem]:
        if self.spot is None or is_token([self.spot.max_wait_time_in_seconds, self.max_runtime_in_seconds]):
            return
        if self.spot.max_wait_time_in_seconds < self.max_runtime_in_seconds:
            rule = f"must be at least max_runtime_in_seconds ({self.max_runtime_in_seconds})"
            yield Problem("spot.max_wait_time_in_seconds", rule, self.spot.max_wait_time_in_seconds, "raise it")
        if self.keep_alive_period_in_seconds:
            rule = "a warm pool cannot have spot instances"
            yield Problem(
                "keep_alive_period_in_seconds", rule, self.keep_alive_period_in_seconds, "use 0, or leave spot out"
            )


def _hyperparameter_problems(hyperparameters: Mapping[str, object]) -> Iterator[Problem]:
    for name, value in hyperparameters.items():
        if isinstance(value, str) and _LINE_BREAK.search(value):
            yield Problem(f"hyperparameters[{name!r}]", "must be one line", value, "encode it as a JSON string")
    yield from _small_mapping("hyperparameters", hyperparameters, most=100, longest=2500)


def _metric_problems(metrics: Mapping[str, str]) -> Iterator[Problem]:
    yield from _small_mapping("metric_definitions", metrics, most=40, longest=500)
    for name, expression in metrics.items():
        if is_token(expression):
            continue
        field_ = f"metric_definitions[{name!r}]"
        try:
            groups = re.compile(expression).groups
        except re.error as error:
            yield Problem(field_, f"must be a regular expression ({error})", expression, "correct it")
            continue
        if groups < 1:
            rule = "must have one group that captures the number"
            yield Problem(field_, rule, expression, "put the number in parentheses")


def _environment_problems(environment: Mapping[str, str]) -> Iterator[Problem]:
    yield from _small_mapping("environment", environment, most=100 - len(OWN_VARIABLES), longest=512)
    for name in environment:
        if name in OWN_VARIABLES:
            yield Problem(f"environment[{name!r}]", "is set by the pipeline", name, "rename it")
        elif name and re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) is None:
            rule = "the name must have only letters, digits and '_', and not start with a digit"
            yield Problem(f"environment[{name!r}]", rule, name, "rename it")


def _small_mapping(field_: str, mapping: Mapping[str, object], *, most: int, longest: int) -> Iterator[Problem]:
    yield from literal(field_, mapping)
    if len(mapping) > most:
        yield Problem(field_, f"must have at most {most} entries", len(mapping), "leave some out")
    for key, value in mapping.items():
        if not key or len(key) > 255:
            yield Problem(f"{field_}[{key!r}]", "the name must have 1 to 255 characters", len(key), "rename it")
        if not is_token(value):
            yield from text(f"{field_}[{key!r}]", value)
        if len(str(value)) > longest:
            remedy = "shorten it, or put it in the data set"
            rule = f"must have at most {longest} characters"
            yield Problem(f"{field_}[{key!r}]", rule, f"{len(str(value))} characters", remedy)
