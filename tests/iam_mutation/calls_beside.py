"""What runs beside the pipeline calls: A/B tests, notifications, the watch, retraining, batches, queues, a destroy.

The groups are as in ``calls.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iam_mutation.called import IN_ACCOUNT, PACKAGE, by, call
from iam_mutation.stacks import ACCOUNT
from iam_mutation.uses import arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iam_mutation.requests import Recorded


def calls_beside() -> Iterator[tuple[Recorded, ...]]:
    """Give the groups."""
    yield from _ab_tests()
    yield from _notifications()
    yield from _monitoring()
    yield from _retraining()
    yield from _batches()
    yield from _queues()
    yield from _leaving()


def _ab_tests() -> Iterator[tuple[Recorded, ...]]:
    """What the functions of A/B tests read and write at one time or another; only some pipelines have them."""
    through_s3 = {"kms:viaservice": "s3.{region}.amazonaws.com"}
    record = "ab/{pipeline}/record.json"
    has_tests = call("place-variants", "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{record}")
    for purpose in ("place-variants", "record-decision", "gather-evidence"):
        listed = call(purpose, "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": record})
        read = call(purpose, "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{record}")
        yield (has_tests, listed, read, call(purpose, "kms:Decrypt", "{key}", through_s3))
    guarded = call("abort-ab-test", "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{record}")
    yield (guarded, call("abort-ab-test", "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": record}))
    report = "ab/{pipeline}/tests/ID/report.json"
    for purpose, has in (("gather-evidence", has_tests), ("abort-ab-test", guarded)):
        yield (
            has,
            call(purpose, "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": report}),
            call(purpose, "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{report}"),
        )
    looked_at = {**IN_ACCOUNT, "aws:sourcearn": arn("events", "rule/{pipeline}-look-at-ab-test")}
    judge = arn("lambda", "function:{pipeline}-judge-ab-test")
    yield (has_tests, by("events.amazonaws.com", "lambda:InvokeFunction", judge, looked_at))
    # While an execution changes the endpoint, and before the first release.
    operator, pipeline = f"arn:aws:iam::{ACCOUNT}:role/product-managers", arn("codepipeline", "{pipeline}")
    yield (by(operator, "codepipeline:GetPipelineExecution", pipeline, {}),)
    yield (by(operator, "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": record}),)
    looks = "ab/{pipeline}/tests/ID/looks/DATE.json"
    yield (
        has_tests,
        call("notebook", "s3:ListBucket", "arn:aws:s3:::{artifacts}", {"s3:prefix": "ab/{pipeline}/tests/ID/looks/"}),
        call("notebook", "s3:GetObject", f"arn:aws:s3:::{{artifacts}}/{looks}"),
        call("notebook", "kms:Decrypt", "{key}", through_s3),
    )


def _batches() -> Iterator[tuple[Recorded, ...]]:
    """What batches do at one time or another; only some pipelines have them."""
    data, artifacts, listing = "arn:aws:s3:::{data}", "arn:aws:s3:::{artifacts}", {"s3:prefix": "scoring/"}
    starts, ends = "start-batch", "record-batch"
    # An object that does not exist any more is looked for; and a schedule lists versions.
    for action in ("ListBucket", "ListBucketVersions"):
        yield (call(starts, f"s3:{action}", data, listing),)
    yield (call(ends, "s3:ListBucket", data, listing),)
    for purpose in (starts, ends):
        yield (call(purpose, "s3:ListBucket", data, {"s3:prefix": "predictions/{pipeline}-batch-HEX/record.json"}),)
        yield (call(purpose, "sns:Publish", arn("sns", "{pipeline}-approvals")),)
        for action in ("Decrypt", "GenerateDataKey"):
            yield (call(purpose, f"kms:{action}", "{key}", {"kms:viaservice": "sns.{region}.amazonaws.com"}),)
    # A job that SageMaker refuses leaves no model; a test of an execution that has ended is stopped.
    yield (call(starts, "sagemaker:DeleteModel", arn("sagemaker", "model/{pipeline}-batch-HEX")),)
    golden = arn("sagemaker", "transform-job/{pipeline}-golden-HEX")
    yield (call("batch-smoke-test", "sagemaker:StopTransformJob", golden),)
    group = arn("logs", "log-group:/aws/sagemaker/TransformJobs:log-stream:")
    for purpose in (ends, "batch-smoke-test"):
        yield (call(purpose, "logs:FilterLogEvents", group),)
    # The golden test lists its folder with a prefix.
    yield (call("batch", "s3:ListBucket", artifacts, {"s3:prefix": "batch-tests/{pipeline}/HEX/in/golden.csv"}),)


def _queues() -> Iterator[tuple[Recorded, ...]]:
    """What an asynchronous endpoint's requests and responses need; only some endpoints have a queue."""
    artifacts, through_s3 = "arn:aws:s3:::{artifacts}", {"kms:viaservice": "s3.{region}.amazonaws.com"}
    for stage in ("dev", "production"):
        folder, model = f"async/{{pipeline}}/{{asynchronous: {stage}}}", f"model-{stage}"
        written = (f"{folder}/output/ID.out", f"{folder}/failure/ID-error.out")
        # SageMaker reads a request, and writes a response or a reason, with the model's role:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
        read = call(model, "s3:GetObject", f"{artifacts}/{folder}/input/HEX.csv")
        yield (read, call(model, "kms:Decrypt", "{key}", through_s3))
        for key in written:
            for action in ("PutObject", "AbortMultipartUpload"):
                yield (call(model, f"s3:{action}", f"{artifacts}/{key}"),)
        # The parts of an upload are read again: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
        for action in ("Decrypt", "GenerateDataKey"):
            yield (read, call(model, f"kms:{action}", "{key}", through_s3))
        for kind in ("success", "error"):
            yield (call(model, "sns:Publish", f"{{{kind} topic: {stage}}}"),)
        endpoint = arn("sagemaker", f"endpoint/{{pipeline}}-{{asynchronous: {stage}}}")
        senders = {f"{{role: smoke-test-{stage}}}": "input/smoke-test/HEX.csv"}
        if stage == "production":
            # Of examples/serving: an application that has requests in any folder below the endpoint's.
            senders[f"arn:aws:iam::{ACCOUNT}:role/night-run"] = "input/2026/HEX.csv"
        for who, request in senders.items():
            sent = by(who, "sagemaker:InvokeEndpointAsync", endpoint, {})
            yield (sent, by(who, "s3:PutObject", f"{artifacts}/{folder}/{request}", {}))
            for key in written:
                yield (by(who, "s3:ListBucket", artifacts, {"s3:prefix": key}),)
                yield (by(who, "s3:GetObject", f"{artifacts}/{key}", {}),)
            for action in ("Decrypt", "GenerateDataKey"):
                yield (sent, by(who, f"kms:{action}", "{key}", through_s3))


