"""What a pipeline's functions and AWS's services call when something fails, or is done that no rehearsal does.

Each row is a group of calls with placeholders for names; it is about the pipelines that have all of its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.requests import Recorded
from iam_mutation.stacks import ACCOUNT
from iam_mutation.uses import LAMBDA, arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The functions that CodePipeline invokes.
_INVOKED = (
    *("check-dataset", "train-model", "run-evaluation", "register-model", "evaluate-model", "gather-evidence"),
    *("smoke-test-dev", "smoke-test-production", "record-decision", "record-release", "place-variants"),
    *("retire-dev", "make-baseline"),
    "batch-smoke-test",
)
_IN_ACCOUNT = {"aws:sourceaccount": ACCOUNT}
_PACKAGE = arn("sagemaker", "model-package/{pipeline}/1")


def calls() -> Iterator[tuple[Recorded, ...]]:
    """Give the groups."""
    yield from _failures()
    yield from _approvals()
    yield from _more_than_rehearsed()
    yield from _functions()
    yield from _services()
    yield from _ab_tests()
    yield from _notifications()
    yield from _monitoring()
    yield from _retraining()
    yield from _batches()
    yield from _queues()
    yield from _leaving()
    yield from _granted()


def optional_calls() -> Iterator[tuple[Recorded, ...]]:
    """Give the groups that are about a setting which the stack does not show: they hold where they are allowed."""
    # https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
    for action in ("GetObject", "PutObject"):
        yield (_call("training", f"s3:{action}", "arn:aws:s3:::{artifacts}/checkpoints/{pipeline}/ID/1.pt"),)
    yield from _deleting()
    # The folders that a person may upload data sets to.
    for folder in ("customers", "data"):
        yield (_call("notebook", "s3:PutObject", f"arn:aws:s3:::{{data}}/{folder}/1.csv"),)


def _call(purpose: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> Recorded:
    return _by(f"{{role: {purpose}}}", action, resource, context or {})


def _by(principal: str, action: str, resource: str, context: Mapping[str, str]) -> Recorded:
    return Recorded(principal, action, resource, tuple((key, (value,)) for key, value in context.items()))


def _failures() -> Iterator[tuple[Recorded, ...]]:
    """What functions do when something goes wrong: they report it, stop jobs, and delete what never served."""
    for purpose in LAMBDA:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        yield (_call(purpose, "sqs:SendMessage", "{dead letters}"),)
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        through_sqs = {"kms:viaservice": "sqs.{region}.amazonaws.com"}
        yield (
            _call(purpose, "sqs:SendMessage", "{existing queue}"),
            _call(purpose, "kms:Decrypt", "{key}", through_sqs),
            _call(purpose, "kms:GenerateDataKey", "{key}", through_sqs),
        )
    for purpose in _INVOKED:
        yield (
            _call(purpose, "codepipeline:PutJobSuccessResult", "*"),
            _call(purpose, "codepipeline:PutJobFailureResult", "*"),
            _call("pipeline", "lambda:InvokeFunction", arn("lambda", f"function:{{pipeline}}-{purpose}")),
        )
    for purpose in ("train-model", "run-evaluation"):
        yield (_call(purpose, "codepipeline:GetPipelineExecution", arn("codepipeline", "{pipeline}")),)
    # The job of an execution that is over.
    for purpose in ("stop-training", "train-model"):
        yield (_call(purpose, "sagemaker:StopTrainingJob", "{training job}"),)
        yield (_call(purpose, "sagemaker:StopHyperParameterTuningJob", "{tuning job}"),)
    evaluation = arn("sagemaker", "processing-job/{pipeline}-HEX")
    yield (_call("run-evaluation", "sagemaker:StopProcessingJob", evaluation),)
    if_evaluated = _call("run-evaluation", "sagemaker:DescribeProcessingJob", evaluation)
    for action in ("DescribeProcessingJob", "StopProcessingJob"):
        yield (if_evaluated, _call("stop-training", f"sagemaker:{action}", evaluation))
    stack = arn("cloudformation", "stack/{pipeline}-production/*")
    for purpose in ("check-dataset", "record-decision"):
        yield (_call(purpose, "cloudformation:DescribeStacks", stack),)
    passed = {"iam:passedtoservice": "cloudformation.amazonaws.com"}
    for purpose, stage in (("record-decision", "production"), ("retire-dev", "dev")):
        role, stack = f"{{role: deploy-{stage}}}", arn("cloudformation", f"stack/{{pipeline}}-{stage}/*")
        yield (_call(purpose, "cloudformation:DeleteStack", stack, {"cloudformation:rolearn": role}),)
        yield (_call(purpose, "iam:PassRole", role, passed),)
    yield (_call("retire-dev", "cloudformation:DescribeStacks", arn("cloudformation", "stack/{pipeline}-dev/*")),)
    for action in ("GetPipelineExecution", "ListActionExecutions"):
        yield (_call("retire-dev", f"codepipeline:{action}", arn("codepipeline", "{pipeline}")),)


def _approvals() -> Iterator[tuple[Recorded, ...]]:
    """What becomes of a model package: the gate rejects it or leaves it pending, a release makes it approved."""
    for purpose, status in (
        ("evaluate-model", "Rejected"),
        ("evaluate-model", "PendingManualApproval"),
        ("record-decision", "Approved"),
        ("record-decision", "Rejected"),
        ("record-release", "Approved"),
    ):
        yield (_call(purpose, "sagemaker:UpdateModelPackage", _PACKAGE, {"sagemaker:modelapprovalstatus": status}),)
    # AWS's own policy for jobs has both kinds of resources for this action.
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerJobFullAccess.html
    pending = {"sagemaker:modelapprovalstatus": "PendingManualApproval"}
    for made in (_PACKAGE, arn("sagemaker", "model-package-group/{pipeline}")):
        yield (_call("register-model", "sagemaker:CreateModelPackage", made, pending),)


def _more_than_rehearsed() -> Iterator[tuple[Recorded, ...]]:
    """What a pipeline does with other data sets, and at another time."""
    # The event of an upload that is delivered twice.
    claim = "arn:aws:s3:::{artifacts}/datasets/{pipeline}/uploads/HEX.json"
    yield (_call("check-dataset", "s3:GetObject", claim),)
    yield (_call("check-dataset", "codepipeline:StopPipelineExecution", arn("codepipeline", "{pipeline}")),)
    # A folder that is more than one commit takes.
    yield (_call("seed-repository", "codecommit:GetCommit", "{repository}"),)
    # The start script's copy, and the script that stops the instance.
    yield (_call("notebook", "s3:GetObject", "arn:aws:s3:::{artifacts}/notebooks/{pipeline}/HEX.zip"),)
    instance = arn("sagemaker", "notebook-instance/{pipeline}")
    yield (_call("notebook", "sagemaker:StopNotebookInstance", instance),)
    asked = "arn:aws:s3:::{artifacts}/datasets/{pipeline}/ID/request.json"
    through_s3 = {"kms:viaservice": "s3.{region}.amazonaws.com"}
    for purpose in ("gather-evidence", "train-model", "register-model"):
        yield (_call(purpose, "s3:GetObject", asked), _call(purpose, "kms:Decrypt", "{key}", through_s3))
    # A data set may ask for data capture, in DEV too.
    for stage in ("dev", "production"):
        folder = f"capture/{{pipeline}}/{{real-time: {stage}}}/{{pipeline}}-{stage}"
        captured = f"arn:aws:s3:::{{artifacts}}/{folder}/primary/DATE/ID.jsonl"
        model = f"model-{stage}"
        yield _call(model, "s3:PutObject", captured), _call(model, "kms:GenerateDataKey", "{key}", through_s3)
    # The job that failed, of a tuning job that has no best one.
    yield (_call("train-model", "sagemaker:ListTrainingJobsForHyperParameterTuningJob", "{tuning job}"),)
    # Content that was trained before.
    yield (_call("check-dataset", "s3:GetObject", "arn:aws:s3:::{artifacts}/{trained}/{pipeline}/HEX.json"),)
    earlier = {"s3:prefix": "{trained}/{pipeline}/HEX.json"}
    yield (_call("check-dataset", "s3:ListBucket", "arn:aws:s3:::{artifacts}", earlier),)
    for action in ("ListBucket", "ListBucketVersions"):
        yield (_call("start-newest", f"s3:{action}", "arn:aws:s3:::{data}", {"s3:prefix": "{prefix}"}),)
    # The variables of a function's environment, when Lambda's grant is lost because the role was replaced.
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    for purpose in LAMBDA:
        yield (_call(purpose, "kms:Decrypt", "{key}", {"kms:viaservice": "lambda.{region}.amazonaws.com"}),)


def _functions() -> Iterator[tuple[Recorded, ...]]:
    """What Lambda does with the role of every function, and EventBridge with the function that deletes DEV."""
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    for purpose in LAMBDA:
        group = arn("logs", f"log-group:/aws/lambda/{{pipeline}}-{purpose}:log-stream:DATE/[$LATEST]HEX")
        yield (
            _by("lambda.amazonaws.com", "sts:AssumeRole", f"{{role: {purpose}}}", _IN_ACCOUNT),
            *(_call(purpose, f"logs:{action}", group) for action in ("CreateLogStream", "PutLogEvents")),
            *(_call(purpose, f"xray:{action}", "*") for action in ("PutTraceSegments", "PutTelemetryRecords")),
        )
    retire_dev = arn("lambda", "function:{pipeline}-retire-dev")
    for rule in ("after-approval", "after-execution"):
        event = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (
            _call("retire-dev", "xray:PutTraceSegments", "*"),
            _by("events.amazonaws.com", "lambda:InvokeFunction", retire_dev, event),
        )


def _services() -> Iterator[tuple[Recorded, ...]]:
    push = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", "rule/{pipeline}-on-push")}
    image_pipeline = arn("codepipeline", "{pipeline}-image")
    # The ARN of a connection, and the action, may have the other prefix.
    # https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
    yield (_call("image-pipeline", "codeconnections:UseConnection", "{connection}"),)
    yield (_call("start-image-pipeline", "codepipeline:StartPipelineExecution", image_pipeline),)
    yield (_by("events.amazonaws.com", "sts:AssumeRole", "{role: start-image-pipeline}", push),)
    yield (_by("sagemaker.amazonaws.com", "sts:AssumeRole", "{role: notebook}", _IN_ACCOUNT),)
    yield (_by("events.amazonaws.com", "sqs:SendMessage", "{dead letters}", push),)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    group = {"kms:encryptioncontext:aws:logs:arn": arn("logs", "log-group:/aws/lambda/x")}
    for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "GenerateDataKey", "DescribeKey"):
        yield (_by("logs.{region}.amazonaws.com", f"kms:{action}", "{key}", group),)
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    for action in ("Decrypt", "GenerateDataKey"):
        yield (_by("cloudwatch.amazonaws.com", f"kms:{action}", "{key}", _IN_ACCOUNT),)


def _ab_tests() -> Iterator[tuple[Recorded, ...]]:
    """What the functions of A/B tests read and write at one time or another; only some pipelines have them."""
    through_s3 = {"kms:viaservice": "s3.{region}.amazonaws.com"}
    record = "ab/{pipeline}/record.json"
    has_tests = _call("place-variants", "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{record}")
    for purpose in ("place-variants", "record-decision", "gather-evidence"):
        listed = _call(purpose, "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": record})
        read = _call(purpose, "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{record}")
        yield (has_tests, listed, read, _call(purpose, "kms:Decrypt", "{key}", through_s3))
    guarded = _call("abort-ab-test", "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{record}")
    yield (guarded, _call("abort-ab-test", "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": record}))
    report = "ab/{pipeline}/tests/ID/report.json"
    for purpose, has in (("gather-evidence", has_tests), ("abort-ab-test", guarded)):
        yield (
            has,
            _call(purpose, "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": report}),
            _call(purpose, "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{report}"),
        )
    looked_at = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", "rule/{pipeline}-look-at-ab-test")}
    judge = arn("lambda", "function:{pipeline}-judge-ab-test")
    yield (has_tests, _by("events.amazonaws.com", "lambda:InvokeFunction", judge, looked_at))
    # While an execution changes the endpoint, and before the first release.
    operator, pipeline = f"arn:aws:iam::{ACCOUNT}:role/product-managers", arn("codepipeline", "{pipeline}")
    yield (_by(operator, "codepipeline:GetPipelineExecution", pipeline, {}),)
    yield (_by(operator, "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": record}),)
    looks = "ab/{pipeline}/tests/ID/looks/DATE.json"
    yield (
        has_tests,
        _call("notebook", "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": "ab/{pipeline}/tests/ID/looks/"}),
        _call("notebook", "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{looks}"),
        _call("notebook", "kms:Decrypt", "{key}", through_s3),
    )


def _batches() -> Iterator[tuple[Recorded, ...]]:
    """What batches do at one time or another; only some pipelines have them."""
    data, artifacts, listing = "arn:aws:s3:::{data}", "arn:aws:s3:::{artifacts}", {"s3:prefix": "scoring/"}
    starts, ends = "start-batch", "record-batch"
    # An object that does not exist any more is looked for; and a schedule lists versions.
    for action in ("ListBucket", "ListBucketVersions"):
        yield (_call(starts, f"s3:{action}", data, listing),)
    yield (_call(ends, "s3:ListBucket", data, listing),)
    for purpose in (starts, ends):
        yield (_call(purpose, "s3:ListBucket", data, {"s3:prefix": "predictions/{pipeline}-batch-HEX/record.json"}),)
        yield (_call(purpose, "sns:Publish", arn("sns", "{pipeline}-approvals")),)
        for action in ("Decrypt", "GenerateDataKey"):
            yield (_call(purpose, f"kms:{action}", "{key}", {"kms:viaservice": "sns.{region}.amazonaws.com"}),)
    # A job that SageMaker refuses leaves no model; a test of an execution that has ended is stopped.
    yield (_call(starts, "sagemaker:DeleteModel", arn("sagemaker", "model/{pipeline}-batch-HEX")),)
    golden = arn("sagemaker", "transform-job/{pipeline}-golden-HEX")
    yield (_call("batch-smoke-test", "sagemaker:StopTransformJob", golden),)
    group = arn("logs", "log-group:/aws/sagemaker/TransformJobs:log-stream:")
    for purpose in (ends, "batch-smoke-test"):
        yield (_call(purpose, "logs:FilterLogEvents", group),)
    # The golden test lists its folder with a prefix.
    yield (_call("batch", "s3:ListBucket", artifacts, {"s3:prefix": "batch-tests/{pipeline}/HEX/in/golden.csv"}),)


def _queues() -> Iterator[tuple[Recorded, ...]]:
    """What an asynchronous endpoint's requests and responses need; only some endpoints have a queue."""
    artifacts, through_s3 = "arn:aws:s3:::{artifacts}", {"kms:viaservice": "s3.{region}.amazonaws.com"}
    for stage in ("dev", "production"):
        folder, model = f"async/{{pipeline}}/{{asynchronous: {stage}}}", f"model-{stage}"
        written = (f"{folder}/output/ID.out", f"{folder}/failure/ID-error.out")
        # SageMaker reads a request, and writes a response or a reason, with the model's role:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
        read = _call(model, "s3:GetObject", f"{artifacts}/{folder}/input/HEX.csv")
        yield (read, _call(model, "kms:Decrypt", "{key}", through_s3))
        for key in written:
            for action in ("PutObject", "AbortMultipartUpload"):
                yield (_call(model, f"s3:{action}", f"{artifacts}/{key}"),)
        # The parts of an upload are read again: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
        for action in ("Decrypt", "GenerateDataKey"):
            yield (read, _call(model, f"kms:{action}", "{key}", through_s3))
        for kind in ("success", "error"):
            yield (_call(model, "sns:Publish", f"{{{kind} topic: {stage}}}"),)
        endpoint = arn("sagemaker", f"endpoint/{{pipeline}}-{{asynchronous: {stage}}}")
        senders = {f"{{role: smoke-test-{stage}}}": "input/smoke-test/HEX.csv"}
        if stage == "production":
            # Of examples/serving: an application that has requests in any folder below the endpoint's.
            senders[f"arn:aws:iam::{ACCOUNT}:role/night-run"] = "input/2026/HEX.csv"
        for who, request in senders.items():
            sent = _by(who, "sagemaker:InvokeEndpointAsync", endpoint, {})
            yield (sent, _by(who, "s3:PutObject", f"{artifacts}/{folder}/{request}", {}))
            for key in written:
                yield (_by(who, "s3:ListBucket", artifacts, {"s3:prefix": key}),)
                yield (_by(who, "s3:GetObject", f"{artifacts}/{key}", {}),)
            for action in ("Decrypt", "GenerateDataKey"):
                yield (sent, _by(who, f"kms:{action}", "{key}", through_s3))


