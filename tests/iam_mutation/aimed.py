"""Calls that only a condition, or a statement that denies, keeps a role from: each breaks one of them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from iam_mutation.jobs import refused
from iam_mutation.requests import Recorded
from iam_mutation.stacks import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iam_mutation.modes import Serving
    from iam_mutation.pipelines import Pipeline
    from iam_mutation.programs import Program

_ELSEWHERE = "999999999999"
_OTHER = "other-1a2b3c"
_SCALING = "application-autoscaling"
_LINKED = "sagemaker.application-autoscaling.amazonaws.com"
_LINKED_ROLE = f"role/aws-service-role/{_LINKED}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def aimed(program: Program) -> Iterator[Recorded]:
    """Give the calls for the roles, buckets, keys and queues of a stack."""
    for pipeline in program.pipelines:
        site = _Site(program, pipeline)
        for rows in (_deliver, _deploy, _modes, _delete, _jobs, _judge, _listings, _batches):
            yield from filter(program.concerns, rows(site))
        yield from filter(program.concerns, refused(pipeline))
    yield from _trusts(program)
    yield from _resources(program)


class _Site:
    """One pipeline, and the keys and buckets of its stack."""

    def __init__(self, program: Program, pipeline: Pipeline) -> None:
        self.name, self.arn, self.role = pipeline.name, pipeline.arn, pipeline.role
        self.region = pipeline.region
        self.key, self.artifacts = pipeline.key, f"arn:aws:s3:::{pipeline.artifacts}"
        self.data, self.folders = f"arn:aws:s3:::{pipeline.data}", pipeline.folders
        self._types, self._roles, self._pipelines = pipeline.instance_types, {*program.roles}, program.pipelines
        self.serving = pipeline.serving

    def others(self, purposes: Sequence[str]) -> set[str]:
        """Give the roles of the stack without those that are for these purposes, in any pipeline."""
        return self._roles - {pipeline.role(one) for pipeline in self._pipelines for one in purposes}

    def types(self, purpose: str) -> Sequence[str]:
        return self._types.get(purpose, ())

    def call(self, purpose: str, action: str, resource: str, **keys: Any) -> Recorded:
        return Recorded(self.role(purpose), action, resource, _context(keys))


def _context(keys: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Write condition keys: ``aws__SourceArn`` is ``aws:SourceArn``; a value, or a list of values."""
    listed = {key.replace("__", ":").lower(): value for key, value in keys.items() if value is not None}
    texts = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in listed.items()}
    return tuple(sorted(texts.items()))


def _deliver(site: _Site) -> Iterator[Recorded]:
    """What the pipeline's role hands over, and to whom."""
    dev, production = site.role("deploy-dev"), site.role("deploy-production")
    for action in ("CreateStack", "UpdateStack"):
        stack = site.arn("cloudformation", f"stack/{site.name}-dev/*")
        yield site.call("pipeline", f"cloudformation:{action}", stack, cloudformation__RoleArn=production)
        yield site.call("pipeline", f"cloudformation:{action}", stack)
    stack = site.arn("cloudformation", f"stack/{site.name}-production/*")
    yield site.call("pipeline", "cloudformation:CreateChangeSet", stack, cloudformation__RoleArn=dev)
    for action in ("CreateStack", "UpdateStack", "DeleteStack"):
        yield site.call("pipeline", f"cloudformation:{action}", stack, cloudformation__RoleArn=production)
    yield site.call("record-decision", "cloudformation:DeleteStack", stack, cloudformation__RoleArn=dev)
    yield site.call("record-decision", "cloudformation:DeleteStack", stack)
    yield site.call("retire-dev", "cloudformation:DeleteStack", stack, cloudformation__RoleArn=production)
    stack = site.arn("cloudformation", f"stack/{site.name}-dev/*")
    yield site.call("retire-dev", "cloudformation:DeleteStack", stack, cloudformation__RoleArn=production)
    yield site.call("retire-dev", "cloudformation:DeleteStack", stack)
    for passing, role, service in (
        ("record-decision", "deploy-production", "sagemaker"),
        ("retire-dev", "deploy-dev", "sagemaker"),
        ("pipeline", "deploy-dev", "sagemaker"),
        ("pipeline", "deploy-production", "sagemaker"),
        ("deploy-dev", "model-dev", "lambda"),
        ("deploy-production", "model-production", "lambda"),
        ("train-model", "training", "lambda"),
        ("run-evaluation", "evaluation", "lambda"),
        ("start-batch", "batch", "lambda"),
        ("batch-smoke-test", "batch", "lambda"),
    ):
        to = {"iam__PassedToService": f"{service}.amazonaws.com"}
        yield site.call(passing, "iam:PassRole", site.role(role), **to)


