"""The role with which Application Auto Scaling changes an endpoint's instance count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .asking import asked, code_of
from .demands import endpoint_templates
from .templates import scales

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .stack import SynthesizedStack

ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_THING = "service-linked role of Application Auto Scaling"
_CREATE = "iam:createservicelinkedrole"


def examine_service_linked_role(iam: Any, stack: SynthesizedStack) -> Iterator[Finding]:
    """Check that the role exists, or that the first RegisterScalableTarget may create it.

    "For automatic role creation to succeed, users must have permission for the iam:CreateServiceLinkedRole action."
    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
    Here, that user is the role that CodePipeline passes to CloudFormation.
    """
    if not any(scales(template) for _, template in endpoint_templates(stack)):
        return
    with asked(_THING, "iam:GetRole") as problems:
        yield _judge(iam, stack)
    yield from problems


def _judge(iam: Any, stack: SynthesizedStack) -> Finding:
    from botocore.exceptions import ClientError

    try:
        iam.get_role(RoleName=ROLE)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
    else:
        return Finding(_THING, "good", "is there")
    if any(_CREATE in policy.lower() for policy in _deploy_policies(stack)):
        return Finding(_THING, "good", "does not exist yet; the deploy role may create it with the first endpoint")
    remedy = f"aws iam create-service-linked-role --aws-service-name {_SERVICE}"
    return Finding(_THING, "broken", "does not exist, and the deploy role may not create it", remedy)


def _deploy_policies(stack: SynthesizedStack) -> Iterator[str]:
    """The policies of the roles with which CloudFormation deploys, as JSON."""
    roles = {str(action["RoleArn"]) for action in stack.actions("CloudFormation") if "RoleArn" in action}
    for policy in stack.of_type("aws_iam_role_policy"):
        role = str(policy.arguments.get("role", "")).removeprefix("${").rpartition(".")[0]
        if any(role and f"{role}." in arn for arn in roles):
            yield json.dumps(policy.arguments["policy"])