def _notifications() -> Iterator[tuple[Recorded, ...]]:
    """What people are notified of, by the alarms and by the function; and the metrics of a release."""
    topic = arn("sns", "{pipeline}-approvals")
    yield (_by("cloudwatch.amazonaws.com", "sns:Publish", topic, _IN_ACCOUNT),)
    yield (_call("notify-people", "sns:Publish", topic),)
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    for action in ("Decrypt", "GenerateDataKey"):
        yield (_call("notify-people", f"kms:{action}", "{key}", {"kms:viaservice": "sns.{region}.amazonaws.com"}),)
    stack = arn("cloudformation", "stack/{pipeline}-production/ID")
    yield (_call("notify-people", "cloudformation:DescribeStackEvents", stack),)
    yield (_call("notify-people", "codepipeline:GetPipelineState", arn("codepipeline", "{pipeline}")),)
    function = arn("lambda", "function:{pipeline}-notify-people")
    for rule in ("on-rollback", "on-waiting"):
        invoked = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (_by("events.amazonaws.com", "lambda:InvokeFunction", function, invoked),)
        lost = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (_by("events.amazonaws.com", "sqs:SendMessage", "{dead letters}", lost),)
    for context in (_IN_ACCOUNT, {**_IN_ACCOUNT, "aws:sourcearn": function}):
        yield (_by("lambda.amazonaws.com", "sts:AssumeRole", "{role: notify-people}", context),)
    released = {"cloudwatch:namespace": "MLOps/Releases"}
    yield (_call("record-release", "cloudwatch:PutMetricData", "*", released),)