def _deploy(site: _Site) -> Iterator[Recorded]:
    """What the roles of the stacks may do to models, configurations and scaling, of this pipeline alone."""
    model, config = site.arn("sagemaker", "model/m"), site.arn("sagemaker", "endpoint-config/c")
    target = site.arn(_SCALING, "scalable-target/ID")
    ours, theirs = site.name, _OTHER
    for stage, other in (("dev", "production"), ("production", "dev")):
        deploy = f"deploy-{stage}"
        tagged = {"aws__RequestTag/mlops:pipeline": ours}
        serving, isolated = site.serving[stage], {"sagemaker__NetworkIsolation": "true"}
        yield site.call(
            deploy, "sagemaker:CreateModel", model, **{"aws__RequestTag/mlops:pipeline": theirs}, **isolated
        )
        # SageMaker does not support it for serverless endpoints.
        if serving.has_instances:
            yield site.call(deploy, "sagemaker:CreateModel", model, **tagged, sagemaker__NetworkIsolation="false")
            yield site.call(deploy, "sagemaker:CreateModel", model, **tagged)
        for made in (model, config):
            yield site.call(deploy, "sagemaker:AddTags", made, **{"aws__RequestTag/mlops:pipeline": theirs})
            yield site.call(deploy, "sagemaker:AddTags", made, **tagged, **{"aws__ResourceTag/mlops:pipeline": theirs})
            yield site.call(deploy, "sagemaker:DeleteTags", made, **{"aws__ResourceTag/mlops:pipeline": theirs})
        types = serving.sizes or {"sagemaker__InstanceTypes": site.types(deploy)}
        yield site.call(
            deploy, "sagemaker:CreateEndpointConfig", config, **{"aws__RequestTag/mlops:pipeline": theirs}, **types
        )
        for other_types in ("ml.p3.16xlarge", None):
            types = {"sagemaker__InstanceTypes": other_types}
            yield site.call(deploy, "sagemaker:CreateEndpointConfig", config, **tagged, **types)
        for action in ("CreateEndpoint", "UpdateEndpoint"):
            yield site.call(deploy, f"sagemaker:{action}", config, **{"aws__ResourceTag/mlops:pipeline": theirs})
        for described, resource in (("EndpointConfig", config), ("Model", model)):
            smoke, action = f"smoke-test-{stage}", f"sagemaker:Describe{described}"
            yield site.call(smoke, action, resource, **{"aws__ResourceTag/mlops:pipeline": theirs})
            yield site.call(smoke, action, resource)
        for action in ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"):
            for namespace, dimension in (
                ("dynamodb", "sagemaker:variant:DesiredInstanceCount"),
                ("sagemaker", "dynamodb:table:ReadCapacityUnits"),
            ):
                keys = {f"{_SCALING}__service-namespace": namespace, f"{_SCALING}__scalable-dimension": dimension}
                yield site.call(deploy, f"{_SCALING}:{action}", target, **keys)
        linked = f"arn:aws:iam::{ACCOUNT}:{_LINKED_ROLE}"
        yield site.call(deploy, "iam:CreateServiceLinkedRole", linked, iam__AWSServiceName="lex.amazonaws.com")
        endpoint = site.arn("sagemaker", f"endpoint/{site.name}-{other}")
        for action in ("UpdateEndpointWeightsAndCapacities", "DeleteEndpoint", "UpdateEndpoint", "AddTags"):
            yield site.call(deploy, f"sagemaker:{action}", endpoint)
        alarm = site.arn("cloudwatch", f"alarm:{site.name}-{other}-errors")
        yield site.call(deploy, "cloudwatch:DeleteAlarms", alarm)


