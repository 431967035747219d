"""Find the model package that a decision is about, and mark it once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from handler_kit import logs, registry
from handler_kit.ab_store import Store
from handler_kit.errors import ConfigurationError, StepError
from handler_kit.executions import History, result_of
from handler_kit.production import package_in_production
from handler_kit.report import Success
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from record_decision.settings import Params, Settings

REGISTER = ("Evaluate", "Register")
APPROVAL, EVIDENCE = ("Approve", "Approve"), ("Approve", "Evidence")
PACKAGE_VARIABLE = "ModelPackageArn"
_ENDED_BY = "Pipeline execution "
ENDED = {"FAILED": "Failed", "STOPPED": "Stopped"}

# CodePipeline may detect a little late that an approval has expired, never early.
_CLOCK_SLACK = timedelta(seconds=30)


@dataclass(frozen=True)
class Services:
    """The clients that the record of an end needs."""

    codepipeline: Any
    sagemaker: Any
    cloudformation: Any
    s3: Any


def record_approval(params: Params, settings: Settings, codepipeline: Any, sagemaker: Any) -> Success:
    """Mark the package Approved, with who approved it and their comment; if it is Approved already, do nothing.

    Raises StepError when the evidence asked for a reason, and the approver gave none, or when somebody has rejected the
    package in the model registry meanwhile.
    """
    arn = params.model_package_arn
    _check_group(arn, settings)
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package.get("ModelApprovalStatus") != registry.APPROVED:
        history = History.read(codepipeline, settings.pipeline, params.execution_id)
        properties = _approval(history)
        _check_reason(history, properties)
        _check_registry(arn, package)
        who = properties.get("approved_by", "somebody")
        comment = properties.get("approval_summary", "no summary was given.")
        description = f"Approved in pipeline execution {params.execution_id} by {who}: {comment}"
        registry.mark(sagemaker, arn, registry.APPROVED, description, properties)
    return Success(summary=f"{arn} is Approved", external_id=arn)


def record_end(event: dict[str, Any], settings: Settings, services: Services) -> None:
    """Mark the package of an execution Rejected when the execution ended before its release, and record why.

    If production runs the package although a later action failed, the package is marked Approved, with what failed.
    Raises ValueError when the event is not such an end; Lambda then delivers the event again.
    """
    codepipeline, sagemaker = services.codepipeline, services.sagemaker
    execution_id = _ended_execution(event, settings)
    execution = codepipeline.get_pipeline_execution(pipelineName=settings.pipeline, pipelineExecutionId=execution_id)
    status = execution["pipelineExecution"]["status"]
    if status not in ENDED.values():
        logs.info("the execution continues: a stage was retried", execution_id=execution_id, status=status)
        return
    history = History.read(codepipeline, settings.pipeline, execution_id)
    arn = _package_of(history)
    if arn is None:
        logs.info("the execution has created no model package", execution_id=execution_id)
        return
    _check_group(arn, settings)
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    if registry.properties_of(package).get("execution_id", execution_id) != execution_id:
        logs.info("the package of a release that was deployed again keeps its status", model_package=arn)
    elif arn in _in_production(settings, services):
        why = f"Pipeline execution {execution_id}: in production, but not recorded as a release: "
        registry.mark(sagemaker, arn, registry.APPROVED, why + _why(history, status, settings))
    elif package.get("ModelApprovalStatus") == registry.REJECTED:
        logs.info("model package is already rejected", model_package=arn)
    else:
        why = _why(history, status, settings)
        registry.mark(sagemaker, arn, registry.REJECTED, f"{_ENDED_BY}{execution_id}: {why}")


def _in_production(settings: Settings, services: Services) -> set[str | None]:
    """The packages that answer requests: in an A/B test, also the challenger's."""
    found = {package_in_production(services.cloudformation, settings.production_stack)}
    if settings.ab_record_bucket is None:
        return found
    record, _ = Store(services.s3, settings.ab_record_bucket, settings.pipeline).read()
    tested = record.challenger if record.test is not None and record.test.runs else None
    return {model.model_package_arn for model in (record.champion, tested) if model is not None}


