"""The only partition that cannot run a pipeline (China) is refused as soon as it is known."""

from __future__ import annotations

from .._cdk import Postcondition, TerraformResourceLifecycle


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
