"""What AWS services do with the roles of a pipeline, by the tables of what each use of a role needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.requests import Recorded
from iam_mutation.stacks import ACCOUNT
from mlops_constructs.config.existing import Existing
from mlops_constructs.local_aws.iam.service_roles import role_use_checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_constructs.local_aws.iam.calls import Check

LAMBDA = tuple(purpose for purpose, service in Existing.ROLES.items() if service == "lambda.amazonaws.com")
"""Purposes of the functions."""

_VOLUMES = ("training", "evaluation", "notebook", "train-model", "run-evaluation")
_TRANSFORMS = ("batch", "start-batch", "batch-smoke-test")


def arn(service: str, resource: str) -> str:
    """Give the ARN of a resource, with placeholders for names."""
    return f"arn:aws:{service}:{{region}}:{ACCOUNT}:{resource}"


def uses() -> Iterator[Sequence[Recorded]]:
    """Give what services need in the roles of a pipeline, use by use, with placeholders for names."""
    for purpose, use, names in (*_sagemaker(), *_delivery(), *_image_delivery()):
        yield _rows(purpose, use, names)


def optional_uses() -> Iterator[Sequence[Recorded]]:
    """Give the uses that are about a setting which the stack does not show: they hold where they are allowed."""
    for stage in ("dev", "production"):
        alarm = arn("cloudwatch", f"alarm:{{pipeline}}-{stage}-ServerErrors-ID")
        yield _rows(f"model-{stage}", "SageMaker rollback alarms", {"alarm_arn": alarm})


def _rows(purpose: str, use: str, names: Mapping[str, str]) -> Sequence[Recorded]:
    checks, role = role_use_checks(use, names), f"{{role: {purpose}}}"
    return [Recorded(role, check.action, check.resource, _keys(check, names)) for check in checks]


def _keys(check: Check, names: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    role = names.get("cloudformation:rolearn")
    return (*check.context.items(), *([("cloudformation:rolearn", (role,))] if role else []))


def _log(group: str, stream: str = "HEX") -> dict[str, str]:
    return {"log_group_arn": arn("logs", f"log-group:{group}"), "log_stream": stream}


def _sagemaker() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    image = {"repository_arn": "{image}"}
    network = {
        "network_interface_arn": arn("ec2", "network-interface/eni-HEX"),
        "subnet_arn": arn("ec2", "subnet/{subnet}"),
        "security_group_arn": arn("ec2", "security-group/{security group}"),
    }
    jobs = {
        "training": ("training", "TrainingJobs"),
        "evaluation": ("processing", "ProcessingJobs"),
        "batch": ("transform", "TransformJobs"),
    }
    models = {f"model-{stage}": ("model", f"Endpoints/{{pipeline}}-{stage}") for stage in ("dev", "production")}
    for purpose, (use, group) in (jobs | models).items():
        yield purpose, f"SageMaker {use}", {**image, **_log(f"/aws/sagemaker/{group}")}
        yield purpose, "SageMaker VPC", network
    yield "notebook", "SageMaker notebook repository", {"repository_arn": "{repository}"}
    yield "notebook", "SageMaker notebook", _log("/aws/sagemaker/NotebookInstances", "{pipeline}/jupyter.log")
    for purpose in (*_VOLUMES, *_TRANSFORMS):
        yield purpose, "SageMaker volume", {"key_arn": "{key}"}
    for purpose in models:
        key = f"{{volume key: {purpose.removeprefix('model-')}}}"
        yield purpose, "SageMaker volume", {"key_arn": key}


def _delivery() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for purpose in LAMBDA:
        yield purpose, "Lambda", _log(f"/aws/lambda/{{pipeline}}-{purpose}")
    yield from _artifacts("pipeline", "{pipeline}")
    for bucket, key in (("data", "{prefix}iris.json"), ("artifacts", "templates/{pipeline}/endpoints.zip")):
        source = {"bucket_arn": f"arn:aws:s3:::{{{bucket}}}", "object_arn": f"arn:aws:s3:::{{{bucket}}}/{key}"}
        yield "pipeline", "CodePipeline S3", {**source, "artifact_arn": "arn:aws:s3:::{artifacts}/{pipeline}/S/ID"}
    yield "pipeline", "CodePipeline Approval", {"topic_arn": "{topic}"}
    for stage, modes in (("dev", ["REPLACE_ON_FAILURE"]), ("production", ["CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE"])):
        stack = {"stack_arn": arn("cloudformation", f"stack/{{pipeline}}-{stage}/*")}
        stack["cloudformation:rolearn"] = f"{{role: deploy-{stage}}}"
        for mode in (*modes, "failure"):
            yield "pipeline", f"CodePipeline CloudFormation {mode}", stack


def _image_delivery() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    purpose, source = "image-pipeline", {"artifact_arn": "arn:aws:s3:::{artifacts}/{pipeline}-image/SourceCode/ID"}
    yield from _artifacts(purpose, "{pipeline}-image")
    yield purpose, "CodePipeline CodeCommit", {**source, "repository_arn": "{repository}"}
    yield purpose, "CodePipeline CodeStarSourceConnection", {**source, "connection_arn": "{connection}"}
    yield purpose, "CodePipeline CodeBuild", {"project_arn": arn("codebuild", "project/{pipeline}-image")}
    yield "build", "CodeBuild", _log("/aws/codebuild/{pipeline}-image")
    yield "build", "CodeBuild source", {"source_arn": source["artifact_arn"]}
    yield "build", "docker push", {"repository_arn": "{image}"}


def _artifacts(purpose: str, folder: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    names = {"store_arn": "arn:aws:s3:::{artifacts}", "artifact_arn": f"arn:aws:s3:::{{artifacts}}/{folder}/Name/ID"}
    for use in ("CodePipeline artifacts", "CodePipeline tagged artifacts"):
        yield purpose, use, names
    yield purpose, "CodePipeline encrypted artifacts", {"key_arn": "{key}"}
