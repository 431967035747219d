"""What a destroy meets first: a function that refuses it while the pipeline has made what Terraform does not know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.function import Function
from .._aws.naming import tuning_prefix
from .._aws.policy import allow
from .._aws.tagging import PIPELINE_TAG
from .._cdk import TerraformResource
from ..provider import lambda_invocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from constructs import Node

    from .._aws.environment import Environment
    from .._aws.pipeline import Pipeline
    from .._aws.policy import Statement

# The longest that Lambda allows; with removal="destroy", the endpoints are deleted in this time.
_TIMEOUT_SECONDS = 900
_LISTS = [
    "application-autoscaling:DescribeScalableTargets",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListModelPackages",
    "sagemaker:ListModels",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
    "tag:GetResources",
]


class GuardStage(Construct):
    """The function, and the resource that Terraform deletes before everything else of the pipeline.

    Attributes:
        function: The function.
        invocation: The resource. It depends on every other resource of the pipeline, so that Terraform deletes it
            first; the function is invoked then, and its error ends the destroy.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        tree: Node,
        env: Environment,
        pipelines: Sequence[Pipeline],
        endpoints: Sequence[str],
        packages_arn: str,
    ) -> None:
        """Make both, when all other resources of the pipeline have been made.

        Args:
            scope: The ML pipeline.
            id_: Construct id.
            tree: Its node; the resource depends on all resources below it.
            env: Where it is deployed.
            pipelines: Its CodePipelines.
            endpoints: Names of its endpoints and of their stacks, production first.
            packages_arn: Pattern of the ARNs of its model packages.
        """
        super().__init__(scope, id_)
        prefixes = list(dict.fromkeys([env.name, tuning_prefix(env.name)]))
        permissions = _listing(env, pipelines, endpoints)
        if not env.retain:
            permissions += _deleting(env, pipelines, endpoints, packages_arn)
        self.function = Function(
            self,
            "guard_destroy",
            folder="guard_destroy",
            env=env,
            settings={"PIPELINE": env.name},
            document={
                "pipelines": {one.name: one.second_stage for one in pipelines},
                "endpoints": list(endpoints),
                "job_prefixes": prefixes,
                "deletes": not env.retain,
            },
            permissions=permissions,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        guarded = [one for one in tree.find_all() if isinstance(one, TerraformResource)]
        self.invocation = lambda_invocation.LambdaInvocation(
            self,
            "guarding",
            function_name=self.function.name,
            input=json.dumps({"pipeline": env.name, "removal": "retain" if env.retain else "destroy"}),
            lifecycle_scope="CRUD",
            depends_on=guarded,
        )
        for purpose in env.roles:
            if purpose in env.required_roles:
                # The policies of existing roles must outlive it too.
                env.required_roles[purpose].users.append(self.invocation)


def _listing(env: Environment, pipelines: Sequence[Pipeline], endpoints: Sequence[str]) -> list[Statement]:
    """Allow looking at what is left."""
    return [
        allow("codepipeline:ListPipelineExecutions", [env.arn("codepipeline", one.name) for one in pipelines]),
        allow("cloudformation:DescribeStacks", [env.arn("cloudformation", f"stack/{one}/*") for one in endpoints]),
        allow("cloudwatch:DescribeAlarms", env.arn("cloudwatch", "alarm:*")),
        # These actions take no resource, hence `*`.
        allow(_LISTS, "*"),
    ]


def _deleting(
    env: Environment,
    pipelines: Sequence[Pipeline],
    endpoints: Sequence[str],
    packages_arn: str,
) -> list[Statement]:
    """Allow deleting it: only of a pipeline with ``removal="destroy"``."""
    tagged = {"StringEquals": {f"aws:ResourceTag/{PIPELINE_TAG}": env.name}}
    return [
        allow("codepipeline:StopPipelineExecution", [env.arn("codepipeline", one.name) for one in pipelines]),
        allow(
            "codepipeline:DisableStageTransition",
            [env.arn("codepipeline", f"{one.name}/{one.second_stage}") for one in pipelines],
        ),
        *_stopping(env),
        # It does not have to pass the role: the stack keeps its role.
        allow("cloudformation:DeleteStack", [env.arn("cloudformation", f"stack/{one}/*") for one in endpoints]),
        allow("sagemaker:DeleteEndpoint", [env.arn("sagemaker", f"endpoint/{one}") for one in endpoints]),
        allow(
            ["sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"],
            [env.arn("sagemaker", "endpoint-config/*"), env.arn("sagemaker", "model/*")],
            when=tagged,
        ),
        allow("sagemaker:DeleteModelPackage", packages_arn),
        allow("cloudwatch:DeleteAlarms", [env.arn("cloudwatch", f"alarm:{one}-*") for one in endpoints]),
        allow(
            "application-autoscaling:DeregisterScalableTarget",
            env.arn("application-autoscaling", "scalable-target/*"),
            when={"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
        allow(
            "logs:DeleteLogGroup",
            [f"{env.arn('logs', f'log-group:/aws/sagemaker/Endpoints/{one}')}:*" for one in endpoints],
        ),
    ]


def _stopping(env: Environment) -> Iterator[Statement]:
    for action, job in (
        ("StopHyperParameterTuningJob", f"hyper-parameter-tuning-job/{tuning_prefix(env.name)}-*"),
        ("StopProcessingJob", f"processing-job/{env.name}-*"),
        ("StopTrainingJob", f"training-job/{env.name}-*"),
        ("StopTransformJob", f"transform-job/{env.name}-*"),
    ):
        yield allow(f"sagemaker:{action}", env.arn("sagemaker", job))
