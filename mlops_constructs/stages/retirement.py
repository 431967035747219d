"""The end of the DEV endpoint: deleted after the decision, and created anew by the next execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import EXECUTION_ID, Action, invoke
from .._aws.events import invoke_on
from .._aws.function import Function
from .._aws.policy import allow, pass_role, report_result

if TYPE_CHECKING:
    from .._aws.environment import Environment

# As long as a Lambda function can wait for a stack that is changing.
_TIMEOUT_SECONDS = 900


class RetirementStage(Construct):
    """The function that deletes the DEV endpoint, and the rules for the decision and for the end of an execution.

    Attributes:
        retire_dev: The function.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        env: Environment,
        stack: str,
        deploy_role_arn: str,
        approval: tuple[str, str],
    ) -> None:
        """Make the function and its rules.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            env: Where it is deployed.
            stack: CloudFormation stack of the DEV endpoint.
            deploy_role_arn: ARN of the role with which CloudFormation deploys it.
            approval: Stage and action of the manual approval.
        """
        super().__init__(scope, id_)
        stack_arn = env.arn("cloudformation", f"stack/{stack}/*")
        self.retire_dev = Function(
            self,
            "retire_dev",
            folder="retire_dev",
            env=env,
            settings={"PIPELINE": env.name, "DEV_STACK": stack, "DEPLOY_ROLE_ARN": deploy_role_arn},
            permissions=[
                allow("cloudformation:DescribeStacks", stack_arn),
                allow(
                    "cloudformation:DeleteStack",
                    stack_arn,
                    when={"ArnEquals": {"cloudformation:RoleArn": deploy_role_arn}},
                ),
                pass_role(deploy_role_arn, "cloudformation.amazonaws.com"),
                allow(
                    ["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"],
                    env.arn("codepipeline", env.name),
                ),
                *report_result(),
            ],
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        stage, action = approval
        self._on("after_approval", "Action", env, {"stage": [stage], "action": [action], "state": ["SUCCEEDED"]})
        self._on("after_execution", "Pipeline", env, {"state": ["FAILED", "STOPPED", "SUCCEEDED"]})

    def action(self) -> Action:
        """Describe the first action of DeployDev: it waits until no other execution's DEV endpoint is left."""
        return invoke("AwaitDev", self.retire_dev.name, run_order=1, parameters={"execution_id": EXECUTION_ID})

    def _on(self, id_: str, kind: str, env: Environment, detail: dict[str, list[str]]) -> None:
        pattern = {
            "source": ["aws.codepipeline"],
            "detail-type": [f"CodePipeline {kind} Execution State Change"],
            "detail": {"pipeline": [env.name], **detail},
        }
        invoke_on(self, id_, pattern=pattern, function=self.retire_dev, env=env, target_id="retire-dev")
