"""The jobs that a pipeline's functions start: requests within the bounds of its policies, and requests beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.requests import Recorded
from mlops_constructs.config._instances import has_own_disks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iam_mutation.pipelines import Pipeline

    Keys = Mapping[str, str | None]

_EXPENSIVE = "ml.p3.16xlarge"
# SageMaker has renamed the condition keys for KMS keys.
_ENDINGS = ("kmskey", "kmskeyarn")
# Purpose of a function to what is in the names of its jobs.
_TRANSFORMS = {"start-batch": "batch", "batch-smoke-test": "golden"}


def started(pipeline: Pipeline) -> Iterator[Recorded]:
    """Give the requests that are within the bounds, with every instance type, and keys by either of their names."""
    for purpose, action, job in _jobs(pipeline):
        for type_ in pipeline.instance_types.get(purpose, ()):
            for ending in _ENDINGS:
                yield _call(pipeline, purpose, action, job, _within(pipeline, job, type_, ending))


def refused(pipeline: Pipeline) -> Iterator[Recorded]:
    """Give requests that break one bound each."""
    for purpose, action, job in _jobs(pipeline):
        for type_ in pipeline.instance_types.get(purpose, ()):
            for ending in _ENDINGS:
                fine = _within(pipeline, job, type_, ending)
                for key, value in _changes(pipeline, fine, ending):
                    yield _call(pipeline, purpose, action, job, {**fine, key: value})


def _jobs(pipeline: Pipeline) -> Iterator[tuple[str, str, str]]:
    tunes = ":hyper-parameter-tuning-job/" in pipeline.job
    yield "train-model", f"Create{'HyperParameterTuning' if tunes else 'Training'}Job", pipeline.job
    yield "run-evaluation", "CreateProcessingJob", pipeline.arn("sagemaker", f"processing-job/{pipeline.name}-HEX")
    for purpose, kind in _TRANSFORMS.items():
        yield purpose, "CreateTransformJob", pipeline.arn("sagemaker", f"transform-job/{pipeline.name}-{kind}-HEX")


def _within(pipeline: Pipeline, job: str, type_: str, ending: str) -> dict[str, str]:
    network = {"sagemaker:vpcsubnets": pipeline.subnet, "sagemaker:vpcsecuritygroupids": pipeline.security_group}
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
    volume = {} if has_own_disks(type_) else {f"sagemaker:volume{ending}": pipeline.key}
    encrypted = {"sagemaker:instancetypes": type_, f"sagemaker:output{ending}": pipeline.key, **volume}
    if ":transform-job/" in job:
        # Runtime, network and isolation are not in the request: the model has them, and its name is that of the job.
        return {**encrypted, "sagemaker:modelarn": job.replace(":transform-job/", ":model/")}
    return {
        "sagemaker:maxruntimeinseconds": "60",
        "sagemaker:networkisolation": "true",
        **encrypted,
        **(network if pipeline.subnet else {}),
    }


def _changes(pipeline: Pipeline, fine: Keys, ending: str) -> Iterator[tuple[str, str | None]]:
    theirs = pipeline.arn("kms", "key/other")
    if "sagemaker:maxruntimeinseconds" in fine:
        yield "sagemaker:maxruntimeinseconds", "999999"
    for key, other in (
        ("sagemaker:modelarn", pipeline.arn("sagemaker", "model/other")),
        ("sagemaker:networkisolation", "false"),
        ("sagemaker:instancetypes", _EXPENSIVE),
        (f"sagemaker:output{ending}", theirs),
        (f"sagemaker:volume{ending}", theirs),
        ("sagemaker:vpcsubnets", "subnet-other"),
        ("sagemaker:vpcsecuritygroupids", "sg-other"),
    ):
        if key in fine:
            yield key, other
            yield key, None


def _call(pipeline: Pipeline, purpose: str, action: str, job: str, keys: Keys) -> Recorded:
    context = tuple(sorted((key, (value,)) for key, value in keys.items() if value is not None))
    return Recorded(pipeline.role(purpose), f"sagemaker:{action}", job, context)