def _notifications() -> Iterator[tuple[Recorded, ...]]:
    """What people are notified of, by the alarms and by the function; and the metrics of a release."""
    topic = arn("sns", "{pipeline}-approvals")
    yield (by("cloudwatch.amazonaws.com", "sns:Publish", topic, IN_ACCOUNT),)
    yield (call("notify-people", "sns:Publish", topic),)
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    for action in ("Decrypt", "GenerateDataKey"):
        yield (call("notify-people", f"kms:{action}", "{key}", {"kms:viaservice": "sns.{region}.amazonaws.com"}),)
    stack = arn("cloudformation", "stack/{pipeline}-production/ID")
    yield (call("notify-people", "cloudformation:DescribeStackEvents", stack),)
    yield (call("notify-people", "codepipeline:GetPipelineState", arn("codepipeline", "{pipeline}")),)
    function = arn("lambda", "function:{pipeline}-notify-people")
    for rule in ("on-rollback", "on-waiting"):
        invoked = {**IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (by("events.amazonaws.com", "lambda:InvokeFunction", function, invoked),)
        lost = {**IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (by("events.amazonaws.com", "sqs:SendMessage", "{dead letters}", lost),)
    for context in (IN_ACCOUNT, {**IN_ACCOUNT, "aws:sourcearn": function}):
        yield (by("lambda.amazonaws.com", "sts:AssumeRole", "{role: notify-people}", context),)
    released = {"cloudwatch:namespace": "MLOps/Releases"}
    yield (call("record-release", "cloudwatch:PutMetricData", "*", released),)


def _monitoring() -> Iterator[tuple[Recorded, ...]]:
    """What the watch reads and writes at one time or another; only some pipelines have it."""
    bucket, through_s3 = "arn:aws:s3:::{artifacts}", {"kms:viaservice": "s3.{region}.amazonaws.com"}
    watches = call("watch-traffic", "s3:PutObject", f"{bucket}/monitoring/{{pipeline}}/report.json")
    endpoint = "{pipeline}-production"
    folders = {
        f"capture/{{pipeline}}/production/{endpoint}/primary/DATE/": "ID.jsonl",
        "ground-truth/{pipeline}/": "DATE/outcomes-HEX.jsonl",
        "releases/{pipeline}/": "1.json",
        "baselines/{pipeline}/1/": "baseline.json",
        "monitoring/{pipeline}/releases/1/": "1-HEX.json",
    }
    for prefix, name in folders.items():
        yield (watches, call("watch-traffic", "s3:ListBucket", bucket, {"s3:prefix": prefix}))
        yield (watches, call("watch-traffic", "s3:GetObject", f"{bucket}/{prefix}{name}"))
    yield (watches, call("watch-traffic", "kms:Decrypt", "{key}", through_s3))
    yield (watches, call("watch-traffic", "kms:GenerateDataKey", "{key}", through_s3))
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    through_sns = {"kms:viaservice": "sns.{region}.amazonaws.com"}
    yield (watches, call("watch-traffic", "sns:Publish", arn("sns", "{pipeline}-approvals")))
    for action in ("Decrypt", "GenerateDataKey"):
        yield (watches, call("watch-traffic", f"kms:{action}", "{key}", through_sns))
    metrics = {"cloudwatch:namespace": "MLOpsConstructs/Monitoring"}
    yield (watches, call("watch-traffic", "cloudwatch:PutMetricData", "*", metrics))
    looked = {**IN_ACCOUNT, "aws:sourcearn": arn("events", "rule/{pipeline}-watch-traffic-schedule")}
    function = arn("lambda", "function:{pipeline}-watch-traffic")
    yield (watches, by("events.amazonaws.com", "lambda:InvokeFunction", function, looked))
    # A table with a data contract, and one that was read before.
    for action in ("Decrypt", "GenerateDataKey"):
        yield (call("make-baseline", f"kms:{action}", "{key}", through_s3),)
    for name in ("datasets/{pipeline}/ID/train/1.csv", "datasets/{pipeline}/ID/request.json"):
        yield (call("make-baseline", "s3:GetObject", f"{bucket}/{name}"),)
    for prefix in ("datasets/{pipeline}/ID/train/", "baselines/{pipeline}/1/baseline.json"):
        yield (call("make-baseline", "s3:ListBucket", bucket, {"s3:prefix": prefix}),)
    yield (call("make-baseline", "s3:PutObject", f"{bucket}/baselines/{{pipeline}}/1/baseline.json"),)
    yield (call("make-baseline", "sagemaker:InvokeEndpoint", arn("sagemaker", "endpoint/{pipeline}-dev")),)


def _retraining() -> Iterator[tuple[Recorded, ...]]:
    """What an alarm leads to; only some pipelines have it."""
    bucket, folder = "arn:aws:s3:::{artifacts}", "retraining/{pipeline}"
    pipeline = arn("codepipeline", "{pipeline}")
    starts = call("retrain", "codepipeline:StartPipelineExecution", pipeline)
    yield (starts, call("retrain", "codepipeline:ListPipelineExecutions", pipeline))
    yield (starts, call("retrain", "s3:ListBucketVersions", "arn:aws:s3:::{data}", {"s3:prefix": "{prefix}"}))
    for key in (f"{folder}/state.json", "releases/{pipeline}/1.json"):
        yield (starts, call("retrain", "s3:GetObject", f"{bucket}/{key}"))
    for prefix in (f"{folder}/state.json", "releases/{pipeline}/"):
        yield (starts, call("retrain", "s3:ListBucket", bucket, {"s3:prefix": prefix}))
    for name in ("state.json", "executions/ID.json", "decisions/DATE/ID.json"):
        yield (starts, call("retrain", "s3:PutObject", f"{bucket}/{folder}/{name}"))
    yield (starts, call("retrain", "sns:Publish", arn("sns", "{pipeline}-approvals")))
    for service in ("s3", "sns"):
        through = {"kms:viaservice": f"{service}.{{region}}.amazonaws.com"}
        for action in ("Decrypt", "GenerateDataKey"):
            yield (starts, call("retrain", f"kms:{action}", "{key}", through))
    function = arn("lambda", "function:{pipeline}-retrain")
    for rule in ("retrain-schedule", "on-new-data"):
        invoked = {**IN_ACCOUNT, "aws:sourcearn": arn("events", f"rule/{{pipeline}}-{rule}")}
        yield (starts, by("events.amazonaws.com", "lambda:InvokeFunction", function, invoked))
    assumed = {**IN_ACCOUNT, "aws:sourcearn": function}
    for context in (IN_ACCOUNT, assumed):
        yield (starts, by("lambda.amazonaws.com", "sts:AssumeRole", "{role: retrain}", context))
    yield (starts, call("watch-traffic", "lambda:InvokeFunction", function))
    why = f"{folder}/executions/ID.json"
    yield (starts, call("gather-evidence", "s3:GetObject", f"{bucket}/{why}"))
    yield (starts, call("gather-evidence", "s3:ListBucket", bucket, {"s3:prefix": why}))


def _leaving() -> Iterator[tuple[Recorded, ...]]:
    """What is looked at when a stack is destroyed."""
    guard = "guard-destroy"
    yield (by("lambda.amazonaws.com", "sts:AssumeRole", "{role: guard-destroy}", {}),)
    yield (call(guard, "codepipeline:ListPipelineExecutions", arn("codepipeline", "{pipeline}")),)
    for stage in ("dev", "production"):
        yield (call(guard, "cloudformation:DescribeStacks", arn("cloudformation", f"stack/{{pipeline}}-{stage}/*")),)
    yield (call(guard, "cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*")),)
    for action in (
        "application-autoscaling:DescribeScalableTargets",
        *("sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints", "sagemaker:ListModels"),
        *("sagemaker:ListHyperParameterTuningJobs", "sagemaker:ListProcessingJobs", "sagemaker:ListTrainingJobs"),
        *("sagemaker:ListModelPackages", "sagemaker:ListTransformJobs", "tag:GetResources"),
    ):
        yield (call(guard, action, "*"),)


def deletions() -> Iterator[tuple[Recorded, ...]]:
    """What a destroy deletes of a pipeline with ``removal="destroy"``; only some build an image, or tune."""
    guard, image = "guard-destroy", arn("codepipeline", "{pipeline}-image")
    yield (call(guard, "codepipeline:ListPipelineExecutions", image),)
    for name in (arn("codepipeline", "{pipeline}"), image):
        yield (call(guard, "codepipeline:StopPipelineExecution", name),)
    for stage in ("Prepare",):
        yield (call(guard, "codepipeline:DisableStageTransition", arn("codepipeline", f"{{pipeline}}/{stage}")),)
    for stage in ("Build",):
        yield (call(guard, "codepipeline:DisableStageTransition", f"{image}/{stage}"),)
    for action, name in (
        ("StopTrainingJob", "{training job}"),
        # An execution that began before its pipeline tuned: its training job still runs.
        ("StopTrainingJob", arn("sagemaker", "training-job/{pipeline}-HEX")),
        ("StopHyperParameterTuningJob", "{tuning job}"),
        ("StopHyperParameterTuningJob", arn("sagemaker", "hyper-parameter-tuning-job/{pipeline}-HEX")),
        ("StopProcessingJob", arn("sagemaker", "processing-job/{pipeline}-HEX")),
        ("StopTransformJob", arn("sagemaker", "transform-job/{pipeline}-batch-HEX")),
        ("DeleteModelPackage", PACKAGE),
    ):
        yield (call(guard, f"sagemaker:{action}", name),)
    tagged = {"aws:resourcetag/mlops:pipeline": "{pipeline}"}
    for action, kind in (("DeleteEndpointConfig", "endpoint-config"), ("DeleteModel", "model")):
        yield (call(guard, f"sagemaker:{action}", arn("sagemaker", f"{kind}/ID"), tagged),)
    targets = {"application-autoscaling:service-namespace": "sagemaker"}
    target = arn("application-autoscaling", "scalable-target/ID")
    yield (call(guard, "application-autoscaling:DeregisterScalableTarget", target, targets),)
    for stage in ("dev", "production"):
        endpoint = f"{{pipeline}}-{stage}"
        group = f"{arn('logs', f'log-group:/aws/sagemaker/Endpoints/{endpoint}')}:log-stream:"
        yield (call(guard, "cloudformation:DeleteStack", arn("cloudformation", f"stack/{endpoint}/*")),)
        yield (call(guard, "sagemaker:DeleteEndpoint", arn("sagemaker", f"endpoint/{endpoint}")),)
        yield (call(guard, "cloudwatch:DeleteAlarms", arn("cloudwatch", f"alarm:{endpoint}-ServerErrors-ID")),)
        yield (call(guard, "logs:DeleteLogGroup", group),)