def _monitoring() -> Iterator[tuple[Recorded, ...]]:
    """What the watch reads and writes at one time or another; only some pipelines have it."""
    bucket, through_s3 = "arn:aws:s3:::{artifacts}", {"kms:viaservice": "s3.{region}.amazonaws.com"}
    watches = _call("watch-traffic", "s3:PutObject", f"{bucket}/monitoring/{{pipeline}}/report.json")
    endpoint = "{pipeline}-production"
    folders = {
        f"capture/{{pipeline}}/production/{endpoint}/primary/DATE/": "ID.jsonl",
        "ground-truth/{pipeline}/": "DATE/outcomes-HEX.jsonl",
        "releases/{pipeline}/": "1.json",
        "baselines/{pipeline}/1/": "baseline.json",
        "monitoring/{pipeline}/releases/1/": "1-HEX.json",
    }
    for prefix, name in folders.items():
        yield (watches, _call("watch-traffic", "s3:ListBucket", bucket, {"s3:prefix": prefix}))
        yield (watches, _call("watch-traffic", "s3:GetObject", f"{bucket}/{prefix}{name}"))
    yield (watches, _call("watch-traffic", "kms:Decrypt", "{key}", through_s3))
    yield (watches, _call("watch-traffic", "kms:GenerateDataKey", "{key}", through_s3))
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    through_sns = {"kms:viaservice": "sns.{region}.amazonaws.com"}
    yield (watches, _call("watch-traffic", "sns:Publish", arn("sns", "{pipeline}-approvals")))
    for action in ("Decrypt", "GenerateDataKey"):
        yield (watches, _call("watch-traffic", f"kms:{action}", "{key}", through_sns))
    metrics = {"cloudwatch:namespace": "MLOpsConstructs/Monitoring"}
    yield (watches, _call("watch-traffic", "cloudwatch:PutMetricData", "*", metrics))
    looked = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", "rule/{pipeline}-watch-traffic-schedule")}
    function = arn("lambda", "function:{pipeline}-watch-traffic")
    yield (watches, _by("events.amazonaws.com", "lambda:InvokeFunction", function, looked))
    # A table with a data contract, and one that was read before.
    for action in ("Decrypt", "GenerateDataKey"):
        yield (_call("make-baseline", f"kms:{action}", "{key}", through_s3),)
    for name in ("datasets/{pipeline}/ID/train/1.csv", "datasets/{pipeline}/ID/request.json"):
        yield (_call("make-baseline", "s3:GetObject", f"{bucket}/{name}"),)
    for prefix in ("datasets/{pipeline}/ID/train/", "baselines/{pipeline}/1/baseline.json"):
        yield (_call("make-baseline", "s3:ListBucket", bucket, {"s3:prefix": prefix}),)
    yield (_call("make-baseline", "s3:PutObject", f"{bucket}/baselines/{{pipeline}}/1/baseline.json"),)
    yield (_call("make-baseline", "sagemaker:InvokeEndpoint", arn("sagemaker", "endpoint/{pipeline}-dev")),)


