"""Retraining on the same data when the image changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.events import invoke_on
from ..._aws.function import Function
from ..._aws.policy import allow

if TYPE_CHECKING:
    from ..._aws.environment import Environment


class Retraining(Construct):
    """The function that starts the pipeline when the image changes, and the rule that detects the change.

    Attributes:
        start_retraining: Function that finds the newest data set that reached training, and starts an execution on it.
    """

    def __init__(self, scope: Construct, id_: str, *, env: Environment, image_parameter: str) -> None:
        """Make the function and the rule; ``image_parameter`` is the name of the SSM parameter with the image."""
        super().__init__(scope, id_)
        self.start_retraining = Function(
            self,
            "start_retraining",
            folder="start_retraining",
            env=env,
            settings={"PIPELINE": env.name, "IMAGE_PARAMETER": image_parameter},
            permissions=[
                allow(
                    [
                        "codepipeline:GetPipelineExecution",
                        "codepipeline:ListActionExecutions",
                        "codepipeline:ListPipelineExecutions",
                        "codepipeline:StartPipelineExecution",
                    ],
                    env.arn("codepipeline", env.name),
                ),
                allow("ssm:GetParameter", env.arn("ssm", f"parameter{image_parameter}")),
            ],
        )
        # A build and a Terraform apply both write the parameter, so the rule detects both.
        # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
        invoke_on(
            self,
            "on_new_image",
            pattern={
                "source": ["aws.ssm"],
                "detail-type": ["Parameter Store Change"],
                "detail": {"name": [image_parameter], "operation": ["Update"]},
            },
            function=self.start_retraining,
            env=env,
        )
