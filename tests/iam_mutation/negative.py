"""Calls that no role of a pipeline may make: escalation, destruction, and what belongs to another pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.aimed import aimed
from iam_mutation.requests import Recorded
from iam_mutation.stacks import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iam_mutation.programs import Program

_OTHER = "other-1a2b3c"


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _passed_to(service: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("iam:passedtoservice", (service,)),)


class _Site:
    """Where a stack is."""

    def __init__(self, program: Program) -> None:
        self.region = program.region

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{resource}"


def corpus(program: Program) -> Iterator[Recorded]:
    """Give the calls for every role that the stack makes, and those that break one condition each."""
    site = _Site(program)
    for role in program.trusts:
        yield from _escalation(role, site)
        for pipeline in program.pipelines:
            yield from _destruction(role, pipeline.name, site, program)
        yield from _of_another_pipeline(role, site)
    yield from aimed(program)


def _escalation(role: str, site: _Site) -> Iterator[Recorded]:
    name = role.rsplit("/", 1)[-1]
    for action in ("CreateRole", "PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy"):
        yield Recorded(role, f"iam:{action}", role)
        yield Recorded(role, f"iam:{action}", _role("administrator"))
    yield Recorded(role, "iam:DeleteRolePermissionsBoundary", role)
    yield Recorded(role, "iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/somebody")
    yield Recorded(role, "iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/{name}")
    for service in ("lambda", "sagemaker", "cloudformation", "codebuild", "ec2"):
        yield Recorded(role, "iam:PassRole", _role("administrator"), _passed_to(f"{service}.amazonaws.com"))
    yield Recorded(role, "sts:AssumeRole", _role("administrator"))
    yield Recorded(role, "ec2:RunInstances", site.arn("ec2", "instance/*"))
    yield Recorded(role, "lambda:CreateFunction", site.arn("lambda", "function:mine"))
    yield Recorded(role, "secretsmanager:GetSecretValue", site.arn("secretsmanager", "secret:any"))
    yield Recorded(role, "cloudtrail:StopLogging", site.arn("cloudtrail", "trail/all"))


def _destruction(role: str, pipeline: str, site: _Site, program: Program) -> Iterator[Recorded]:
    for arn in program.resources:
        if ":s3:::" in arn:
            yield Recorded(role, "s3:DeleteBucket", arn)
            yield Recorded(role, "s3:PutBucketPolicy", arn)
            yield Recorded(role, "s3:PutBucketVersioning", arn)
            yield Recorded(role, "s3:DeleteObjectVersion", f"{arn}/datasets/iris.json")
        if ":kms:" in arn:
            yield Recorded(role, "kms:ScheduleKeyDeletion", arn)
            yield Recorded(role, "kms:PutKeyPolicy", arn)
            yield Recorded(role, "kms:DisableKey", arn)
    for name in ("train-model", "record-release"):
        yield Recorded(role, "lambda:UpdateFunctionCode", site.arn("lambda", f"function:{pipeline}-{name}"))
        yield Recorded(role, "lambda:UpdateFunctionConfiguration", site.arn("lambda", f"function:{pipeline}-{name}"))
    yield Recorded(role, "codepipeline:UpdatePipeline", site.arn("codepipeline", pipeline))
    yield Recorded(role, "codepipeline:PutApprovalResult", site.arn("codepipeline", f"{pipeline}/Approval/Approve"))
    yield Recorded(role, "codebuild:UpdateProject", site.arn("codebuild", f"project/{pipeline}-image"))
    yield Recorded(role, "ecr:BatchDeleteImage", site.arn("ecr", f"repository/{pipeline}"))
    yield Recorded(role, "ecr:SetRepositoryPolicy", site.arn("ecr", f"repository/{pipeline}"))
    yield Recorded(role, "codecommit:DeleteRepository", site.arn("codecommit", pipeline))
    yield Recorded(role, "logs:DeleteLogGroup", site.arn("logs", f"log-group:/aws/lambda/{pipeline}-train-model:*"))
    yield Recorded(role, "cloudformation:UpdateStack", site.arn("cloudformation", f"stack/{pipeline}-production/ID"))
    yield Recorded(role, "events:DeleteRule", site.arn("events", f"rule/{pipeline}-on-upload"))
    # With removal="destroy" it deletes both; tests/stages/test_guard.py proves that it reads only with "retain".
    if "-guard-destroy" not in role:
        yield Recorded(role, "sagemaker:DeleteModelPackage", site.arn("sagemaker", f"model-package/{pipeline}/1"))
        yield Recorded(
            role, "cloudformation:DeleteStack", site.arn("cloudformation", f"stack/{pipeline}-production/ID")
        )


def _of_another_pipeline(role: str, site: _Site) -> Iterator[Recorded]:
    bucket = f"arn:aws:s3:::{_OTHER}-artifacts-{ACCOUNT}-{site.region}"
    key = site.arn("kms", f"key/{_OTHER}")
    via = (("kms:calleraccount", (ACCOUNT,)), ("kms:viaservice", (f"s3.{site.region}.amazonaws.com",)))
    yield Recorded(role, "s3:GetObject", f"{bucket}/models/{_OTHER}/model.tar.gz")
    yield Recorded(role, "s3:PutObject", f"{bucket}/{_OTHER}/Release/abcdefg")
    yield Recorded(role, "s3:GetObject", f"arn:aws:s3:::{_OTHER}-data-{ACCOUNT}-{site.region}/datasets/iris.json")
    yield Recorded(role, "s3:ListBucket", bucket)
    yield Recorded(role, "kms:Decrypt", key, via)
    yield Recorded(role, "kms:GenerateDataKey", key, via)
    for action in ("InvokeEndpoint", "DeleteEndpoint", "UpdateEndpoint", "CreateEndpoint"):
        yield Recorded(role, f"sagemaker:{action}", site.arn("sagemaker", f"endpoint/{_OTHER}-production"))
    for action in ("CreateTrainingJob", "StopTrainingJob", "DescribeTrainingJob"):
        yield Recorded(role, f"sagemaker:{action}", site.arn("sagemaker", f"training-job/{_OTHER}-ID"))
    for action in ("CreateProcessingJob", "StopProcessingJob", "DescribeProcessingJob"):
        yield Recorded(role, f"sagemaker:{action}", site.arn("sagemaker", f"processing-job/{_OTHER}-ID"))
    for action in ("UpdateModelPackage", "CreateModelPackage", "DescribeModelPackage"):
        yield Recorded(role, f"sagemaker:{action}", site.arn("sagemaker", f"model-package/{_OTHER}/1"))
    tag = (("aws:resourcetag/mlops:pipeline", (_OTHER,)),)
    yield Recorded(role, "sagemaker:DeleteModel", site.arn("sagemaker", f"model/{_OTHER}-model"), tag)
    yield Recorded(role, "sagemaker:DeleteEndpointConfig", site.arn("sagemaker", f"endpoint-config/{_OTHER}"), tag)
    yield Recorded(role, "lambda:InvokeFunction", site.arn("lambda", f"function:{_OTHER}-train-model"))
    yield Recorded(role, "cloudformation:CreateStack", site.arn("cloudformation", f"stack/{_OTHER}-dev/ID"))
    yield Recorded(role, "cloudformation:ExecuteChangeSet", site.arn("cloudformation", f"stack/{_OTHER}-production/ID"))
    yield Recorded(role, "codepipeline:StartPipelineExecution", site.arn("codepipeline", _OTHER))
    yield Recorded(role, "codecommit:GitPush", site.arn("codecommit", _OTHER))
    yield Recorded(role, "ecr:PutImage", site.arn("ecr", f"repository/{_OTHER}"))
    yield Recorded(role, "ssm:PutParameter", site.arn("ssm", f"parameter/{_OTHER}/image"))
    yield Recorded(role, "sns:Publish", site.arn("sns", f"{_OTHER}-approvals"))
    yield Recorded(role, "cloudwatch:DeleteAlarms", site.arn("cloudwatch", f"alarm:{_OTHER}-production-errors"))