def _retraining() -> Iterator[tuple[Recorded, ...]]:
    """What an alarm leads to; only some pipelines have it."""
    bucket, folder = "arn:aws:s3:::{artifacts}", "retraining/{pipeline}"
    pipeline = arn("codepipeline", "{pipeline}")
    starts = _call("retrain", "codepipeline:StartPipelineExecution", pipeline)
    yield (starts, _call("retrain", "codepipeline:ListPipelineExecutions", pipeline))
    yield (starts, _call("retrain", "s3:ListBucketVersions", "arn:aws:s3:::{data}", {"s3:prefix": "{prefix}"}))
    for key in (f"{folder}/state.json", "releases/{pipeline}/1.json"):
        yield (starts, _call("retrain", "s3:GetObject", f"{bucket}/{key}"))
    for prefix in (f"{folder}/state.json", "releases/{pipeline}/"):
        yield (starts, _call("retrain", "s3:ListBucket", bucket, {"s3:prefix": prefix}))
    for name in ("state.json", "executions/ID.json", "decisions/DATE/ID.json"):
        yield (starts, _call("retrain", "s3:PutObject", f"{bucket}/{folder}/{name}"))
    yield (starts, _call("retrain", "sns:Publish", arn("sns", "{pipeline}-approvals")))
    for service in ("s3", "sns"):
        through = {"kms:viaservice": f"{service}.{{region}}.amazonaws.com"}
        for action in ("Decrypt", "GenerateDataKey"):
            yield (starts, _call("retrain", f"kms:{action}", "{key}", through))
    function = arn("lambda", "function:{pipeline}-retrain")
    for rule in ("retrain-schedule", "on-new-data"):
        invoked = {**_IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (starts, _by("events.amazonaws.com", "lambda:InvokeFunction", function, invoked))
    assumed = {**_IN_ACCOUNT, "aws:sourcearn": function}
    for context in (_IN_ACCOUNT, assumed):
        yield (starts, _by("lambda.amazonaws.com", "sts:AssumeRole", "{role: retrain}", context))
    yield (starts, _call("watch-traffic", "lambda:InvokeFunction", function))
    why = f"{folder}/executions/ID.json"
    yield (starts, _call("gather-evidence", "s3:GetObject", f"{bucket}/{why}"))
    yield (starts, _call("gather-evidence", "s3:ListBucket", bucket, {"s3:prefix": why}))


def _leaving() -> Iterator[tuple[Recorded, ...]]:
    """What is looked at when a stack is destroyed."""
    guard = "guard-destroy"
    yield (_by("lambda.amazonaws.com", "sts:AssumeRole", "{role: guard-destroy}", {}),)
    yield (_call(guard, "codepipeline:ListPipelineExecutions", arn("codepipeline", "{pipeline}")),)
    for stage in ("dev", "production"):
        yield (_call(guard, "cloudformation:DescribeStacks", arn("cloudformation", f"stack/{{pipeline}}-{stage}/*")),)
    yield (_call(guard, "cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*")),)
    for action in (
        "application-autoscaling:DescribeScalableTargets",
        *("sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints", "sagemaker:ListModels"),
        *("sagemaker:ListHyperParameterTuningJobs", "sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs"),
        *("sagemaker:ListModelPackages", "sagemaker:ListTransformJobs", "tag:GetResources"),
    ):
        yield (_call(guard, action, "*"),)


