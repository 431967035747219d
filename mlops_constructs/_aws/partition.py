"""The only partition that cannot run a pipeline (China) is refused as soon as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cdk import Postcondition, TerraformResourceLifecycle, TerraformStack
from ..config.region import region_problems
from ..errors import ConfigError
from ..provider import AwsProvider

if TYPE_CHECKING:
    from constructs import Construct


def refuse_china(scope: Construct, subject: str) -> None:
    """Raise ConfigError when the region of the stack's provider is a literal and is in China."""
    for child in TerraformStack.of(scope).node.children:
        if isinstance(child, AwsProvider):
            region = child.region_input
            problems = list(region_problems(region)) if region is not None else []
            if problems:
                raise ConfigError(subject, problems)


def outside_of_china() -> TerraformResourceLifecycle:
    """Make the plan fail in China when only Terraform knows the partition."""
    return TerraformResourceLifecycle(
        postcondition=[
            Postcondition(
                condition='${self.partition != "aws-cn"}',
                error_message="CodePipeline has no CloudFormation action in aws-cn: MLOpsPipeline cannot deploy there.",
            )
        ]
    )
