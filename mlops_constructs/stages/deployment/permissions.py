"""Policies of the roles of one endpoint: the role that deploys it, and the role of its serving container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.keys import read_with_key, use_key, use_key_for_volumes
from ..._aws.network import network_permissions
from ..._aws.policy import allow, deny, pass_role, pull_image
from ..._aws.tagging import PIPELINE_TAG
from .autoscaling import SCALABLE_DIMENSION
from .mode_permissions import isolation, payloads, sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import Endpoint

_SCALING = "sagemaker.application-autoscaling.amazonaws.com"
# Scheduled actions also without office hours: a release removes those that there were, and a rollback puts them back.
_CHANGES = (
    *("DeleteScalingPolicy", "DeleteScheduledAction", "DeregisterScalableTarget"),
    *("PutScalingPolicy", "PutScheduledAction", "RegisterScalableTarget"),
)


def serving_permissions(env: Environment, endpoint: str, image_arn: str, config: Endpoint) -> list[Statement]:
    """Return what the serving container's role needs: for its model, kept requests, image, logs and metrics.

    Args:
        env: Where it is deployed.
        endpoint: Name of the endpoint.
        image_arn: ARN of the ECR repository of the image.
        config: The endpoint.
    """
    stores = env.stores
    has_volumes = config.mode != "serverless"
    return [
        allow("s3:GetObject", stores.own_arn("models")),
        *payloads(env, endpoint.removeprefix(f"{env.name}-"), config),
        # A serverless endpoint keeps no requests: its container only reads.
        *([use_key(stores), *use_key_for_volumes(stores.key_arn)] if has_volumes else [read_with_key(stores)]),
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
        # SageMaker watches the rollback alarms with this role; AWS authorizes this action on all alarms.
        *([] if config.rollout is None else [allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*"))]),
    ]


def deploy_permissions(
    env: Environment,
    model_role_arn: str,
    endpoint: str,
    other: str,
    instance_types: Sequence[str],
    config: Endpoint,
) -> list[Statement]:
    """Return what CloudFormation needs to create, update and delete ``endpoint``, and not ``other``."""
    stores = env.stores
    always = [
        *_models_and_configs(env, instance_types, config),
        *_one_endpoint(env, endpoint),
        pass_role(model_role_arn, "sagemaker.amazonaws.com"),
    ]
    if config.mode == "serverless":
        return [*always, allow("sagemaker:DescribeEndpoint", env.arn("sagemaker", f"endpoint/{endpoint}"))]
    return [
        *always,
        *_alarms(env, endpoint),
        *_scaling(env),
        *_probes(env, other),
        *use_key_for_volumes(stores.key_arn),
    ]


def _models_and_configs(env: Environment, instance_types: Sequence[str], config: Endpoint) -> list[Statement]:
    """Allow creating, reading and deleting models and endpoint configurations.

    CloudFormation chooses their names, so a tag identifies them. Creating one also needs AddTags on a resource that has
    no tags yet. Without the condition on "no tags yet", the tag could be added to another pipeline's resource.
    https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
    """
    models, configs = env.arn("sagemaker", "model/*"), env.arn("sagemaker", "endpoint-config/*")
    requested = {f"aws:RequestTag/{PIPELINE_TAG}": env.name}
    tagged = {"StringEquals": {f"aws:ResourceTag/{PIPELINE_TAG}": env.name}}
    return [
        allow(
            "sagemaker:CreateModel",
            models,
            when={"StringEquals": requested, **isolation(config)},
        ),
        allow(
            "sagemaker:CreateEndpointConfig",
            configs,
            when={"StringEquals": requested, **sizes(config, instance_types)},
        ),
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
        # Without the condition: when a resource does not exist, CloudFormation must not get "access denied".
        allow(["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel", "sagemaker:ListTags"], [models, configs]),
        allow(["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], configs, when=tagged),
    ]


def _one_endpoint(env: Environment, endpoint: str) -> list[Statement]:
    """Allow creating, updating and deleting the endpoint; ``_probes`` allows describing it."""
    return [
        allow(
            [
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteTags",
                "sagemaker:ListTags",
                "sagemaker:UpdateEndpoint",
            ],
            env.arn("sagemaker", f"endpoint/{endpoint}"),
        )
    ]


def _alarms(env: Environment, endpoint: str) -> list[Statement]:
    """Allow managing the rollback alarms, whose names begin with the stack's name; CloudFormation tags them.

    The alarms of target tracking are managed with Application Auto Scaling's service-linked role.
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSApplicationAutoscalingSageMakerEndpointPolicy.html
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
            env.arn("cloudwatch", f"alarm:{endpoint}-*"),
        ),
    ]


def _scaling(env: Environment) -> list[Statement]:
    """Allow registering the variant; Application Auto Scaling chooses the IDs of scalable targets."""
    targets = env.arn("application-autoscaling", "scalable-target/*")
    variants = {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": SCALABLE_DIMENSION,
    }
    return [
        allow([f"application-autoscaling:{name}" for name in _CHANGES], targets, when={"StringEquals": variants}),
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
    """Allow what Application Auto Scaling tries with its caller's permissions before it registers a target or a policy.

    It calls PutMetricAlarm and DeleteAlarms without a name, which AWS authorizes on the ARN of an alarm with an empty
    name. It calls SageMaker with names that no endpoint has (also DescribeEndpointConfig, which is allowed for any name
    already). If one of these calls is denied, the registration is denied too.
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
