"""An evaluation program of your own, as a SageMaker processing job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Problem
from ._part import Part
from ._rules import in_range, instance_type, literal, matches, reference, text
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

# One Lambda action may take 24 hours; one hour is left for the rest of the action.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
MAX_RUNTIME_SECONDS = 23 * 3600
_RESERVED = ("model", "evaluation")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationJob(Part):
    """A program that evaluates a candidate on data which training never sees.

    It reads the model from ``/opt/ml/processing/model/model.tar.gz`` and the records from
    ``/opt/ml/processing/<channel>/``, and writes ``/opt/ml/processing/evaluation/evaluation.json``::

        {"metrics": {"accuracy": {"value": 0.94}, "f1": 0.91}}

    A metric is a number, or an object with ``value`` as in SageMaker's model quality reports; the groups of those
    reports (``{"binary_classification_metrics": {"accuracy": {"value": 0.94}}}``) are read too. A program that cannot
    evaluate the model exits with a non-zero code; what it writes to ``/opt/ml/output/message`` is shown as the reason.

    Attributes:
        channel: Channel of the data set with the held-out records. Training does not receive it. Literal.
        entrypoint: Program and its arguments, instead of the image's own entry point; at most 100 strings of 256
            characters. None runs the image with the argument ``evaluate``, as training runs it with ``train``.
            Literal.
        image_uri: URI of another image, for an algorithm that has no program ``evaluate``; None uses the candidate's
            image. Reference.
        instance_type: SageMaker instance type. Literal.
        volume_size_in_gb: Size of its storage volume, 1 to 16,384 GB. Literal.
        max_runtime_in_seconds: Stop the job after this time, 60 to 82,800 s (23 hours). Literal.
        environment: Environment variables of the program, at most 98 with values of at most 256 characters. Literal.

    For the limits, see https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html.
    """

    channel: str = "test"
    entrypoint: Sequence[str] | None = None
    image_uri: str | None = None
    instance_type: str = "ml.m5.large"
    volume_size_in_gb: int = 30
    max_runtime_in_seconds: int = 3600
    environment: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "channel",
            self.channel,
            r"[A-Za-z0-9.\-_]{1,64}",
            "must have 1 to 64 letters, digits and .-_",
            "use for example 'test'",
        )
        if self.channel in ("train", *_RESERVED):
            yield Problem(
                "channel",
                "must be a channel that training does not read, and not model or evaluation",
                self.channel,
                "put held-out records into a channel of their own, such as 'test'",
            )
        yield from self._entrypoint_problems()
        if self.image_uri is not None:
            yield from reference("image_uri", self.image_uri)
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("volume_size_in_gb", self.volume_size_in_gb, 1, 16_384, "GB")
        yield from in_range("max_runtime_in_seconds", self.max_runtime_in_seconds, 60, MAX_RUNTIME_SECONDS, "s")
        yield from self._environment_problems()

    def _entrypoint_problems(self) -> Iterator[Problem]:
        if self.entrypoint is None:
            return
        yield from literal("entrypoint", self.entrypoint)
        if not 1 <= len(self.entrypoint) <= 100:
            yield Problem("entrypoint", "must have 1 to 100 strings", len(self.entrypoint), "give the program, or None")
        for index, word in enumerate(self.entrypoint):
            if not 1 <= len(word) <= 256:
                yield Problem(f"entrypoint[{index}]", "must have 1 to 256 characters", len(word), "shorten it")
            elif not is_token(word):
                yield from text(f"entrypoint[{index}]", word)

    def _environment_problems(self) -> Iterator[Problem]:
        if len(self.environment) > 98:
            yield Problem("environment", "must have at most 98 entries", len(self.environment), "leave some out")
        for key, value in self.environment.items():
            yield from matches(
                f"environment[{key!r}]",
                key,
                r"[a-zA-Z_][a-zA-Z0-9_]{0,255}",
                "the name must have letters, digits and _, and not start with a digit",
                "rename it",
            )
            yield from text(f"environment[{key!r}]", value)
            if len(value) > 256:
                got = f"{len(value)} characters"
                yield Problem(f"environment[{key!r}]", "must have at most 256 characters", got, "shorten it")
