"""How many SageMaker instances of each type a stack will need at the same time.

They are read from what is deployed: the requests in the functions' archives, the CloudFormation templates of the
endpoints, and the notebook instances.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from .templates import fleets, is_endpoint_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .stack import SynthesizedStack

Usage = Literal[
    "endpoint",
    "notebook instance",
    "processing job",
    "spot training job",
    "training job",
    "training warm pool",
    "transform job",
]


@dataclass(frozen=True, slots=True)
class Demand:
    """The instances of one part of a pipeline.

    Attributes:
        part: The part of the pipeline, as shown to people.
        instance_type: Such as ``ml.m5.large``.
        usage: The usage in the name of SageMaker's quota.
        first: Instances that the first release needs.
        peak: Maximum number of instances at one time. An update of an endpoint creates a second fleet
            (blue/green) with as many instances as the first one has then.
            https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
    """

    part: str
    instance_type: str
    usage: Usage
    first: int
    peak: int


def demands(stack: SynthesizedStack) -> list[Demand]:
    """Everything that the stack will run on SageMaker instances."""
    return [*_of_jobs(stack), *_of_endpoints(stack), *_of_notebooks(stack)]


def endpoint_templates(stack: SynthesizedStack) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and content of each template that deploys an endpoint."""
    for path, document in documents(stack):
        if is_endpoint_template(document):
            yield path, document


def documents(stack: SynthesizedStack) -> Iterator[tuple[str, Any]]:
    """Yield every JSON document in the archives that the stack uploads."""
    for upload in stack.of_type("aws_s3_object"):
        for path, content in stack.files(upload).items():
            if PurePosixPath(path).suffix != ".json":
                continue
            try:
                yield path, json.loads(content)
            except ValueError:
                continue


def _of_endpoints(stack: SynthesizedStack) -> Iterator[Demand]:
    for path, template in endpoint_templates(stack):
        part = f"endpoint {PurePosixPath(path).stem}"
        for fleet in fleets(template):
            yield Demand(part, fleet.instance_type, "endpoint", fleet.initial, 2 * fleet.maximum)


def _of_notebooks(stack: SynthesizedStack) -> Iterator[Demand]:
    for notebook in stack.of_type("aws_sagemaker_notebook_instance"):
        yield Demand("notebook", notebook.arguments["instance_type"], "notebook instance", 1, 1)


def _of_jobs(stack: SynthesizedStack) -> Iterator[Demand]:
    """Read the requests that the functions send, which are in their archives with SageMaker's member names."""
    for _, document in documents(stack):
        if not isinstance(document, dict):
            continue
        if "training_job" in document:
            yield from _training(document)
        if "processing_job" in document:
            cluster = document["processing_job"]["ProcessingResources"]["ClusterConfig"]
            count = cluster["InstanceCount"]
            yield Demand("evaluation job", cluster["InstanceType"], "processing job", count, count)
        if "transform_job" in document:
            resources = document["transform_job"]["TransformResources"]
            count = resources["InstanceCount"]
            yield Demand("batch transform", resources["InstanceType"], "transform job", count, count)


def _training(document: Mapping[str, Any]) -> Iterator[Demand]:
    job, search = document["training_job"], document.get("tuning_job")
    resources = job["ResourceConfig"]
    wanted, count = resources["InstanceType"], resources["InstanceCount"]
    usage: Usage = "spot training job" if job.get("EnableManagedSpotTraining") else "training job"
    part = "training job"
    if search:
        part = "hyperparameter search"
        count *= search["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"]
    yield Demand(part, wanted, usage, count, count)
    for other in document.get("fallback_instance_types", ()):
        yield Demand(f"{part}, when {wanted} has no capacity", other, usage, 0, count)
    if resources.get("KeepAlivePeriodInSeconds"):
        yield Demand("instances kept for the next job", wanted, "training warm pool", count, count)
