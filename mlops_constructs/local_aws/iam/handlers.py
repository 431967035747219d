"""The permissions that CloudFormation's handlers need in the role of a stack.

The registry's schema of a resource type lists the actions that its handlers call: not only the call that creates the
resource, but also calls that read it back and set CloudFormation's own tags.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .calls import Check
from .request import Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .calls import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """The handlers of one resource type.

    Attributes:
        resource: Service and the part of the ARN after the account, with ``{}`` for the physical name.
        create: Actions that create the resource and read it back.
        read: Actions that read it; a drift detection calls them, and an update that needs the present state.
        update: Actions that update it.
        delete: Actions that delete it.
        unless: Actions of the registry that are called only for a resource with a certain property: action to property.
            With an empty property the action is never called.
    """

    resource: str
    create: tuple[str, ...]
    read: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    unless: Mapping[str, str] = field(default_factory=dict)

    def actions(self, verb: str, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the actions that a handler calls for a resource with these properties."""
        by_verb = {"create": self.create, "read": self.read, "update": self.update, "delete": self.delete}
        return tuple(
            action for action in by_verb[verb] if action not in self.unless or self.unless[action] in properties
        )


_LAMBDA = (
    "lambda:GetProvisionedConcurrencyConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "lambda:DeleteProvisionedConcurrencyConfig",
)
# `integrations` contains these actions as Auto Scaling's permission validation.
_ALARMS = ("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms")
_TAGS = ("sagemaker:AddTags", "sagemaker:DeleteTags")

HANDLERS: Mapping[str, Handlers] = {
    "AWS::CloudWatch::Alarm": Handlers(
        resource="cloudwatch:alarm:{}",
        create=(
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:TagResource",
            "cloudwatch:ListTagsForResource",
        ),
        read=("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
        update=(
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
            "cloudwatch:ListTagsForResource",
        ),
        delete=("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"),
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": Handlers(
        resource="application-autoscaling:scalable-target/{}",
        create=(
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:TagResource",
            "application-autoscaling:ListTagsForResource",
            "iam:PassRole",
            "iam:CreateServiceLinkedRole",
            *_ALARMS,
            *_LAMBDA,
        ),
        read=(
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:ListTagsForResource",
        ),
        update=(
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:DeleteScheduledAction",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:TagResource",
            "application-autoscaling:UntagResource",
            "application-autoscaling:ListTagsForResource",
            *_ALARMS,
            *_LAMBDA,
        ),
        delete=("application-autoscaling:DeregisterScalableTarget",),
        unless={
            "application-autoscaling:PutScheduledAction": "ScheduledActions",
            "application-autoscaling:DeleteScheduledAction": "ScheduledActions",
            "iam:PassRole": "RoleARN",
            **dict.fromkeys((*_ALARMS, *_LAMBDA), ""),
        },
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Handlers(
        resource="application-autoscaling:scalable-target/{}",
        create=(
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:PutScalingPolicy",
            "cloudwatch:GetMetricData",
        ),
        read=("application-autoscaling:DescribeScalingPolicies",),
        update=(
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:PutScalingPolicy",
            "cloudwatch:GetMetricData",
        ),
        delete=("application-autoscaling:DescribeScalingPolicies", "application-autoscaling:DeleteScalingPolicy"),
        # A forecast reads metrics; target tracking does not.
        unless={"cloudwatch:GetMetricData": "PredictiveScalingPolicyConfiguration"},
    ),
    "AWS::SageMaker::Endpoint": Handlers(
        resource="sagemaker:endpoint/{}",
        create=("sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:AddTags"),
        read=("sagemaker:DescribeEndpoint", "sagemaker:ListTags"),
        update=("sagemaker:UpdateEndpoint", "sagemaker:DescribeEndpoint", *_TAGS),
        delete=("sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"),
    ),
    "AWS::SageMaker::EndpointConfig": Handlers(
        resource="sagemaker:endpoint-config/{}",
        create=("sagemaker:CreateEndpointConfig", "sagemaker:AddTags", "iam:PassRole", "kms:DescribeKey"),
        read=("sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"),
        update=_TAGS,
        delete=("sagemaker:DeleteEndpointConfig",),
        unless={"iam:PassRole": "ExecutionRoleArn", "kms:DescribeKey": "KmsKeyId"},
    ),
    "AWS::SageMaker::Model": Handlers(
        resource="sagemaker:model/{}",
        create=("iam:PassRole", "sagemaker:AddTags", "sagemaker:CreateModel"),
        read=("sagemaker:DescribeModel", "sagemaker:ListTags"),
        update=_TAGS,
        delete=("sagemaker:DeleteModel",),
        unless={"iam:PassRole": "ExecutionRoleArn"},
    ),
}
"""By resource type, for the types that the local AWS supports. The lists are the registry's, complete."""

_ON_ALL = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudwatch:GetMetricData",
}
_SCALING_ROLE = "sagemaker.application-autoscaling.amazonaws.com"


def handler_checks(
    resource_type: str, verb: str, name: str, properties: Mapping[str, Any], site: Site
) -> tuple[Check, ...]:
    """Return the permissions that the role of a stack needs for one resource; none for a type that is not listed.

    Args:
        resource_type: Such as ``AWS::SageMaker::Model``.
        verb: ``create``, ``read``, ``update`` or ``delete``.
        name: Physical name of the resource.
        properties: Properties of the resource, resolved.
        site: Partition, region and account of the stack.
    """
    handlers = HANDLERS.get(resource_type)
    if handlers is None:
        return ()
    service, _, resource = handlers.resource.partition(":")
    arn = site.arn(service, resource.format(name))
    return tuple(_check(action, arn, properties, site) for action in handlers.actions(verb, properties))


def _check(action: str, arn: str, properties: Mapping[str, Any], site: Site) -> Check:
    if action in _ON_ALL:
        return Check(action)
    if action == "cloudwatch:DescribeAlarms":
        return Check(action, site.arn("cloudwatch", "alarm:*"))
    if action == "kms:DescribeKey":
        key = str(properties["KmsKeyId"])
        return Check(action, key if key.startswith("arn:") else site.arn("kms", f"key/{key}"))
    if action == "iam:PassRole":
        role = str(properties.get("ExecutionRoleArn") or properties.get("RoleARN"))
        return Check(action, role, Context({"iam:PassedToService": _service_of(arn)}))
    if action == "iam:CreateServiceLinkedRole":
        role = f"arn:{site.partition}:iam::{site.account}:role/aws-service-role/{_SCALING_ROLE}/*"
        return Check(action, role, Context({"iam:AWSServiceName": _SCALING_ROLE}))
    return Check(action, arn)


def _service_of(arn: str) -> str:
    return f"{arn.split(':')[2]}.amazonaws.com"
