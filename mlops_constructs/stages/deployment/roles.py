"""The two roles of an endpoint: the one that deploys it and the one that serves. DEV and production have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.policy import allow, pass_role
from ..._aws.role import ServiceRole
from .permissions import deploy_permissions, serving_permissions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ...config import Endpoint


class EndpointRoles(Construct):
    """The roles of one endpoint.

    Attributes:
        endpoint: Name of the endpoint and of its stack, a literal.
        model: Role of the serving container, which reads its model and writes captured requests.
        deploy: Role with which CloudFormation deploys the endpoint.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        stage: str,
        other: str,
        image_arn: str,
        instance_types: Sequence[str],
        config: Endpoint,
    ) -> None:
        """Make the roles.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed.
            stage: ``dev`` or ``production``.
            other: The other of the two.
            image_arn: ARN of the ECR repository of the image.
            instance_types: Instance types that the endpoint may have.
            config: The endpoint.
        """
        super().__init__(scope, id_)
        self.endpoint = f"{env.name}-{stage}"
        self.model = ServiceRole(self, "model_role", env, "sagemaker", f"model-{stage}")
        self.model.grant(serving_permissions(env, self.endpoint, image_arn, config))
        self.deploy = ServiceRole(self, "deploy_role", env, "cloudformation", f"deploy-{stage}")
        self.deploy.grant(
            deploy_permissions(env, self.model.arn, self.endpoint, f"{env.name}-{other}", instance_types, config)
        )


def deploying_permissions(env: Environment, dev: EndpointRoles, production: EndpointRoles) -> list[Statement]:
    """Return what the pipeline's role needs for the templates and the two stacks.

    It creates and replaces the DEV stack, and changes the production stack only with a change set. Each stack is
    deployed with its own role.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    """
    dev_stack, production_stack = (env.arn("cloudformation", f"stack/{one.endpoint}/*") for one in (dev, production))
    return [
        allow(
            ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
            env.stores.own_arn("templates"),
        ),
        # The events name the resource that made a stack fail.
        allow(
            ["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks"],
            [dev_stack, production_stack],
        ),
        _with_role(["cloudformation:CreateStack", "cloudformation:UpdateStack"], dev_stack, dev),
        allow(["cloudformation:DescribeStackResources", "cloudformation:GetTemplate"], dev_stack),
        # CodePipeline does not have to pass the role again to delete a failed stack: the stack keeps its role.
        allow("cloudformation:DeleteStack", dev_stack),
        _with_role(["cloudformation:CreateChangeSet"], production_stack, production),
        allow(
            [
                "cloudformation:DeleteChangeSet",
                "cloudformation:DescribeChangeSet",
                "cloudformation:ExecuteChangeSet",
            ],
            production_stack,
        ),
        *(pass_role(one.deploy.arn, "cloudformation.amazonaws.com") for one in (dev, production)),
    ]


def _with_role(actions: Sequence[str], stack: str, roles: EndpointRoles) -> Statement:
    return allow(actions, stack, when={"ArnEquals": {"cloudformation:RoleArn": roles.deploy.arn}})
