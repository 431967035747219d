"""The operations on transitions between the stages of pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.codepipeline.gates import Disabled
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.executor import Executor


class Transitions(Service):
    """Disables and enables the transition into a stage; executions wait before a stage that cannot be entered.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
    """

    service_name: ClassVar[str] = "codepipeline"

    def __init__(self, account: Account, executor: Executor) -> None:
        super().__init__(account)
        self._executor = executor

    def resume(self) -> None:
        """Continue the executions that waited."""
        self._executor.resume()

    def disable_stage_transition(self, params: Params) -> Params:
        """Let no execution enter a stage."""
        key, who = self._stage(params), self.caller_arn()
        with self._executor.changed:
            self._executor.gates.closed[key] = Disabled(params["reason"], who)
        return {}

    def enable_stage_transition(self, params: Params) -> Params:
        """Let executions enter a stage again; the one that waits goes on."""
        key = self._stage(params)
        with self._executor.changed:
            self._executor.gates.closed.pop(key, None)
            self._executor.changed.notify_all()
        return {}

    def _stage(self, params: Params) -> tuple[str, str]:
        """The stage into which the transition leads. Nothing leads into the first: transitions are between stages."""
        name, stage = params["pipelineName"], params["stageName"]
        stages = [
            one["name"] for one in self.account.moto("codepipeline").get_pipeline(name=name)["pipeline"]["stages"]
        ]
        if stage not in stages:
            raise AwsError("StageNotFoundException", f"The pipeline {name} has no stage {stage}.")
        if params["transitionType"] != "Inbound":
            message = "the local AWS does not implement Outbound transitions"
            raise AwsError("NotImplementedException", message, 501)
        if stage == stages[0]:
            raise AwsError("ValidationException", f"There is no transition into {stage}, the first stage of {name}.")
        return name, stage
