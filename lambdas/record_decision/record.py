"""Find the model package a decision is about, and mark it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.errors import ConfigurationError, StepFailure
from handler_kit.report import Success

if TYPE_CHECKING:
    from record_decision.settings import Params, Settings

REGISTER_STAGE, REGISTER_ACTION = "Evaluate", "Register"
PACKAGE_VARIABLE = "ModelPackageArn"
MAXIMUM_DESCRIPTION_CHARACTERS = 1024


def record_approval(params: Params, settings: Settings, sagemaker: Any) -> Success:
    """Mark the package Approved; that it is so already is no mistake."""
    arn = params.model_package_arn
    _check_group(arn, settings)
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package.get("ModelApprovalStatus") != "Approved":
        _mark(arn, "Approved", f"Approved in pipeline {settings.pipeline}.", sagemaker)
    return Success(summary=f"{arn} is Approved", external_id=arn)


def record_rejection(event: dict[str, Any], settings: Settings, codepipeline: Any, sagemaker: Any) -> None:
    """Mark the package of a rejected or unanswered execution Rejected, unless it is decided upon already.

    Raises ValueError when the event is not such a rejection, StepFailure when the execution made no package;
    Lambda then delivers the event again.
    """
    execution_id, stage = _rejected_execution(event, settings)
    actions = _actions(execution_id, settings, codepipeline)
    arn = _package_of(actions, execution_id)
    _check_group(arn, settings)
    status = sagemaker.describe_model_package(ModelPackageName=arn).get("ModelApprovalStatus")
    if status != "PendingManualApproval":
        # The gate has rejected it, or the stage was retried and a person has approved it meanwhile.
        logs.info("model package is decided upon already", model_package=arn, status=status)
        return
    summary = _approver_summary(actions, stage)
    description = f"Not approved in pipeline execution {execution_id}: {summary or 'no reason was given.'}"
    _mark(arn, "Rejected", description, sagemaker)


def _rejected_execution(event: dict[str, Any], settings: Settings) -> tuple[str, str]:
    detail = event.get("detail")
    if not isinstance(detail, dict) or not {"pipeline", "execution-id", "stage", "state"} <= detail.keys():
        raise ValueError("The event is neither a CodePipeline job nor a change of an action's state.")
    if detail["pipeline"] != settings.pipeline or detail["state"] != "FAILED":
        raise ValueError(
            f"The event says {detail['state']} of pipeline {detail['pipeline']}; only FAILED of"
            f" {settings.pipeline} is a rejection. Check the rule's event pattern."
        )
    return detail["execution-id"], detail["stage"]


def _actions(execution_id: str, settings: Settings, codepipeline: Any) -> list[dict[str, Any]]:
    """Every action execution of the pipeline execution, the newest first."""
    pages = codepipeline.get_paginator("list_action_executions").paginate(
        pipelineName=settings.pipeline, filter={"pipelineExecutionId": execution_id}
    )
    found = [action for page in pages for action in page["actionExecutionDetails"]]
    return sorted(found, key=lambda action: action["startTime"], reverse=True)


def _package_of(actions: list[dict[str, Any]], execution_id: str) -> str:
    for action in actions:
        if (action["stageName"], action["actionName"]) == (REGISTER_STAGE, REGISTER_ACTION):
            arn = action.get("output", {}).get("outputVariables", {}).get(PACKAGE_VARIABLE)
            if arn:
                return str(arn)
    raise StepFailure(
        f"Pipeline execution {execution_id}: action {REGISTER_ACTION} has no output {PACKAGE_VARIABLE}, so"
        " there is no model package to mark Rejected."
    )


def _approver_summary(actions: list[dict[str, Any]], stage: str) -> str:
    for action in actions:
        if action["stageName"] == stage and action.get("status") == "Failed":
            return str(action.get("output", {}).get("executionResult", {}).get("externalExecutionSummary", ""))
    return ""


def _check_group(arn: str, settings: Settings) -> None:
    group = arn.partition(":model-package/")[2].partition("/")[0]
    if group.lower() != settings.model_package_group.lower():
        raise ConfigurationError(
            f"Model package {arn} is not of the group {settings.model_package_group}; this pipeline decides"
            " only upon its own models."
        )


def _mark(arn: str, status: str, description: str, sagemaker: Any) -> None:
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus=status,
        ApprovalDescription=description[:MAXIMUM_DESCRIPTION_CHARACTERS],
    )
    logs.info("model package marked", model_package=arn, status=status)