def _modes(site: _Site) -> Iterator[Recorded]:
    """What only the endpoints of another mode do, what is larger, and what is in the folder of another endpoint."""
    for stage, other in (("dev", "production"), ("production", "dev")):
        serving, test = site.serving[stage], f"smoke-test-{stage}"
        answers = "InvokeEndpoint" if serving.mode == "asynchronous" else "InvokeEndpointAsync"
        yield site.call(test, f"sagemaker:{answers}", site.arn("sagemaker", f"endpoint/{site.name}-{stage}"))
        yield from _queues(site, stage, other)
        if not serving.has_instances:
            yield from _serverless(site, stage, serving)


def _serverless(site: _Site, stage: str, serving: Serving) -> Iterator[Recorded]:
    """What needs instances, and what is larger than configured."""
    deploy, model = f"deploy-{stage}", f"model-{stage}"
    tagged, types = {"aws__RequestTag/mlops:pipeline": site.name}, {"sagemaker__InstanceTypes": "ml.m5.large"}
    for sizes in (*_larger(serving.sizes), {}, types, {**serving.sizes, **types}):
        config = site.arn("sagemaker", "endpoint-config/c")
        yield site.call(deploy, "sagemaker:CreateEndpointConfig", config, **tagged, **sizes)
    yield site.call(deploy, "cloudwatch:PutMetricAlarm", site.arn("cloudwatch", f"alarm:{site.name}-{stage}-errors"))
    scaled = {
        f"{_SCALING}__service-namespace": "sagemaker",
        f"{_SCALING}__scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
    yield site.call(deploy, f"{_SCALING}:RegisterScalableTarget", site.arn(_SCALING, "scalable-target/ID"), **scaled)
    yield site.call(deploy, "kms:DescribeKey", site.key)
    # Its container reads the model, and writes no objects.
    through_s3 = {"kms__ViaService": f"s3.{site.region}.amazonaws.com"}
    yield site.call(model, "kms:GenerateDataKey", site.key, **through_s3)
    yield site.call(model, "kms:CreateGrant", site.key, kms__GrantIsForAWSResource="true")
    captured = f"capture/{site.name}/{stage}/{site.name}-{stage}/primary/1.jsonl"
    yield site.call(model, "s3:PutObject", f"{site.artifacts}/{captured}")


def _larger(sizes: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Give configurations that are larger in one size, and those that do not say one."""
    for key, most in sizes.items():
        yield {**sizes, key: str(int(most) + 1)}
        yield {one: value for one, value in sizes.items() if one != key}


def _queues(site: _Site, stage: str, other: str) -> Iterator[Recorded]:
    """What nobody may do with the requests and responses of an asynchronous endpoint."""
    model, test = f"model-{stage}", f"smoke-test-{stage}"
    night_run = f"arn:aws:iam::{ACCOUNT}:role/night-run"
    own, theirs = (f"{site.artifacts}/async/{site.name}/{name}" for name in (stage, other))
    foreign = f"{site.artifacts}/async/{_OTHER}/{stage}"
    for folder in (theirs, foreign):
        yield site.call(model, "s3:GetObject", f"{folder}/input/1.csv")
        yield site.call(test, "s3:PutObject", f"{folder}/input/smoke-test/1.csv")
        for kind in ("output", "failure"):
            yield site.call(model, "s3:PutObject", f"{folder}/{kind}/1.out")
            yield site.call(test, "s3:GetObject", f"{folder}/{kind}/1.out")
    # The container writes no requests; the smoke test neither responses nor the requests of applications.
    yield site.call(model, "s3:PutObject", f"{own}/input/1.csv")
    yield site.call(test, "s3:PutObject", f"{own}/input/1.csv")
    yield site.call(test, "s3:PutObject", f"{own}/output/1.out")
    yield site.call(test, "s3:GetObject", f"{own}/input/1.csv")
    yield site.call(model, "sns:Publish", site.arn("sns", f"{site.name}-approvals"))
    yield site.call(test, "sagemaker:InvokeEndpointAsync", site.arn("sagemaker", f"endpoint/{site.name}-{other}"))
    prefixes = (f"async/{site.name}/{other}/output/", f"async/{_OTHER}/{stage}/output/", f"async/{site.name}/{stage}/")
    for prefix in (*prefixes, "datasets/", None):
        yield site.call(test, "s3:ListBucket", site.artifacts, s3__prefix=prefix)
        if stage == "production":
            listed = _context({"s3__prefix": prefix})
            yield Recorded(night_run, "s3:ListBucket", site.artifacts, listed)
    if stage == "production":
        for action, name in (("PutObject", "output/1.out"), ("GetObject", "input/1.csv"), ("DeleteObject", "input/1")):
            yield Recorded(night_run, f"s3:{action}", f"{own}/{name}")
        for folder in (theirs, foreign):
            yield Recorded(night_run, "s3:PutObject", f"{folder}/input/1.csv")
            yield Recorded(night_run, "s3:GetObject", f"{folder}/output/1.out")
        dev = site.arn("sagemaker", f"endpoint/{site.name}-dev")
        yield Recorded(night_run, "sagemaker:InvokeEndpointAsync", dev)


def _delete(site: _Site) -> Iterator[Recorded]:
    """What a destroy may not delete: the models of others, and what other services scale."""
    for action, kind in (("DeleteModel", "model"), ("DeleteEndpointConfig", "endpoint-config")):
        for tags in ({"aws__ResourceTag/mlops:pipeline": _OTHER}, {}):
            yield site.call("guard-destroy", f"sagemaker:{action}", site.arn("sagemaker", f"{kind}/x"), **tags)
    target = site.arn(_SCALING, "scalable-target/ID")
    keys = {f"{_SCALING}__service-namespace": "dynamodb"}
    yield site.call("guard-destroy", f"{_SCALING}:DeregisterScalableTarget", target, **keys)


def _jobs(site: _Site) -> Iterator[Recorded]:
    """What jobs and models may cost, where they may send, and with which keys."""
    for purpose in (
        *("training", "train-model", "evaluation", "run-evaluation", "notebook"),
        *("batch", "start-batch", "batch-smoke-test"),
        *("model-dev", "model-production", "deploy-dev", "deploy-production"),
    ):
        yield site.call(purpose, "kms:CreateGrant", site.key, kms__GrantIsForAWSResource="false")
    for role in site.others(("pipeline", "image-pipeline")):
        for action in ("Decrypt", "GenerateDataKey"):
            yield Recorded(role, f"kms:{action}", site.key)
    for purpose in ("training", "evaluation", "batch", "model-dev", "model-production"):
        yield site.call(purpose, "cloudwatch:PutMetricData", "*", cloudwatch__namespace="AWS/Billing")
    for purpose in ("watch-traffic", "record-release"):
        yield site.call(purpose, "cloudwatch:PutMetricData", "*", cloudwatch__namespace="AWS/SageMaker")


def _judge(site: _Site) -> Iterator[Recorded]:
    """Who may give a model package which approval status."""
    package = site.arn("sagemaker", f"model-package/{site.name}/1")
    group = site.arn("sagemaker", f"model-package-group/{site.name}")
    update = "sagemaker:UpdateModelPackage"
    for purpose, status in (
        ("evaluate-model", "Approved"),
        ("record-release", "Rejected"),
        ("record-release", "PendingManualApproval"),
        ("record-decision", "PendingManualApproval"),
        ("register-model", "Approved"),
        ("gather-evidence", "Approved"),
    ):
        yield site.call(purpose, update, package, sagemaker__ModelApprovalStatus=status)
    for made in (package, group):
        yield site.call(
            "register-model", "sagemaker:CreateModelPackage", made, sagemaker__ModelApprovalStatus="Approved"
        )
        yield site.call("register-model", "sagemaker:CreateModelPackage", made)


def _listings(site: _Site) -> Iterator[Recorded]:
    """Who may list which folder: none may list another pipeline's."""
    for purpose in ("training", "train-model", "check-dataset", "register-model", "record-release", "evaluation"):
        for folder in ("datasets", "models", "releases", "trained", "evaluations", "checkpoints"):
            yield site.call(purpose, "s3:ListBucket", site.artifacts, s3__prefix=f"{folder}/{_OTHER}/")
    for purpose, folders in (
        ("watch-traffic", ("capture", "ground-truth", "releases", "baselines", "monitoring", "ab")),
        ("make-baseline", ("datasets", "baselines")),
        ("retrain", ("retraining", "releases", "capture")),
        ("gather-evidence", ("retraining",)),
    ):
        for folder in folders:
            yield site.call(purpose, "s3:ListBucket", site.artifacts, s3__prefix=f"{folder}/{_OTHER}/1/")
    for purpose in (
        "place-variants",
        "judge-ab-test",
        "abort-ab-test",
        "record-decision",
        "gather-evidence",
        "notebook",
    ):
        for folder in ("ab", "capture", "ground-truth"):
            yield site.call(purpose, "s3:ListBucket", site.artifacts, s3__prefix=f"{folder}/{_OTHER}/record.json")
    # Who operates an A/B test, in examples/ab_test.
    operator = f"arn:aws:iam::{ACCOUNT}:role/product-managers"
    yield Recorded(operator, "s3:ListBucket", site.artifacts, _context({"s3__prefix": f"ab/{_OTHER}/"}))
    tagged = _context({"aws__ResourceTag/mlops:pipeline": _OTHER})
    for action, kind in (("DescribeModel", "model"), ("DescribeEndpointConfig", "endpoint-config")):
        yield Recorded(operator, f"sagemaker:{action}", site.arn("sagemaker", f"{kind}/name"), tagged)
    purposes = ["start-newest", "retrain", *(["check-dataset"] if f"{site.data}/" not in site.folders else [])]
    for purpose, action in itertools.product(purposes, ("ListBucket", "ListBucketVersions")):
        yield site.call(purpose, f"s3:{action}", site.data, s3__prefix=_OTHER)
        yield site.call(purpose, f"s3:{action}", site.data)


def _batches(site: _Site) -> Iterator[Recorded]:
    """What batches may not do: models and tags of others, models with a network, and other folders."""
    theirs, ours = ({"aws__RequestTag/mlops:pipeline": name} for name in (_OTHER, site.name))
    for purpose, kind in (("start-batch", "batch"), ("batch-smoke-test", "golden")):
        model, job = (site.arn("sagemaker", f"{one}/{site.name}-{kind}-HEX") for one in ("model", "transform-job"))
        isolated = {"sagemaker__NetworkIsolation": "true"}
        yield site.call(purpose, "sagemaker:CreateModel", model, **theirs, **isolated)
        yield site.call(purpose, "sagemaker:CreateModel", model, **isolated)
        yield site.call(purpose, "sagemaker:CreateModel", model, **ours, sagemaker__NetworkIsolation="false")
        yield site.call(purpose, "sagemaker:CreateModel", model, **ours)
        for made in (model, job):
            yield site.call(purpose, "sagemaker:AddTags", made, **theirs)
            yield site.call(purpose, "sagemaker:AddTags", made)
    for purpose in ("batch", "start-batch"):
        yield site.call(purpose, "s3:ListBucket", site.artifacts, s3__prefix=f"releases/{_OTHER}/")
        yield site.call(purpose, "s3:ListBucket", site.artifacts, s3__prefix=f"batch-tests/{_OTHER}/HEX/in/golden.csv")
    crm = f"arn:aws:iam::{ACCOUNT}:role/crm-export"
    for prefix in ("datasets/", "data/"):
        for purpose in ("batch", "start-batch", "record-batch"):
            for action in ("ListBucket", "ListBucketVersions"):
                yield site.call(purpose, f"s3:{action}", site.data, s3__prefix=prefix)
        yield Recorded(crm, "s3:ListBucket", site.data, _context({"s3__prefix": prefix}))


def _trusts(program: Program) -> Iterator[Recorded]:
    """Who may not assume a role: another service, and a service for another account."""
    for role, trust in program.trusts.items():
        yield Recorded("ec2.amazonaws.com", "sts:AssumeRole", role, _context({"aws__SourceAccount": ACCOUNT}))
        for statement in trust.statements:
            trusted = statement.principals.values if statement.principals else ()
            bound = any(condition.key.lower() == "aws:sourceaccount" for condition in statement.conditions)
            if bound:
                for service in trusted:
                    elsewhere = _context({"aws__SourceAccount": _ELSEWHERE})
                    yield Recorded(service.removeprefix("Service:"), "sts:AssumeRole", role, elsewhere)


def _resources(program: Program) -> Iterator[Recorded]:
    """What the policies of buckets, keys, queues, topics and functions refuse."""
    rule = f"arn:aws:events:{program.region}:{ACCOUNT}:rule/{_OTHER}-rule"
    keys = _context({"aws__SourceArn": rule, "aws__SourceAccount": _ELSEWHERE})
    events = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}
    for arn in program.resources:
        service = arn.split(":")[2]
        if service == "s3":
            yield from _without_tls(program, arn)
        elif service == "kms":
            yield from _key_elsewhere(program, arn)
        elif service in events:
            yield Recorded("events.amazonaws.com", events[service], arn, keys)
        if service == "sns":
            elsewhere = _context({"aws__SourceAccount": _ELSEWHERE})
            yield Recorded("cloudwatch.amazonaws.com", "sns:Publish", arn, elsewhere)


def _without_tls(program: Program, bucket: str) -> Iterator[Recorded]:
    plain = _context({"aws__SecureTransport": "false"})
    for role in program.roles:
        for action in ("ListBucket", "GetBucketLocation"):
            yield Recorded(role, f"s3:{action}", bucket, plain)
        for pipeline in program.pipelines:
            for key in (f"datasets/{pipeline.name}/x/request.json", "datasets/iris.json"):
                yield Recorded(role, "s3:GetObject", f"{bucket}/{key}", plain)


def _key_elsewhere(program: Program, key: str) -> Iterator[Recorded]:
    elsewhere = _context({"aws__SourceAccount": _ELSEWHERE})
    for service in ("events.amazonaws.com", "cloudwatch.amazonaws.com", "sns.amazonaws.com"):
        for action in ("Decrypt", "GenerateDataKey"):
            yield Recorded(service, f"kms:{action}", key, elsewhere)
    logs = f"logs.{program.region}.amazonaws.com"
    group = f"arn:aws:logs:{program.region}:{_ELSEWHERE}:log-group:x"
    foreign = _context({"kms__EncryptionContext:aws:logs:arn": group})
    for action in ("Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "DescribeKey"):
        yield Recorded(logs, f"kms:{action}", key, foreign)
