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
    """The function that starts the pipeline when the image or the script changes, and the rule that detects the change.

    Attributes:
        start_retraining: Function that finds the newest data set that reached training, and starts an execution on it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        image_parameter: str,
        source_parameter: str | None = None,
    ) -> None:
        """Make the function and the rule.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed.
            image_parameter: Name of the SSM parameter with the image.
            source_parameter: Name of the SSM parameter with the digest of the script, or None without a script.
        """
        # The digest of a script changes with its image too; two events would start two executions.
        watched = image_parameter if source_parameter is None else source_parameter
        read = dict.fromkeys((image_parameter, watched))
        super().__init__(scope, id_)
        names = {"PIPELINE": env.name, "IMAGE_PARAMETER": image_parameter}
        self.start_retraining = Function(
            self,
            "start_retraining",
            folder="start_retraining",
            env=env,
            settings={**names, "SOURCE_PARAMETER": source_parameter or ""},
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
                allow("ssm:GetParameter", [env.arn("ssm", f"parameter{name}") for name in read]),
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
                "detail": {"name": [watched], "operation": ["Update"]},
            },
            function=self.start_retraining,
            env=env,
        )
