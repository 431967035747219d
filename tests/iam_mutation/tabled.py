"""What AWS's tables say that roles need, whether or not a rehearsal came to it.

CloudFormation's handlers do more in an update or at the removal of a stack than a first release shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.requests import ACCOUNT, Recorded
from mlops_constructs.local_aws.iam.calls import Call, Check, Site
from mlops_constructs.local_aws.iam.handlers import HANDLERS, handler_checks
from mlops_constructs.local_aws.iam.integrations import checks_with_callers_rights
from mlops_constructs.local_aws.iam.request import Context, Principal, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iam_mutation.programs import Program

_TAG = "mlops:pipeline"
_REPORTING = (
    *("check-dataset", "train-model", "register-model", "evaluate-model", "gather-evidence"),
    *("smoke-test-dev", "smoke-test-production", "record-decision", "record-release"),
)


def tabled(program: Program) -> Iterator[Recorded]:
    """Give what CloudFormation and Application Auto Scaling do with the roles of a stack."""
    site = Site("aws", program.region, ACCOUNT)
    yield from (one for one in _keys_of_services(program) if one.resource in program.resources)
    for pipeline in program.pipelines:
        for one in _functions(program, pipeline):
            if one.principal in program.roles or {one.resource} & {*program.trusts, *program.resources}:
                yield one
        for stage in ("dev", "production"):
            role = f"arn:aws:iam::{ACCOUNT}:role/{pipeline}-deploy-{stage}-{program.region}"
            if role not in program.roles:
                continue
            for check in _checks(program, pipeline, stage, site):
                request = Request(Principal.role_session(role, "s"), check.action, check.resource, "", check.context)
                yield Recorded.of(request, lambda text: text)


def _functions(program: Program, pipeline: str) -> Iterator[Recorded]:
    """What functions call when something goes wrong: they tell CodePipeline, stop jobs, and keep events.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{program.region}:{ACCOUNT}:{resource}"

    def role(purpose: str) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{pipeline}-{purpose}-{program.region}"

    for purpose in (*_REPORTING, "seed-repository", "stop-training"):
        yield Recorded(role(purpose), "sqs:SendMessage", arn("sqs", f"{pipeline}-dead-letters"))
    for purpose in _REPORTING:
        yield Recorded(role(purpose), "codepipeline:PutJobFailureResult", "*")
    yield Recorded(role("stop-training"), "sagemaker:StopTrainingJob", arn("sagemaker", f"training-job/{pipeline}-HEX"))
    # A job that was started for an execution which is over is stopped; a stack that never served is deleted.
    ours = arn("codepipeline", pipeline)
    yield Recorded(role("train-model"), "codepipeline:GetPipelineExecution", ours)
    yield Recorded(role("train-model"), "sagemaker:StopTrainingJob", arn("sagemaker", f"training-job/{pipeline}-HEX"))
    stack, deploy = arn("cloudformation", f"stack/{pipeline}-production/*"), role("deploy-production")
    deploying = (("cloudformation:rolearn", (deploy,)),)
    for purpose in ("check-dataset", "record-decision"):
        yield Recorded(role(purpose), "cloudformation:DescribeStacks", stack)
    yield Recorded(role("record-decision"), "cloudformation:DeleteStack", stack, deploying)
    to_service = (("iam:passedtoservice", ("cloudformation.amazonaws.com",)),)
    yield Recorded(role("record-decision"), "iam:PassRole", deploy, to_service)
    artifacts = f"arn:aws:s3:::{pipeline}-artifacts-{ACCOUNT}-{program.region}"
    yield Recorded(role("gather-evidence"), "s3:GetObject", f"{artifacts}/datasets/{pipeline}/ID/request.json")
    rejected = (("sagemaker:modelapprovalstatus", ("Rejected",)),)
    package = arn("sagemaker", f"model-package/{pipeline}/1")
    yield Recorded(role("evaluate-model"), "sagemaker:UpdateModelPackage", package, rejected)
    rule, image = arn("events", f"rule/{pipeline}-on-push"), arn("codepipeline", f"{pipeline}-image")
    yield Recorded(role("start-image-pipeline"), "codepipeline:StartPipelineExecution", image)
    source = (("aws:sourceaccount", (ACCOUNT,)), ("aws:sourcearn", (rule,)))
    yield Recorded("events.amazonaws.com", "sts:AssumeRole", role("start-image-pipeline"), source)
    yield Recorded("sagemaker.amazonaws.com", "sts:AssumeRole", role("notebook"), source[:1])
    yield Recorded("events.amazonaws.com", "sqs:SendMessage", arn("sqs", f"{pipeline}-dead-letters"), source)


def _keys_of_services(program: Program) -> Iterator[Recorded]:
    """What CloudWatch and its logs do with a key in their own names.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    group = f"arn:aws:logs:{program.region}:{ACCOUNT}:log-group:/aws/lambda/x"
    logs, ours = (("kms:encryptioncontext:aws:logs:arn", (group,)),), (("aws:sourceaccount", (ACCOUNT,)),)
    for key in (arn for arn in program.resources if ":kms:" in arn):
        for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "GenerateDataKey", "DescribeKey"):
            yield Recorded(f"logs.{program.region}.amazonaws.com", f"kms:{action}", key, logs)
        for action in ("Decrypt", "GenerateDataKey"):
            yield Recorded("cloudwatch.amazonaws.com", f"kms:{action}", key, ours)


def _checks(program: Program, pipeline: str, stage: str, site: Site) -> Iterator[Check]:
    model = f"arn:aws:iam::{ACCOUNT}:role/{pipeline}-model-{stage}-{program.region}"
    keys = [arn for arn in program.resources if ":kms:" in arn]
    properties = {"ExecutionRoleArn": model, **({"KmsKeyId": keys[0]} if keys else {})}
    names = {"AWS::CloudWatch::Alarm": f"{pipeline}-{stage}-errors", "AWS::SageMaker::Endpoint": f"{pipeline}-{stage}"}
    for kind in HANDLERS:
        given = {} if kind.startswith("AWS::Application") else properties
        for verb in ("create", "update", "delete"):
            for check in handler_checks(kind, verb, names.get(kind, "name"), given, site):
                yield Check(check.action, check.resource, check.context.under(_keys(kind, verb, check, pipeline)))
    tag = Context({f"aws:ResourceTag/{_TAG}": pipeline})
    for action in ("CreateEndpoint", "UpdateEndpoint"):
        yield Check(f"sagemaker:{action}", site.arn("sagemaker", "endpoint-config/name"), tag)
    call = Call("application-autoscaling", "RegisterScalableTarget", {"ServiceNamespace": "sagemaker"}, site)
    yield from checks_with_callers_rights(call)


def _keys(kind: str, verb: str, check: Check, pipeline: str) -> Context:
    """The condition keys that the service sends with what a handler calls."""
    if check.action.startswith("application-autoscaling:") and check.resource != "*":
        dimension = "sagemaker:variant:DesiredInstanceCount"
        given = {"service-namespace": "sagemaker", "scalable-dimension": dimension}
        return Context({f"application-autoscaling:{key}": value for key, value in given.items()})
    if not check.action.startswith("sagemaker:") or kind == "AWS::SageMaker::Endpoint":
        return Context()
    asked = {f"aws:RequestTag/{_TAG}": pipeline} if check.action.split(":")[1][:3] in ("Cre", "Add") else {}
    there = {f"aws:ResourceTag/{_TAG}": pipeline} if verb != "create" else {}
    isolated = {"sagemaker:NetworkIsolation": "true"} if check.action == "sagemaker:CreateModel" else {}
    return Context({**asked, **there, **isolated})
