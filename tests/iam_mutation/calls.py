"""What a pipeline's functions and AWS's services call when something fails, or is done that no rehearsal does.

Each row is a group of calls with placeholders for names; it is about the pipelines that have all of its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.called import IN_ACCOUNT, PACKAGE, by, call
from iam_mutation.calls_beside import calls_beside, deletions
from iam_mutation.stacks import ACCOUNT
from iam_mutation.uses import LAMBDA, arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iam_mutation.requests import Recorded

# The functions that CodePipeline invokes.
_INVOKED = (
    *("check-dataset", "train-model", "run-evaluation", "register-model", "evaluate-model", "gather-evidence"),
    *("smoke-test-dev", "smoke-test-production", "record-decision", "record-release", "place-variants"),
    *("retire-dev", "make-baseline"),
    "batch-smoke-test",
)


def calls() -> Iterator[tuple[Recorded, ...]]:
    """Give the groups."""
    yield from _failures()
    yield from _approvals()
    yield from _more_than_rehearsed()
    yield from _functions()
    yield from _services()
    yield from calls_beside()
    yield from _granted()


def optional_calls() -> Iterator[tuple[Recorded, ...]]:
    """Give the groups that are about a setting which the stack does not show: they hold where they are allowed."""
    # https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
    for action in ("GetObject", "PutObject"):
        yield (call("training", f"s3:{action}", "arn:aws:s3:::{artifacts}/checkpoints/{pipeline}/ID/1.pt"),)
    yield from deletions()
    # What a release needs, and somebody may have deleted: of a DEV endpoint that is kept, and of one with instances.
    dev = arn("cloudformation", "stack/{pipeline}-dev/*")
    yield (call("check-dataset", "cloudformation:DescribeStacks", dev),)
    yield (call("check-dataset", "sagemaker:DescribeEndpoint", arn("sagemaker", "endpoint/{pipeline}-dev")),)
    yield (call("check-dataset", "application-autoscaling:DescribeScalableTargets", "*"),)
    # The scan of an image that the pipeline builds.
    yield (call("gather-evidence", "ecr:DescribeImageScanFindings", "{image}"),)
    # The folders that a person may upload data sets to.
    for folder in ("customers", "data"):
        yield (call("notebook", "s3:PutObject", f"arn:aws:s3:::{{data}}/{folder}/1.csv"),)


def _failures() -> Iterator[tuple[Recorded, ...]]:
    """What functions do when something goes wrong: they report it, stop jobs, and delete what never served."""
    for purpose in LAMBDA:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        yield (call(purpose, "sqs:SendMessage", "{dead letters}"),)
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        through_sqs = {"kms:viaservice": "sqs.{region}.amazonaws.com"}
        yield (
            call(purpose, "sqs:SendMessage", "{existing queue}"),
            call(purpose, "kms:Decrypt", "{key}", through_sqs),
            call(purpose, "kms:GenerateDataKey", "{key}", through_sqs),
        )
    for purpose in _INVOKED:
        yield (
            call(purpose, "codepipeline:PutJobSuccessResult", "*"),
            call(purpose, "codepipeline:PutJobFailureResult", "*"),
            call("pipeline", "lambda:InvokeFunction", arn("lambda", f"function:{{pipeline}}-{purpose}")),
        )
    for purpose in ("train-model", "run-evaluation"):
        yield (call(purpose, "codepipeline:GetPipelineExecution", arn("codepipeline", "{pipeline}")),)
    # The job of an execution that is over.
    for purpose in ("stop-training", "train-model"):
        yield (call(purpose, "sagemaker:StopTrainingJob", "{training job}"),)
        yield (call(purpose, "sagemaker:StopHyperParameterTuningJob", "{tuning job}"),)
    evaluation = arn("sagemaker", "processing-job/{pipeline}-HEX")
    yield (call("run-evaluation", "sagemaker:StopProcessingJob", evaluation),)
    if_evaluated = call("run-evaluation", "sagemaker:DescribeProcessingJob", evaluation)
    for action in ("DescribeProcessingJob", "StopProcessingJob"):
        yield (if_evaluated, call("stop-training", f"sagemaker:{action}", evaluation))
    # What a release needs, and somebody may have deleted.
    config = arn("sagemaker", "endpoint-config/endpointconfig-hex")
    yield (call("check-dataset", "sagemaker:DescribeEndpoint", arn("sagemaker", "endpoint/{pipeline}-production")),)
    yield (call("check-dataset", "sagemaker:DescribeEndpointConfig", config),)
    yield (call("check-dataset", "sns:GetTopicAttributes", "{topic}"),)
    for purpose in ("deploy-dev", "model-dev", "deploy-production", "model-production"):
        yield (call("check-dataset", "iam:GetRole", f"{{role: {purpose}}}"),)
    stack = arn("cloudformation", "stack/{pipeline}-production/*")
    for purpose in ("check-dataset", "record-decision"):
        yield (call(purpose, "cloudformation:DescribeStacks", stack),)
    passed = {"iam:passedtoservice": "cloudformation.amazonaws.com"}
    for purpose, stage in (("record-decision", "production"), ("retire-dev", "dev")):
        role, stack = f"{{role: deploy-{stage}}}", arn("cloudformation", f"stack/{{pipeline}}-{stage}/*")
        yield (call(purpose, "cloudformation:DeleteStack", stack, {"cloudformation:rolearn": role}),)
        yield (call(purpose, "iam:PassRole", role, passed),)
    yield (call("retire-dev", "cloudformation:DescribeStacks", arn("cloudformation", "stack/{pipeline}-dev/*")),)
    for action in ("GetPipelineExecution", "ListActionExecutions"):
        yield (call("retire-dev", f"codepipeline:{action}", arn("codepipeline", "{pipeline}")),)


def _approvals() -> Iterator[tuple[Recorded, ...]]:
    """What becomes of a model package: the gate rejects it or leaves it pending, a release makes it approved."""
    for purpose, status in (
        ("evaluate-model", "Rejected"),
        ("evaluate-model", "PendingManualApproval"),
        ("record-decision", "Approved"),
        ("record-decision", "Rejected"),
        ("record-release", "Approved"),
    ):
        yield (call(purpose, "sagemaker:UpdateModelPackage", PACKAGE, {"sagemaker:modelapprovalstatus": status}),)
    # AWS's own policy for jobs has both kinds of resources for this action.
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerJobFullAccess.html
    pending = {"sagemaker:modelapprovalstatus": "PendingManualApproval"}
    for made in (PACKAGE, arn("sagemaker", "model-package-group/{pipeline}")):
        yield (call("register-model", "sagemaker:CreateModelPackage", made, pending),)


def _more_than_rehearsed() -> Iterator[tuple[Recorded, ...]]:
    """What a pipeline does with other data sets, and at another time."""
    # The event of an upload that is delivered twice.
    claim = "arn:aws:s3:::{artifacts}/datasets/{pipeline}/uploads/HEX.json"
    yield (call("check-dataset", "s3:GetObject", claim),)
    yield (call("check-dataset", "codepipeline:StopPipelineExecution", arn("codepipeline", "{pipeline}")),)
    # A folder that is more than one commit takes.
    yield (call("seed-repository", "codecommit:GetCommit", "{repository}"),)
    # What people have committed before a destroy.
    yield (call("seed-repository", "codecommit:ListBranches", "{repository}"),)
    # The start script's copy, and the script that stops the instance.
    yield (call("notebook", "s3:GetObject", "arn:aws:s3:::{artifacts}/notebooks/{pipeline}/HEX.zip"),)
    instance = arn("sagemaker", "notebook-instance/{pipeline}")
    yield (call("notebook", "sagemaker:StopNotebookInstance", instance),)
    asked = "arn:aws:s3:::{artifacts}/datasets/{pipeline}/ID/request.json"
    through_s3 = {"kms:viaservice": "s3.{region}.amazonaws.com"}
    for purpose in ("gather-evidence", "train-model", "register-model"):
        yield (call(purpose, "s3:GetObject", asked), call(purpose, "kms:Decrypt", "{key}", through_s3))
    # A data set may ask for data capture, in DEV too.
    for stage in ("dev", "production"):
        folder = f"capture/{{pipeline}}/{{real-time: {stage}}}/{{pipeline}}-{stage}"
        captured = f"arn:aws:s3:::{{artifacts}}/{folder}/primary/DATE/ID.jsonl"
        model = f"model-{stage}"
        yield call(model, "s3:PutObject", captured), call(model, "kms:GenerateDataKey", "{key}", through_s3)
    # The job that failed, of a tuning job that has no best one.
    yield (call("train-model", "sagemaker:ListTrainingJobsForHyperParameterTuningJob", "{tuning job}"),)
    # Content that was trained before.
    yield (call("check-dataset", "s3:GetObject", "arn:aws:s3:::{artifacts}/{trained}/{pipeline}/HEX.json"),)
    earlier = {"s3:prefix": "{trained}/{pipeline}/HEX.json"}
    yield (call("check-dataset", "s3:ListBucket", "arn:aws:s3:::{artifacts}", earlier),)
    for action in ("ListBucket", "ListBucketVersions"):
        yield (call("start-newest", f"s3:{action}", "arn:aws:s3:::{data}", {"s3:prefix": "{prefix}"}),)
    # The variables of a function's environment, when Lambda's grant is lost because the role was replaced.
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    for purpose in LAMBDA:
        yield (call(purpose, "kms:Decrypt", "{key}", {"kms:viaservice": "lambda.{region}.amazonaws.com"}),)


def _functions() -> Iterator[tuple[Recorded, ...]]:
    """What Lambda does with the role of every function, and EventBridge with the function that deletes DEV."""
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    for purpose in LAMBDA:
        group = arn("logs", f"log-group:/aws/lambda/{{pipeline}}-{purpose}:log-stream:DATE/[$LATEST]HEX")
        yield (
            by("lambda.amazonaws.com", "sts:AssumeRole", f"{{role: {purpose}}}", IN_ACCOUNT),
            *(call(purpose, f"logs:{action}", group) for action in ("CreateLogStream", "PutLogEvents")),
            *(call(purpose, f"xray:{action}", "*") for action in ("PutTraceSegments", "PutTelemetryRecords")),
        )
    retire_dev = arn("lambda", "function:{pipeline}-retire-dev")
    for rule in ("after-approval", "after-execution"):
        event = {**IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (
            call("retire-dev", "xray:PutTraceSegments", "*"),
            by("events.amazonaws.com", "lambda:InvokeFunction", retire_dev, event),
        )


def _services() -> Iterator[tuple[Recorded, ...]]:
    push = {**IN_ACCOUNT, "aws:sourcearn": arn("events", "rule/{pipeline}-on-push")}
    image_pipeline = arn("codepipeline", "{pipeline}-image")
    # The ARN of a connection, and the action, may have the other prefix.
    # https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
    yield (call("image-pipeline", "codeconnections:UseConnection", "{connection}"),)
    yield (call("start-image-pipeline", "codepipeline:StartPipelineExecution", image_pipeline),)
    yield (by("events.amazonaws.com", "sts:AssumeRole", "{role: start-image-pipeline}", push),)
    yield (by("sagemaker.amazonaws.com", "sts:AssumeRole", "{role: notebook}", IN_ACCOUNT),)
    yield (by("events.amazonaws.com", "sqs:SendMessage", "{dead letters}", push),)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    group = {"kms:encryptioncontext:aws:logs:arn": arn("logs", "log-group:/aws/lambda/x")}
    for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "GenerateDataKey", "DescribeKey"):
        yield (by("logs.{region}.amazonaws.com", f"kms:{action}", "{key}", group),)
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    for action in ("Decrypt", "GenerateDataKey"):
        yield (by("cloudwatch.amazonaws.com", f"kms:{action}", "{key}", IN_ACCOUNT),)


def _granted() -> Iterator[tuple[Recorded, ...]]:
    """What the roles of others do that the examples grant something to."""
    through_s3 = {"kms:viaservice": "s3.{region}.amazonaws.com"}
    export, shop, leads = (
        f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("customer-export", "web-shop", "ml-leads")
    )
    for folder in ("customers", "data"):
        yield (by(export, "s3:PutObject", f"arn:aws:s3:::{{data}}/{folder}/1.csv", {}),)
    for action in ("Decrypt", "GenerateDataKey"):
        yield (by(export, f"kms:{action}", "{key}", through_s3),)
    at_once = arn("sagemaker", "endpoint/{pipeline}-{at once: production}")
    yield (by(shop, "sagemaker:InvokeEndpoint", at_once, {}),)
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-iam-permissions.html
    for action in ("GetPipelineState", "GetPipelineExecution"):
        yield (by(leads, f"codepipeline:{action}", arn("codepipeline", "{pipeline}"), {}),)
    # Whoever reads the variables of a function needs the key that encrypts them:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    crm, through_lambda = f"arn:aws:iam::{ACCOUNT}:role/crm-export", {"kms:viaservice": "lambda.{region}.amazonaws.com"}
    yield (by(crm, "kms:Decrypt", "{key}", through_lambda),)
    approval = arn("codepipeline", "{pipeline}/Approve/Approve")
    yield (by(leads, "codepipeline:PutApprovalResult", approval, {}),)