def _deleting() -> Iterator[tuple[Recorded, ...]]:
    """What a destroy deletes of a pipeline with ``removal="destroy"``; only some build an image, or tune."""
    guard, image = "guard-destroy", arn("codepipeline", "{pipeline}-image")
    yield (_call(guard, "codepipeline:ListPipelineExecutions", image),)
    for name in (arn("codepipeline", "{pipeline}"), image):
        yield (_call(guard, "codepipeline:StopPipelineExecution", name),)
    for stage in ("Prepare",):
        yield (_call(guard, "codepipeline:DisableStageTransition", arn("codepipeline", f"{{pipeline}}/{stage}")),)
    for stage in ("Build",):
        yield (_call(guard, "codepipeline:DisableStageTransition", f"{image}/{stage}"),)
    for action, name in (
        ("StopTrainingJob", "{training job}"),
        # An execution that began before its pipeline tuned: its training job still runs.
        ("StopTrainingJob", arn("sagemaker", "training-job/{pipeline}-HEX")),
        ("StopHyperParameterTuningJob", "{tuning job}"),
        ("StopHyperParameterTuningJob", arn("sagemaker", "hyper-parameter-tuning-job/{pipeline}-HEX")),
        ("StopProcessingJob", arn("sagemaker", "processing-job/{pipeline}-HEX")),
        ("StopTransformJob", arn("sagemaker", "transform-job/{pipeline}-batch-HEX")),
        ("DeleteModelPackage", _PACKAGE),
    ):
        yield (_call(guard, f"sagemaker:{action}", name),)
    tagged = {"aws:resourcetag/mlops:pipeline": "{pipeline}"}
    for action, kind in (("DeleteEndpointConfig", "endpoint-config"), ("DeleteModel", "model")):
        yield (_call(guard, f"sagemaker:{action}", arn("sagemaker", f"{kind}/ID"), tagged),)
    targets = {"application-autoscaling:service-namespace": "sagemaker"}
    target = arn("application-autoscaling", "scalable-target/ID")
    yield (_call(guard, "application-autoscaling:DeregisterScalableTarget", target, targets),)
    for stage in ("dev", "production"):
        endpoint = f"{{pipeline}}-{stage}"
        group = f"{arn('logs', f'log-group:/aws/sagemaker/Endpoints/{endpoint}')}:log-stream:"
        yield (_call(guard, "cloudformation:DeleteStack", arn("cloudformation", f"stack/{endpoint}/*")),)
        yield (_call(guard, "sagemaker:DeleteEndpoint", arn("sagemaker", f"endpoint/{endpoint}")),)
        yield (_call(guard, "cloudwatch:DeleteAlarms", arn("cloudwatch", f"alarm:{endpoint}-ServerErrors-ID")),)
        yield (_call(guard, "logs:DeleteLogGroup", group),)


