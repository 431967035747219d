"""Batch transform: files are scored by jobs, with the model that is in production."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..errors import Problem
from ._part import Part
from ._rules import in_range, instance_type, matches, one_of, text
from ._tokens import is_token
from .schedule import schedule_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .dataset import Dataset

_FOLDER = r"(?!/)[\w.\-/]{1,199}/"
# https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
_PROCESSED = ("text/csv", "application/json", "application/jsonlines")
_LINES = ("text/csv", "application/jsonlines")
_MOST_MEGABYTES = 100
_FILTER = re.compile(r"\$(\.?\[[^\[\]]+\]|\.[A-Za-z_][\w-]*)*")
# Three more name the job and its execution.
_MOST_VARIABLES = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTransform(Part):
    """Every file that is uploaded under ``input_prefix`` is scored once, with the model that is in production.

    A SageMaker transform job reads the file and writes the predictions under ``output_prefix``, in a folder of its own,
    with a ``record.json``, written last, that names the release, the model, the input's version and the number of
    records. ``mlops rollback`` also changes the model of the next job. Before the approval, a transform job scores the
    golden records, with the requirements of ``dev.smoke_test``, except latency and the comparison with production.
    With ``schedule_expression``, one job scores all files under ``input_prefix`` at these times; uploads start nothing.

    Attributes:
        instance_type: Instance type of the jobs. Literal.
        instance_count: Number of instances of a job, 1 to 100; they share its files. Literal.
        input_prefix: Folder of the data bucket with the files to score, ending in ``/``. Literal.
        output_prefix: Folder of the data bucket for predictions and records, ending in ``/``. Literal.
        schedule_expression: EventBridge ``rate(...)`` or ``cron(...)`` in UTC, or None to score each upload. Literal.
        content_type: Type of the files. Literal.
        accept: Type of the predictions, or None for the algorithm's. Literal.
        split_type: How a file is split into records; ``None`` sends each file in one request. Literal.
        compression_type: ``Gzip`` if the files are compressed. Literal.
        batch_strategy: Whether a request has as many records as fit ``max_payload_in_mb``, or one. Literal.
        max_payload_in_mb: Maximum size of a request, 1 to 100 MB. Literal.
        max_concurrent_transforms: Requests at the same time to each instance, or None for what the container asks for;
            the product with ``max_payload_in_mb`` is at most 100. Literal.
        invocations_timeout_in_seconds: Timeout of a request, 1 to 3,600 s. Literal.
        invocations_max_retries: How often a request is tried again, 0 to 3. Literal.
        input_filter: JSONPath of what the model gets of a record, such as ``$[1:]`` without the first column. Literal.
        join_source: ``Input`` puts each record in front of its prediction. Literal.
        output_filter: JSONPath of what is stored of the joined record, such as ``$[0,-1]``. Literal.
        environment: Environment variables of the container, at most 13. Literals.
    """

    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    input_prefix: str = "scoring/"
    output_prefix: str = "predictions/"
    schedule_expression: str | None = None
    content_type: str = "text/csv"
    accept: str | None = None
    split_type: Literal["Line", "RecordIO", "TFRecord", "None"] = "Line"
    compression_type: Literal["None", "Gzip"] = "None"
    batch_strategy: Literal["MultiRecord", "SingleRecord"] = "MultiRecord"
    max_payload_in_mb: int = 6
    max_concurrent_transforms: int | None = None
    invocations_timeout_in_seconds: int = 600
    invocations_max_retries: int = 3
    input_filter: str = "$"
    join_source: Literal["None", "Input"] = "None"
    output_filter: str = "$"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def processes(self) -> bool:
        """Whether records are filtered or joined."""
        return (self.input_filter, self.join_source, self.output_filter) != ("$", "None", "$")

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("instance_count", self.instance_count, 1, 100)
        yield from self._folder_problems()
        if self.schedule_expression is not None:
            yield from schedule_problems("schedule_expression", self.schedule_expression)
        for name in ("content_type", "accept"):
            value = getattr(self, name)
            if value is not None:
                rule = "must be a MIME type"
                yield from matches(name, value, r"[\w.+\-]+/[\w.+\-; =]+", rule, "use for example 'text/csv'")
        yield from one_of("split_type", self.split_type, ("Line", "RecordIO", "TFRecord", "None"))
        yield from one_of("compression_type", self.compression_type, ("None", "Gzip"))
        yield from one_of("batch_strategy", self.batch_strategy, ("MultiRecord", "SingleRecord"))
        yield from one_of("join_source", self.join_source, ("None", "Input"))
        yield from in_range("max_payload_in_mb", self.max_payload_in_mb, 1, _MOST_MEGABYTES, "MB")
        yield from self._parallel_problems()
        yield from in_range("invocations_timeout_in_seconds", self.invocations_timeout_in_seconds, 1, 3600, "s")
        yield from in_range("invocations_max_retries", self.invocations_max_retries, 0, 3)
        yield from self._filter_problems()
        yield from self._environment_problems()

    def _folder_problems(self) -> Iterator[Problem]:
        for name in ("input_prefix", "output_prefix"):
            rule, remedy = "must be a folder that ends in '/'", "use for example 'scoring/' and 'predictions/'"
            yield from matches(name, getattr(self, name), _FOLDER, rule, remedy)
        if not is_token([self.input_prefix, self.output_prefix]) and self.output_prefix.startswith(self.input_prefix):
            rule = f"must not be in input_prefix ({self.input_prefix!r}), where each prediction would be scored again"
            yield Problem("output_prefix", rule, self.output_prefix, "use for example 'predictions/'")

    def _parallel_problems(self) -> Iterator[Problem]:
        parallel, size = self.max_concurrent_transforms, self.max_payload_in_mb
        if parallel is None:
            return
        yield from in_range("max_concurrent_transforms", parallel, 1, _MOST_MEGABYTES)
        if not is_token([parallel, size]) and parallel <= _MOST_MEGABYTES < parallel * size:
            rule = f"multiplied by max_payload_in_mb ({size}) must be at most {_MOST_MEGABYTES} MB"
            yield Problem("max_concurrent_transforms", rule, parallel, "decrease one of the two")

    def _filter_problems(self) -> Iterator[Problem]:
        for name in ("input_filter", "output_filter"):
            rule = "must be a JSONPath with names, indexes and slices, of at most 63 characters"
            value = getattr(self, name)
            yield from matches(name, value, rf"(?=.{{1,63}}\Z){_FILTER.pattern}", rule, "use for example '$[1:]'")
        if is_token([self.split_type, self.join_source, self.input_filter, self.output_filter]) or not self.processes:
            return
        if self.content_type in _LINES and self.split_type != "Line":
            rule = "must be 'Line' where records are filtered or joined"
            yield Problem("split_type", rule, self.split_type, "use 'Line', or remove filters and join")

    def _environment_problems(self) -> Iterator[Problem]:
        if len(self.environment) > _MOST_VARIABLES:
            rule = f"must have at most {_MOST_VARIABLES} variables: SageMaker allows 16, and the pipeline uses 3"
            yield Problem("environment", rule, len(self.environment), "remove some")
        for name, value in self.environment.items():
            yield from text(f"environment[{name!r}]", value)
            rule = "must be the name of an environment variable"
            yield from matches(f"environment[{name!r}]", name, r"[A-Za-z_]\w{0,1023}", rule, "use letters and '_'")

    def problems_with(self, dataset: Dataset, accept: str) -> Iterator[Problem]:
        """Yield what does not fit the data sets, and the type that the algorithm returns."""
        for name in ("input_prefix", "output_prefix"):
            folder = getattr(self, name)
            for other in dataset.folders:
                if not is_token([folder, other]) and (folder.startswith(other) or other.startswith(folder)):
                    rule = f"must not overlap with the data sets' folder {other!r}"
                    yield Problem(f"batch.{name}", rule, folder, "use a folder of its own")
        returned = self.accept or accept
        fits = self.content_type == returned and self.content_type in _PROCESSED
        if self.processes and not fits and not is_token([self.content_type, returned]):
            yield Problem(
                "batch.content_type",
                f"must be the same as accept ({returned!r}), and one of {', '.join(_PROCESSED)}, where records are"
                " filtered or joined",
                self.content_type,
                "change one of the two, or remove filters and join",
            )
