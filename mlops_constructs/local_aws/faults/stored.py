"""The things of the account that a fault names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.fault import fits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlops_constructs.local_aws.cloudformation.stack import Stack
    from mlops_constructs.local_aws.local_aws import LocalAws


def newest_object(aws: LocalAws, name: str) -> tuple[str, str]:
    """Return bucket and key of the newest object that is named; its name is compared with ``BUCKET/KEY`` and with KEY.

    Raises:
        FaultError: when there is none.
    """
    s3 = aws.client("s3")
    found = []
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for one in page.get("Contents", []):
                key = one["Key"]
                if fits(name, f"{bucket['Name']}/{key}", key, key.rpartition("/")[2]):
                    found.append((one["LastModified"], bucket["Name"], key))
    if not found:
        raise FaultError(f"no object is named {name!r}")
    _, bucket_name, key = max(found)
    return bucket_name, key


def key_of(aws: LocalAws, name: str) -> str:
    """Return the id of the key with this id or alias."""
    kms = aws.client("kms")
    aliases = {one["AliasName"]: one.get("TargetKeyId", "") for one in kms.list_aliases()["Aliases"]}
    keys = {one["KeyId"]: one["KeyId"] for one in kms.list_keys()["Keys"]}
    names: dict[str, str] = {
        **keys,
        **{alias.removeprefix("alias/"): key for alias, key in aliases.items() if key in keys},
    }
    return names[_only("key", name, names)]


def queue_of(aws: LocalAws, name: str) -> str:
    """Return the URL of the queue with this name."""
    urls: dict[str, str] = {one.rpartition("/")[2]: one for one in aws.client("sqs").list_queues().get("QueueUrls", [])}
    return urls[_only("queue", name, urls)]


def denying(aws: LocalAws, url: str) -> str:
    """Return the policy of a queue, with a statement that denies every message."""
    found = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "QueueArn"])["Attributes"]
    policy: dict[str, Any] = json.loads(found.get("Policy", '{"Version": "2012-10-17", "Statement": []}'))
    denied = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": found["QueueArn"]}
    return json.dumps({**policy, "Statement": [*policy["Statement"], denied]})


def stack_of(aws: LocalAws, name: str) -> Stack:
    """Return the stack with this name."""
    stacks = {one.name: one for one in aws.cloudformation.stacks.values() if one.deleted is None}
    return stacks[_only("stack", name, stacks)]


def _delete_object(aws: LocalAws, name: str) -> str:
    bucket, key = newest_object(aws, name)
    s3 = aws.client("s3")
    version = s3.head_object(Bucket=bucket, Key=key).get("VersionId")
    s3.delete_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
    return f"version {version} of s3://{bucket}/{key} was deleted" if version else f"s3://{bucket}/{key} was deleted"


def _delete_endpoint(aws: LocalAws, name: str) -> str:
    sagemaker = aws.client("sagemaker")
    pages = sagemaker.get_paginator("list_endpoints").paginate()
    endpoint = _only("endpoint", name, [one["EndpointName"] for page in pages for one in page["Endpoints"]])
    sagemaker.delete_endpoint(EndpointName=endpoint)
    return f"the endpoint {endpoint} was deleted"


def _delete_package(aws: LocalAws, name: str) -> str:
    sagemaker = aws.client("sagemaker")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    group = _only("model package group", name, [one["ModelPackageGroupName"] for one in groups])
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    if not listed:
        raise FaultError(f"the model package group {group} is empty")
    newest = max(listed, key=lambda one: one["ModelPackageVersion"])["ModelPackageArn"]
    sagemaker.delete_model_package(ModelPackageName=newest)
    return f"the model package {newest} was deleted"


def _delete_rule(aws: LocalAws, name: str) -> str:
    events = aws.client("events")
    rule = _only("rule", name, [one["Name"] for one in events.list_rules()["Rules"]])
    events.delete_rule(Name=rule, Force=True)
    return f"the rule {rule} was deleted"


def _delete_topic(aws: LocalAws, name: str) -> str:
    sns = aws.client("sns")
    topics = {one["TopicArn"].rpartition(":")[2]: one["TopicArn"] for one in sns.list_topics()["Topics"]}
    topic = _only("topic", name, topics)
    sns.delete_topic(TopicArn=topics[topic])
    return f"the topic {topic} was deleted"


def _delete_parameter(aws: LocalAws, name: str) -> str:
    ssm = aws.client("ssm")
    listed = [one["Name"] for page in ssm.get_paginator("describe_parameters").paginate() for one in page["Parameters"]]
    names = {one.strip("/").replace("/", "-"): one for one in listed}
    parameter = names[_only("parameter", name.strip("/").replace("/", "-"), names)]
    ssm.delete_parameter(Name=parameter)
    return f"the parameter {parameter} was deleted"


def _delete_stack_resource(aws: LocalAws, name: str) -> str:
    stack_name, slash, logical_id = name.partition("/")
    if not slash:
        raise FaultError(f"a resource of a stack is named STACK/LOGICAL_ID, got {name!r}")
    stack = stack_of(aws, stack_name)
    resource = stack.resources[_only(f"resource of {stack.name}", logical_id, stack.resources)]
    delete = _RESOURCES.get(resource.type)
    if delete is None:
        raise FaultError(f"the local AWS does not delete {resource.type} by hand; it deletes: {', '.join(_RESOURCES)}")
    service, operation, member = delete
    # The name in an ARN of SageMaker is in lower case.
    found = str(resource.attributes.get(member) or resource.physical_id.rpartition("/")[2])
    getattr(aws.client(service), operation)(**{member: [found] if member.endswith("s") else found})
    return f"{resource.logical_id} ({found}) of the stack {stack.name} was deleted"


_RESOURCES: Mapping[str, tuple[str, str, str]] = {
    "AWS::SageMaker::Endpoint": ("sagemaker", "delete_endpoint", "EndpointName"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "delete_endpoint_config", "EndpointConfigName"),
    "AWS::SageMaker::Model": ("sagemaker", "delete_model", "ModelName"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "delete_alarms", "AlarmNames"),
}
DELETERS: Mapping[str, Callable[[LocalAws, str], str]] = {
    "object": _delete_object,
    "endpoint": _delete_endpoint,
    "stack-resource": _delete_stack_resource,
    "model-package": _delete_package,
    "rule": _delete_rule,
    "topic": _delete_topic,
    "parameter": _delete_parameter,
}


def _only(kind: str, name: str, names: Iterable[str]) -> str:
    """Return the one name that is meant."""
    there = sorted(names)
    found = [one for one in there if one == name] or [one for one in there if fits(name, one)]
    if len(found) != 1:
        which = f"several are: {', '.join(found)}" if found else f"there are: {', '.join(there) or 'none'}"
        raise FaultError(f"no single {kind} is named {name!r}; {which}")
    return found[0]
