"""Policies of the roles that deploy an endpoint and that serve behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.network import network_permissions
from ..._aws.policy import allow, pass_role, pull_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement


def serving_permissions(env: Environment, image_arn: str) -> list[Statement]:
    """What the serving container's role needs: its model, captured requests, its image, logs and metrics."""
    stores = env.stores
    return [
        allow("s3:GetObject", f"{stores.artifact_bucket_arn}/models/*"),
        allow("s3:PutObject", stores.own_arn("capture")),
        use_key(stores.key_arn),
        use_key_for_volumes(stores.key_arn),
        *pull_image(image_arn),
        *network_permissions(env),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            env.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{env.name}-*"),
        ),
        allow(
            "cloudwatch:PutMetricData",
            "*",
            when={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        ),
        # SageMaker watches the rollback alarms with this role; the call is authorized on all alarms.
        allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*")),
    ]


def deploy_permissions(env: Environment, model_role_arn: str, endpoint_names: Sequence[str]) -> list[Statement]:
    """What CloudFormation needs to make, change and delete exactly these endpoints."""
    return [
        *_on_endpoints(env, endpoint_names),
        pass_role(model_role_arn, "sagemaker.amazonaws.com"),
        *_on_alarms(env),
        *_on_scaling(env),
        use_key_for_volumes(env.stores.key_arn),
        allow("kms:DescribeKey", env.stores.key_arn),
    ]


def _on_endpoints(env: Environment, names: Sequence[str]) -> list[Statement]:
    endpoints = [env.arn("sagemaker", f"endpoint/{name}") for name in names]
    # CloudFormation chooses the names of configurations and models.
    configs, models = env.arn("sagemaker", "endpoint-config/*"), env.arn("sagemaker", "model/*")
    return [
        allow(["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:DescribeModel"], models),
        allow(
            [
                "sagemaker:CreateEndpointConfig",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DescribeEndpointConfig",
            ],
            configs,
        ),
        allow(
            [
                "sagemaker:CreateEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DescribeEndpoint",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ],
            [*endpoints, configs],
        ),
        allow(["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags"], [*endpoints, configs, models]),
    ]


def _on_alarms(env: Environment) -> list[Statement]:
    return [
        allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*")),
        allow(
            ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            [
                env.arn("cloudwatch", f"alarm:{env.name}-*"),
                # Target tracking makes alarms of its own.
                env.arn("cloudwatch", f"alarm:TargetTracking-endpoint/{env.name}-*"),
            ],
        ),
    ]


def _on_scaling(env: Environment) -> list[Statement]:
    service_role = f"arn:{env.partition}:iam::{env.account_id}:role/aws-service-role/"
    autoscaling = "sagemaker.application-autoscaling.amazonaws.com"
    return [
        allow(
            [
                "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:DeleteScalingPolicy",
            ],
            env.arn("application-autoscaling", "scalable-target/*"),
        ),
        # These actions take no resource, hence `*`.
        allow(
            [
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
            ],
            "*",
        ),
        allow(
            "iam:CreateServiceLinkedRole",
            f"{service_role}{autoscaling}/*",
            when={"StringEquals": {"iam:AWSServiceName": autoscaling}},
        ),
    ]
