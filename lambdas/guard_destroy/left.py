"""Lists what the pipeline made at run time, and Terraform does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code, error_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guard_destroy.settings import Document

TAG = "mlops:pipeline"
_RUNNING = ("InProgress", "Stopping")
# Kind to the operation that lists it, and the noun in its members.
JOBS = {
    "training job": ("list_training_jobs", "TrainingJob"),
    "tuning job": ("list_hyper_parameter_tuning_jobs", "HyperParameterTuningJob"),
    "processing job": ("list_processing_jobs", "ProcessingJob"),
    "transform job": ("list_transform_jobs", "TransformJob"),
}
# How the name of a template's alarm ends: with what CloudFormation adds, or as the template of an A/B test has it.
ALARM = r"[A-Z]\w*-\w{12,13}|(primary|secondary)-(server-errors|slow-answers)"
# Kind to its type in an ARN, the operation that lists it, and the noun in its members.
TAGGED = {
    "endpoint": ("endpoint", "list_endpoints", "Endpoint"),
    "endpoint configuration": ("endpoint-config", "list_endpoint_configs", "EndpointConfig"),
    "model": ("model", "list_models", "Model"),
}


@dataclass(frozen=True)
class Left:
    """
    Attributes:
        kind: ``execution``, ``stack``, a kind of job, and so on.
        name: Its name.
        where: What else its deletion needs: the pipeline of an execution, the status of a stack.
    """

    kind: str
    name: str
    where: str = ""


class Listing:
    """Looks at what is left, in the order of the deletion."""

    def __init__(self, pipeline: str, document: Document, clients: Callable[[str], Any]) -> None:
        self._pipeline, self._document, self._clients = pipeline, document, clients

    def all(self) -> list[Left]:
        """Everything; what the stacks have is not listed beside them."""
        stacks = [*self._stacks()]
        return [
            *self._executions(),
            *self._jobs(),
            *stacks,
            *([] if stacks else [*self._orphans(), *self._alarms()]),
            *self._packages(),
        ]

    def _executions(self) -> Iterator[Left]:
        for name in self._document.pipelines:
            try:
                pages = [*self._pages("codepipeline", "list_pipeline_executions", pipelineName=name)]
            except ClientError as error:
                # Somebody has deleted the pipeline.
                if error_code(error) != "PipelineNotFoundException":
                    raise
                continue
            runs = (one for page in pages for one in page["pipelineExecutionSummaries"] if one["status"] in _RUNNING)
            yield from (Left("execution", one["pipelineExecutionId"], name) for one in runs)

    def _jobs(self) -> Iterator[Left]:
        for kind, (operation, noun) in JOBS.items():
            for prefix in self._document.job_prefixes:
                # A name that contains the prefix of this pipeline may be another's.
                # Of an execution, also its golden test; and of a batch.
                ours = re.compile(rf"{re.escape(prefix)}((-golden)?-[0-9a-f]{{12}}(-r\d+)?|-batch-[0-9a-f]{{20}})")
                for status in _RUNNING:
                    for page in self._pages("sagemaker", operation, NameContains=prefix, StatusEquals=status):
                        names = (one[f"{noun}Name"] for one in page[f"{noun}Summaries"])
                        yield from (Left(kind, name, status) for name in names if ours.fullmatch(name))

    def _stacks(self) -> Iterator[Left]:
        for name in self._document.endpoints:
            try:
                stack = self._clients("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as error:
                if error_code(error) != "ValidationError" or "does not exist" not in error_message(error):
                    raise
                continue
            yield Left("stack", name, stack["StackStatus"])

    def _orphans(self) -> Iterator[Left]:
        """What a stack has left behind, or somebody retained."""
        yield from self._targets()
        for kind, (in_arn, operation, noun) in TAGGED.items():
            arns = {*self._arns(in_arn)}
            if not arns and kind != "endpoint":
                continue
            # An ARN has the name in lower case. What was deleted a moment ago may still be found by its tag.
            for page in self._pages("sagemaker", operation):
                for one in page[f"{noun}s"]:
                    is_named = kind == "endpoint" and one[f"{noun}Name"] in self._document.endpoints
                    if is_named or one[f"{noun}Arn"].lower() in arns:
                        yield Left(kind, one[f"{noun}Name"])

    def _arns(self, in_arn: str) -> Iterator[str]:
        wanted = [{"Key": TAG, "Values": [self._pipeline]}]
        types = [f"sagemaker:{in_arn}"]
        pages = self._pages("resourcegroupstaggingapi", "get_resources", TagFilters=wanted, ResourceTypeFilters=types)
        for page in pages:
            yield from (one["ResourceARN"].lower() for one in page["ResourceTagMappingList"])

    def _targets(self) -> Iterator[Left]:
        pages = self._pages("application-autoscaling", "describe_scalable_targets", ServiceNamespace="sagemaker")
        for page in pages:
            for one in page["ScalableTargets"]:
                if one["ResourceId"].split("/")[1] in self._document.endpoints:
                    yield Left("scalable target", one["ResourceId"], one["ScalableDimension"])

    def _alarms(self) -> Iterator[Left]:
        """The alarms of the templates, by their names: those that Terraform made may begin likewise."""
        for stack in self._document.endpoints:
            ours = re.compile(rf"{re.escape(stack)}-({ALARM})")
            for page in self._pages("cloudwatch", "describe_alarms", AlarmNamePrefix=f"{stack}-"):
                names = (one["AlarmName"] for one in page["MetricAlarms"])
                yield from (Left("alarm", name) for name in names if ours.fullmatch(name))

    def _packages(self) -> Iterator[Left]:
        try:
            pages = [*self._pages("sagemaker", "list_model_packages", ModelPackageGroupName=self._pipeline)]
        except ClientError as error:
            # The group is deleted already.
            if error_code(error) not in ("ValidationException", "ResourceNotFound"):
                raise
            return
        for page in pages:
            yield from (Left("model package", one["ModelPackageArn"]) for one in page["ModelPackageSummaryList"])

    def _pages(self, service: str, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        yield from self._clients(service).get_paginator(operation).paginate(**request)
