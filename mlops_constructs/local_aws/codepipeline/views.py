"""Executions as members of the CodePipeline API's responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.state import ActionRun, Execution, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_constructs.local_aws.codepipeline.gates import Disabled
    from mlops_constructs.local_aws.service import Params


def execution_details(execution: Execution) -> Params:
    """For GetPipelineExecution."""
    return _given(
        pipelineName=execution.pipeline_name,
        pipelineVersion=execution.pipeline["version"],
        pipelineExecutionId=execution.id,
        status=execution.status.value,
        statusSummary=execution.summary,
        artifactRevisions=[
            {"name": found.artifact, "revisionId": found.id, "revisionSummary": found.summary}
            for found in execution.revisions
        ],
        variables=[{"name": name, "resolvedValue": value} for name, value in execution.variables.items()],
        trigger=execution.trigger,
        executionMode=execution.mode,
        executionType="STANDARD",
    )


def execution_summary(execution: Execution) -> Params:
    """For ListPipelineExecutions."""
    return _given(
        pipelineExecutionId=execution.id,
        status=execution.status.value,
        statusSummary=execution.summary,
        startTime=execution.started,
        lastUpdateTime=execution.updated,
        sourceRevisions=[
            {"actionName": found.action, "revisionId": found.id, "revisionSummary": found.summary}
            for found in execution.revisions
        ],
        trigger=execution.trigger,
        stopTrigger={"reason": execution.stop_reason} if execution.stop_reason is not None else None,
        executionMode=execution.mode,
        executionType="STANDARD",
    )


def action_details(execution: Execution, run: ActionRun) -> Params:
    """For ListActionExecutions."""
    return _given(
        pipelineExecutionId=execution.id,
        actionExecutionId=run.id,
        pipelineVersion=execution.pipeline["version"],
        stageName=run.stage,
        actionName=run.name,
        startTime=run.started,
        lastUpdateTime=run.updated,
        updatedBy=_answered_by(run),
        status=run.status.value,
        input=_given(
            actionTypeId=run.definition["actionTypeId"],
            configuration=run.definition["configuration"],
            resolvedConfiguration=run.configuration,
            roleArn=run.definition.get("roleArn"),
            region=run.definition.get("region"),
            inputArtifacts=[_artifact(artifact) for artifact in run.inputs],
            namespace=run.definition.get("namespace"),
        ),
        output=_given(
            outputArtifacts=[_artifact(artifact) for artifact in run.outputs],
            executionResult=_given(
                externalExecutionId=run.external_id if run.external_id is not None else _token(run),
                externalExecutionSummary=run.summary,
                externalExecutionUrl=run.external_url,
                errorDetails=_error(run),
            ),
            outputVariables=run.variables,
        ),
    )


def stage_states(
    pipeline: Params, executions: list[Execution], disabled: Mapping[tuple[str, str], Disabled]
) -> list[Params]:
    """For GetPipelineState: every stage with the last execution that entered it."""
    name = pipeline["name"]
    return [_stage_state(stage, executions, disabled.get((name, stage["name"]))) for stage in pipeline["stages"]]


def _stage_state(stage: Params, executions: list[Execution], disabled: Disabled | None) -> Params:
    name = stage["name"]
    state: Params = {"stageName": name, "inboundTransitionState": {"enabled": disabled is None}}
    if disabled is not None:
        state["inboundTransitionState"] |= {
            "lastChangedBy": disabled.changed_by,
            "lastChangedAt": disabled.changed,
            "disabledReason": disabled.reason,
        }
    inside = [execution for execution in executions if name in execution.stages]
    latest = inside[-1] if inside else None
    runs = latest.stages[name].actions if latest is not None else {}
    state["actionStates"] = [_action_state(action, runs.get(action["name"])) for action in stage["actions"]]
    if latest is not None:
        status = latest.stages[name].status
        if status is Status.IN_PROGRESS and latest.stopping:
            status = Status.STOPPING
        state["latestExecution"] = {"pipelineExecutionId": latest.id, "status": status.value}
    return state


def _action_state(action: Params, run: ActionRun | None) -> Params:
    if run is None:
        return {"actionName": action["name"]}
    state: Params = {
        "actionName": action["name"],
        "latestExecution": _given(
            actionExecutionId=run.id,
            status=run.status.value,
            summary=run.summary,
            lastStatusChange=run.updated,
            lastUpdatedBy=_answered_by(run),
            token=_token(run),
            externalExecutionId=run.external_id,
            externalExecutionUrl=run.external_url,
            errorDetails=_error(run),
        ),
    }
    if action["actionTypeId"]["category"] == "Source" and run.external_id is not None:
        state["currentRevision"] = {
            "revisionId": run.external_id,
            "revisionChangeId": run.id,
            "created": run.started,
        }
    return state


def _token(run: ActionRun) -> str | None:
    """The approval's token, as long as the approval is pending."""
    return run.approval.token if run.approval is not None and run.status is Status.IN_PROGRESS else None


def _answered_by(run: ActionRun) -> str | None:
    return None if run.approval is None else run.approval.answered_by


def _error(run: ActionRun) -> Params | None:
    if run.error_message is None:
        return None
    return {"code": run.error_code, "message": run.error_message}


def _artifact(artifact: Any) -> Params:
    return {"name": artifact.name, "s3location": {"bucket": artifact.bucket, "key": artifact.key}}


def _given(**members: Any) -> Params:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}
