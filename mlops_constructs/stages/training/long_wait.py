"""The function that ends the wait for a job of more than 22 hours, and the rules for events that invoke functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._aws.events import invoke_on
from ..._aws.function import Function
from ..._aws.policy import allow
from .permissions import look_permissions
from .settings import job_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from ..._aws.environment import Environment
    from ...config import Tuning


def answer_training_function(
    scope: Construct, env: Environment, tuning: Tuning | None, stage: str, action: str
) -> Function:
    """Make the function that answers the approval ``action`` in ``stage``, and the rules that invoke it."""
    pipeline, jobs = env.arn("codepipeline", env.name), job_settings(env, tuning)
    function = Function(
        scope,
        "answer_training",
        folder="answer_training",
        env=env,
        settings={"PIPELINE": env.name, "STAGE": stage, "ACTION": action, **jobs},
        permissions=[
            allow("codepipeline:GetPipelineState", pipeline),
            allow("codepipeline:PutApprovalResult", f"{pipeline}/{stage}/{action}"),
            *look_permissions(env, tuning),
        ],
    )
    kind, title = ("Training", "Training") if tuning is None else ("HyperParameterTuning", "HyperParameter Tuning")
    over = {f"{kind}JobStatus": ["Completed", "Failed", "Stopped"]}
    ours = {f"{kind}JobName": [{"prefix": f"{jobs['JOB_PREFIX']}-"}]}
    event = f"SageMaker {title} Job State Change"
    invoke_on_change(scope, "on_training_end", function, env, "aws.sagemaker", event, {**ours, **over})
    # A job may end before the wait for it begins.
    begun = {"pipeline": [env.name], "stage": [stage], "action": [action], "state": ["STARTED"]}
    event = "CodePipeline Action Execution State Change"
    invoke_on_change(scope, "on_training_wait", function, env, "aws.codepipeline", event, begun)
    return function


def invoke_on_change(
    scope: Construct,
    id_: str,
    function: Function,
    env: Environment,
    source: str,
    event: str,
    detail: Mapping[str, object],
) -> None:
    """Make the rule that invokes a function at the events of an AWS service."""
    pattern = {"source": [source], "detail-type": [event], "detail": detail}
    invoke_on(scope, id_, pattern=pattern, function=function, env=env)
