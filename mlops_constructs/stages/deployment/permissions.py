"""Policies of the roles that deploy one endpoint and that serve behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.network import network_permissions
from ..._aws.policy import allow, deny, pass_role, pull_image
from .template import PIPELINE_TAG, SCALABLE_DIMENSION

if TYPE_CHECKING:
    from ..._aws.environment import Environment
    from ..._aws.policy import Statement

_SCALING = "sagemaker.application-autoscaling.amazonaws.com"


def serving_permissions(env: Environment, endpoint: str, image_arn: str) -> list[Statement]:
    """What the serving container's role needs: its model, captured requests, its image, logs and metrics."""
    stores = env.stores
    captured = f"{stores.artifact_bucket_arn}/{stores.own('capture', endpoint.removeprefix(f'{env.name}-'))}/*"
    return [
        allow("s3:GetObject", stores.own_arn("models")),
        allow("s3:PutObject", captured),
        use_key(stores.key_arn),
        use_key_for_volumes(stores.key_arn),
        *pull_image(image_arn),
        *network_permissions(env),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            env.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{endpoint}*"),
        ),
        allow(
            "cloudwatch:PutMetricData",
            "*",
            when={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}},
        ),
        # SageMaker watches the rollback alarms with this role; the call is authorized on all alarms.
        allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*")),
    ]


def deploy_permissions(env: Environment, model_role_arn: str, endpoint: str, other: str) -> list[Statement]:
    """What CloudFormation needs to make, change and delete exactly one endpoint; ``other`` is the second one."""
    stores = env.stores
    return [
        *_models_and_configs(env),
        *_one_endpoint(env, endpoint),
        pass_role(model_role_arn, "sagemaker.amazonaws.com"),
        *_alarms(env, endpoint),
        *_scaling(env),
        *_probes(env, other),
        use_key_for_volumes(stores.key_arn),
        allow("kms:DescribeKey", stores.key_arn),
    ]


def _models_and_configs(env: Environment) -> list[Statement]:
    """Make, read and delete models and configurations.

    CloudFormation chooses their names, so they are identified by a tag. A call that creates one needs AddTags too, when
    the resource has no tags yet: without that condition, another pipeline's could be given our tag.
    https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
    """
    models, configs = env.arn("sagemaker", "model/*"), env.arn("sagemaker", "endpoint-config/*")
    requested = {f"aws:RequestTag/{PIPELINE_TAG}": env.name}
    tagged = {"StringEquals": {f"aws:ResourceTag/{PIPELINE_TAG}": env.name}}
    return [
        allow(
            "sagemaker:CreateModel",
            models,
            when={"StringEquals": requested, "Bool": {"sagemaker:NetworkIsolation": "true"}},
        ),
        allow("sagemaker:CreateEndpointConfig", configs, when={"StringEquals": requested}),
        allow(
            "sagemaker:AddTags",
            [models, configs],
            when={"StringEquals": requested, "Null": {f"aws:ResourceTag/{PIPELINE_TAG}": "true"}},
        ),
        allow(
            [
                "sagemaker:AddTags",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:DeleteTags",
            ],
            [models, configs],
            when=tagged,
        ),
        # Without the condition: of a resource that is gone, CloudFormation must read that, not "access denied".
        allow(["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel", "sagemaker:ListTags"], [models, configs]),
        allow(["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], configs, when=tagged),
    ]


def _one_endpoint(env: Environment, endpoint: str) -> list[Statement]:
    return [
        allow(
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteTags",
                "sagemaker:DescribeEndpoint",
                "sagemaker:ListTags",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            env.arn("sagemaker", f"endpoint/{endpoint}"),
        )
    ]


def _alarms(env: Environment, endpoint: str) -> list[Statement]:
    """Make the rollback alarms, whose names begin with that of the stack, and those of target tracking.

    CloudFormation tags every alarm of a stack.
    """
    return [
        allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*")),
        allow(
            [
                "cloudwatch:DeleteAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
            [
                env.arn("cloudwatch", f"alarm:{endpoint}-*"),
                env.arn("cloudwatch", f"alarm:TargetTracking-endpoint/{endpoint}/*"),
            ],
        ),
    ]


def _scaling(env: Environment) -> list[Statement]:
    """Register the variant; Application Auto Scaling chooses the ids of scalable targets."""
    targets = env.arn("application-autoscaling", "scalable-target/*")
    variants = {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": SCALABLE_DIMENSION,
    }
    return [
        allow(
            [
                "application-autoscaling:DeleteScalingPolicy",
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:RegisterScalableTarget",
            ],
            targets,
            when={"StringEquals": variants},
        ),
        allow(
            [
                "application-autoscaling:ListTagsForResource",
                "application-autoscaling:TagResource",
                "application-autoscaling:UntagResource",
            ],
            targets,
        ),
        # These actions take no resource, hence `*`.
        allow(
            [
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
                "application-autoscaling:DescribeScheduledActions",
            ],
            "*",
        ),
        allow(
            "iam:CreateServiceLinkedRole",
            f"arn:{env.partition}:iam::{env.account_id}:role/aws-service-role/{_SCALING}/*",
            when={"StringEquals": {"iam:AWSServiceName": _SCALING}},
        ),
    ]


def _probes(env: Environment, other: str) -> list[Statement]:
    """What Application Auto Scaling tries with its caller's rights before it registers a target or takes a policy.

    It calls PutMetricAlarm and DeleteAlarms without a name, which is authorized on the ARN of an alarm with an empty
    name, and SageMaker with names that no endpoint has (DescribeEndpointConfig too, which any name is allowed for
    already). Where one is denied, so is the registration.
    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
    """
    return [
        allow(["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"], env.arn("cloudwatch", "alarm:")),
        allow(
            ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
            env.arn("sagemaker", "endpoint/*"),
        ),
        # The pattern covers the second endpoint too.
        deny("sagemaker:UpdateEndpointWeightsAndCapacities", env.arn("sagemaker", f"endpoint/{other}")),
    ]