def _ended_execution(event: dict[str, Any], settings: Settings) -> str:
    detail = event.get("detail")
    if not isinstance(detail, dict) or not {"pipeline", "execution-id", "state"} <= detail.keys():
        raise ValueError("The event is neither a CodePipeline job nor a change of an execution's state.")
    if detail["pipeline"] != settings.pipeline or detail["state"] not in ENDED:
        raise ValueError(
            f"The event says {detail['state']} of pipeline {detail['pipeline']}; only {' and '.join(ENDED)} of"
            f" {settings.pipeline} end an execution early. Check the rule's event pattern."
        )
    return str(detail["execution-id"])


def _package_of(history: History) -> str | None:
    """The package that Register created, even if Register failed afterwards."""
    if arn := history.outputs(*REGISTER).get(PACKAGE_VARIABLE):
        return arn
    failed = history.newest(*REGISTER, "Failed")
    reported = "" if failed is None else str(result_of(failed).get("externalExecutionId", ""))
    return reported if ":model-package/" in reported else None


def _why(history: History, status: str, settings: Settings) -> str:
    failed = history.failed()
    if failed is None:
        return "a person stopped it." if status == "Stopped" else "it failed, and no action says why."
    result = result_of(failed)
    summary = str(result.get("externalExecutionSummary", "")).strip()
    if (failed["stageName"], failed["actionName"]) != APPROVAL:
        error = str(result.get("errorDetails", {}).get("message", "")).strip() or summary
        return f"{failed['stageName']}/{failed['actionName']} failed: {error or 'no reason was given.'}"
    limit = timedelta(minutes=settings.approval_timeout_minutes)
    if not summary and failed["lastUpdateTime"] - failed["startTime"] >= limit - _CLOCK_SLACK:
        return f"the approval expired: nobody approved or rejected within {settings.approval_timeout_minutes} minutes."
    who = f" by {failed['updatedBy']}" if failed.get("updatedBy") else ""
    return f"not approved{who}: {summary or 'no reason was given.'}"


def _approval(history: History) -> dict[str, str]:
    """Who approved, when, and with which comment, as far as CodePipeline reports it."""
    approval = history.newest(*APPROVAL, "Succeeded")
    if approval is None:
        return {}
    facts = {
        "approved_by": str(approval.get("updatedBy", "")),
        "approved_at": approval["lastUpdateTime"].isoformat(),
        "approval_summary": str(result_of(approval).get("externalExecutionSummary", "")),
    }
    return {name: text for name, text in facts.items() if text}


def _check_reason(history: History, approval: dict[str, str]) -> None:
    needed = history.outputs(*EVIDENCE).get("ReasonFor", NONE)
    if needed != NONE and not approval.get("approval_summary", "").strip():
        raise StepError(
            f"The release needs a reason ({needed}), and the approval has no comment. Nothing was deployed to"
            " production. Start the pipeline again with the same data set, and give a reason when you approve."
        )


def _check_registry(arn: str, package: dict[str, Any]) -> None:
    """Raise StepError for a package that a person has rejected; what ``record_end`` has written does not count."""
    description = str(package.get("ApprovalDescription", ""))
    if package.get("ModelApprovalStatus") != registry.REJECTED or description.startswith(_ENDED_BY):
        return
    raise StepError(
        f"Somebody has rejected model package {arn} in the model registry, with the description:"
        f" {description or 'none'}. Nothing was deployed to production. If it is to be deployed all the same, run: aws"
        f" sagemaker update-model-package --model-package-arn {arn} --model-approval-status PendingManualApproval; then"
        " retry the stage.",
        external_id=arn,
    )


def _check_group(arn: str, settings: Settings) -> None:
    group = arn.partition(":model-package/")[2].partition("/")[0]
    if group.lower() != settings.model_package_group.lower():
        raise ConfigurationError(
            f"Model package {arn} is not in the group {settings.model_package_group}; this pipeline decides"
            " only about its own model packages."
        )