def _granted() -> Iterator[tuple[Recorded, ...]]:
    """What the roles of others do that the examples grant something to."""
    through_s3 = {"kms:viaservice": "s3.{region}.amazonaws.com"}
    export, shop, leads = (
        f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("customer-export", "web-shop", "ml-leads")
    )
    for folder in ("customers", "data"):
        yield (_by(export, "s3:PutObject", f"arn:aws:s3:::{{data}}/{folder}/1.csv", {}),)
    for action in ("Decrypt", "GenerateDataKey"):
        yield (_by(export, f"kms:{action}", "{key}", through_s3),)
    at_once = arn("sagemaker", "endpoint/{pipeline}-{at once: production}")
    yield (_by(shop, "sagemaker:InvokeEndpoint", at_once, {}),)
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-iam-permissions.html
    for action in ("GetPipelineState", "GetPipelineExecution"):
        yield (_by(leads, f"codepipeline:{action}", arn("codepipeline", "{pipeline}"), {}),)
    # Whoever reads the variables of a function needs the key that encrypts them:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    crm, through_lambda = f"arn:aws:iam::{ACCOUNT}:role/crm-export", {"kms:viaservice": "lambda.{region}.amazonaws.com"}
    yield (_by(crm, "kms:Decrypt", "{key}", through_lambda),)
    approval = arn("codepipeline", "{pipeline}/Approve/Approve")
    yield (_by(leads, "codepipeline:PutApprovalResult", approval, {}),)
