"""The operations on pipelines and their executions; moto stores the definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.codepipeline import views
from mlops_constructs.local_aws.codepipeline.active import check_active
from mlops_constructs.local_aws.codepipeline.definition import INVALID_STRUCTURE, definition_problems
from mlops_constructs.local_aws.codepipeline.state import ActionRun, Execution, Status
from mlops_constructs.local_aws.roles import RULE_SESSION, assume_as
from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.executor import Executor

DEFAULT_PAGE = 100


class Executions(Service):
    """Starts, stops, retries and describes executions; creating a pipeline starts its first execution."""

    service_name: ClassVar[str] = "codepipeline"

    def __init__(self, account: Account, executor: Executor) -> None:
        super().__init__(account)
        self.executor = executor
        self._started: dict[tuple[str, str], str] = {}

    def create_pipeline(self, params: Params) -> Params:
        """Create moto's pipeline and start its first execution, as AWS does."""
        _check_definition(params["pipeline"])
        answer = without_metadata(self.account.moto("codepipeline").create_pipeline(**params))
        pipeline = self._pipeline(params["pipeline"]["name"])
        trigger = {"triggerType": "CreatePipeline", "triggerDetail": ""}
        self.executor.start(pipeline, trigger, _variables(pipeline, []), [])
        return answer

    def update_pipeline(self, params: Params) -> Params:
        """Update moto's pipeline; running executions continue with the old definition."""
        _check_definition(params["pipeline"])
        role = params["pipeline"]["roleArn"]
        assume_as(self.account, "codepipeline.amazonaws.com", role, "CodePipeline", INVALID_STRUCTURE)
        return without_metadata(self.account.moto("codepipeline").update_pipeline(**params))

    def get_pipeline(self, params: Params) -> Params:
        """moto's response; moto's dates, which are text, are returned as numbers as on AWS."""
        return without_metadata(self.account.moto("codepipeline").get_pipeline(**params))

    def list_pipelines(self, params: Params) -> Params:
        """moto's response; its dates are returned as numbers as on AWS."""
        return without_metadata(self.account.moto("codepipeline").list_pipelines(**params))

    def after_delete_pipeline(self, params: Params, _: dict[str, str]) -> None:
        """Remove the pipeline's executions too."""
        self.executor.forget(params["name"])

    def start_pipeline_execution(self, params: Params) -> Params:
        """Start an execution; requests with the same clientRequestToken start only one."""
        pipeline = self._pipeline(params["name"])
        overrides = params.get("sourceRevisions", [])
        sources = {action["name"] for action in pipeline["stages"][0]["actions"]}
        for override in overrides:
            if override["actionName"] not in sources:
                raise AwsError("ValidationException", f"{override['actionName']} is not a source action")
        variables = _variables(pipeline, params.get("variables", []))
        token = (params["name"], params.get("clientRequestToken", ""))
        with self.lock:
            if token[1] and token in self._started:
                return {"pipelineExecutionId": self._started[token]}
            check_active(pipeline, self.executor.executions(pipeline["name"]))
            execution = self.executor.start(pipeline, self._trigger(), variables, overrides)
            self._started[token] = execution.id
        return {"pipelineExecutionId": execution.id}

    def _trigger(self) -> dict[str, str]:
        """The trigger of an execution, as CodePipeline reports it: an EventBridge rule, or a caller.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionTrigger.html
        """
        caller = self.caller_arn()
        session = caller.rpartition("/")[2]
        if ":assumed-role/" in caller and session.startswith(RULE_SESSION):
            rule = self.account.arn("events", f"rule/{session.removeprefix(RULE_SESSION)}")
            return {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
        return {"triggerType": "StartPipelineExecution", "triggerDetail": caller}

    def stop_pipeline_execution(self, params: Params) -> Params:
        """Stop after the actions in progress, or abandon them too."""
        execution = self._execution(params["pipelineName"], params["pipelineExecutionId"], "Stop")
        abandon = params.get("abandon", False)
        if execution.status not in (Status.IN_PROGRESS, Status.STOPPING):
            message = f"The execution {execution.id} is {execution.status.value}."
            raise AwsError("PipelineExecutionNotStoppableException", message)
        if execution.stopping and not (abandon and not execution.abandoned):
            raise AwsError("DuplicatedStopRequestException", f"The execution {execution.id} is already stopping.")
        self.executor.stop(execution, abandon=abandon, reason=params.get("reason", ""))
        return {"pipelineExecutionId": execution.id}

    def retry_stage_execution(self, params: Params) -> Params:
        """Retry a failed stage, in the same execution."""
        name, stage = params["pipelineName"], params["stageName"]
        execution = self._execution(name, params["pipelineExecutionId"], "Retry")
        if stage not in [known["name"] for known in execution.pipeline["stages"]]:
            raise AwsError("StageNotFoundException", f"The pipeline {name} has no stage {stage}.")
        run = execution.stages.get(stage)
        over = execution.status in (Status.FAILED, Status.STOPPED)
        if run is None or not over or run.status not in (Status.FAILED, Status.STOPPED):
            message = f"The stage {stage} did not fail in the execution {execution.id}."
            raise AwsError("StageNotRetryableException", message)
        inside = [other for other in self.executor.executions(name) if stage in other.stages]
        if inside[-1] is not execution:
            message = f"A later execution, {inside[-1].id}, entered the stage {stage}."
            raise AwsError("NotLatestPipelineExecutionException", message)
        self.executor.retry(execution, stage, params["retryMode"])
        return {"pipelineExecutionId": execution.id}

    def get_pipeline_execution(self, params: Params) -> Params:
        """One execution."""
        execution = self._execution(params["pipelineName"], params["pipelineExecutionId"])
        with self.executor.changed:
            return {"pipelineExecution": views.execution_details(execution)}

    def list_pipeline_executions(self, params: Params) -> Params:
        """Executions, the newest first."""
        self._pipeline(params["pipelineName"])
        wanted = params.get("filter", {}).get("succeededInStage", {}).get("stageName")
        with self.executor.changed:
            found = [
                views.execution_summary(execution)
                for execution in reversed(self.executor.executions(params["pipelineName"]))
                if wanted is None or _succeeded_in(execution, wanted)
            ]
        return _page("pipelineExecutionSummaries", found, params)

    def list_action_executions(self, params: Params) -> Params:
        """Runs of actions, the newest first."""
        name = params["pipelineName"]
        self._pipeline(name)
        chosen = params.get("filter", {})
        wanted = chosen.get("pipelineExecutionId")
        if wanted is None:
            wanted = chosen.get("latestInPipelineExecution", {}).get("pipelineExecutionId")
        with self.executor.changed:
            executions = self.executor.executions(name)
            if wanted is not None:
                executions = [self._execution(name, wanted)]
            runs = [(run.started, execution, run) for execution in executions for run in execution.history]
            runs.sort(key=lambda entry: entry[0], reverse=True)
            found = [views.action_details(execution, run) for _, execution, run in runs]
        return _page("actionExecutionDetails", found, params)

    def get_pipeline_state(self, params: Params) -> Params:
        """The latest state of each stage and action."""
        answer = self.account.moto("codepipeline").get_pipeline(name=params["name"])
        pipeline = answer["pipeline"]
        with self.executor.changed:
            states = views.stage_states(pipeline, self.executor.executions(params["name"]), self.executor.gates.closed)
        return {
            "pipelineName": pipeline["name"],
            "pipelineVersion": pipeline["version"],
            "stageStates": states,
            "created": answer["metadata"]["created"],
            "updated": answer["metadata"]["updated"],
        }

    def put_approval_result(self, params: Params) -> Params:
        """Approve or reject a manual approval."""
        run, who = self._approval_run(params), self.caller_arn()
        with self.executor.changed:
            approval = run.approval
            self.executor.wait_while(lambda: approval is not None and approval.held)
            if approval is None or approval.status is not None or run.status is not Status.IN_PROGRESS:
                raise AwsError("ApprovalAlreadyCompletedException", "The approval was already approved or rejected.")
            approval.status = params["result"]["status"]
            approval.summary, approval.answered_by = params["result"]["summary"], who
            self.executor.changed.notify_all()
        return {"approvedAt": utc_now()}

    def close(self) -> None:
        """Notify all waiting threads, so that they see that the local AWS closes."""
        with self.executor.changed:
            self.executor.changed.notify_all()

    def _pipeline(self, name: str) -> Params:
        pipeline: Params = self.account.moto("codepipeline").get_pipeline(name=name)["pipeline"]
        return pipeline

    def _execution(self, pipeline_name: str, execution_id: str, purpose: str = "") -> Execution:
        self._pipeline(pipeline_name)
        for execution in self.executor.executions(pipeline_name):
            if execution.id == execution_id:
                return execution
        codes = {"Stop": "PipelineExecutionNotStoppableException", "Retry": "StageNotRetryableException"}
        code = codes.get(purpose, "PipelineExecutionNotFoundException")
        raise AwsError(code, f"The pipeline {pipeline_name} has no execution {execution_id}.")

    def _approval_run(self, params: Params) -> ActionRun:
        name, stage, action = params["pipelineName"], params["stageName"], params["actionName"]
        stages = {known["name"]: known for known in self._pipeline(name)["stages"]}
        if stage not in stages:
            raise AwsError("StageNotFoundException", f"The pipeline {name} has no stage {stage}.")
        if action not in [known["name"] for known in stages[stage]["actions"]]:
            raise AwsError("ActionNotFoundException", f"The stage {stage} has no action {action}.")
        for execution in reversed(self.executor.executions(name)):
            run = execution.stages[stage].actions.get(action) if stage in execution.stages else None
            if run is not None and run.approval is not None and run.approval.token == params["token"]:
                return run
        raise AwsError("InvalidApprovalTokenException", "The token is not the one of this approval.")


def _check_definition(pipeline: Params) -> None:
    """Raise the exception of the first problem, with all problems that have the same exception."""
    problems = definition_problems(pipeline)
    if problems:
        code = problems[0].code
        raise AwsError(code, "; ".join(problem.message for problem in problems if problem.code == code))


def _variables(pipeline: Params, given: list[Params]) -> dict[str, str]:
    """The pipeline's variables. Raises ValidationException for an undeclared variable, or one without a value."""
    declared = {entry["name"]: entry.get("defaultValue") for entry in pipeline.get("variables", [])}
    values = {entry["name"]: entry["value"] for entry in given}
    unknown = sorted(set(values) - set(declared))
    if unknown:
        raise AwsError("ValidationException", f"The pipeline has no variable {', '.join(unknown)}.")
    merged = {**declared, **values}
    missing = sorted(name for name, value in merged.items() if value is None)
    if missing:
        raise AwsError("ValidationException", f"The variable {', '.join(missing)} has no value.")
    return {name: str(value) for name, value in merged.items()}


def _succeeded_in(execution: Execution, stage: str) -> bool:
    run = execution.stages.get(stage)
    return run is not None and run.status is Status.SUCCEEDED


def _page(member: str, found: list[Params], params: Params) -> Params:
    token = params.get("nextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The next token is not valid.")
    first, size = int(token), params.get("maxResults", DEFAULT_PAGE)
    answer: Params = {member: found[first : first + size]}
    if first + size < len(found):
        answer["nextToken"] = str(first + size)
    return answer
