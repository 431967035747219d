"""The state of a deployed pipeline at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import explained
from .endpoints import endpoint_of
from .executions import Executions
from .reasons import why_started
from .releases import Releases
from .stacks import find_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .executions import Execution
    from .pipeline import DeployedPipeline

_EXECUTIONS = 5
# States of a stack whose parameters are those of the model that its endpoint serves.
_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionState:
    """One execution.

    Attributes:
        execution_id: Its id.
        status: As in CodePipeline.
        started_at: ISO 8601.
        why: What alarms say, if they started it; empty otherwise.
        place: Stage and action that it is at, or was last at; empty before the first action.
        reason: Why it failed; empty otherwise.
        evidence: What the approver reads, if it waits for approval; empty otherwise.
    """

    execution_id: str
    status: str
    started_at: str
    why: str
    place: str
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """One endpoint.

    Attributes:
        stack: CloudFormation stack that deploys it.
        status: EndpointStatus of SageMaker, or why there is none.
        instances: Such as ``2 x ml.m5.large``; empty when there is none.
    """

    stack: str
    status: str
    instances: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The state of a pipeline.

    Attributes:
        pipeline: Its name.
        executions: The newest executions, newest first.
        endpoints: DEV and production.
        release: Number of the newest release, or None.
        unrecorded: Execution whose model production serves although it ended before its release was recorded, or None.
        image: Status of the newest execution of the image pipeline, or None where no image is built.
    """

    pipeline: str
    executions: Sequence[ExecutionState]
    endpoints: Sequence[EndpointState]
    release: int | None
    unrecorded: str | None
    image: str | None

    @classmethod
    def of(cls, pipeline: DeployedPipeline) -> Overview:
        """Look everything up. Raises MlopsError when AWS refuses."""
        executions = pipeline.executions
        newest = executions.newest()
        return cls(
            pipeline=pipeline.name,
            executions=[
                _state(one, executions.execution(one["pipelineExecutionId"]), why_started(pipeline, one))
                for one in newest[:_EXECUTIONS]
            ],
            endpoints=[_endpoint(pipeline, stack) for stack in pipeline.stacks],
            release=Releases(pipeline).newest() if pipeline.takes_releases else None,
            unrecorded=_unrecorded(pipeline, {one["pipelineExecutionId"] for one in newest}),
            image=_image(pipeline),
        )


def _state(summary: dict[str, Any], execution: Execution, why: str) -> ExecutionState:
    last = execution.actions[-1] if execution.actions else None
    waiting = next((action for action in execution.actions if action.waits), None)
    return ExecutionState(
        execution_id=execution.execution_id,
        status=execution.status,
        started_at=summary["startTime"].isoformat(timespec="seconds"),
        why=why,
        place="" if last is None else f"{last.stage} / {last.name}",
        reason=execution.reason if execution.status != "Succeeded" else "",
        evidence="" if waiting is None else waiting.evidence,
    )


def _endpoint(pipeline: DeployedPipeline, stack: str) -> EndpointState:
    try:
        name = endpoint_of(pipeline, stack)
    except MlopsError as error:
        return EndpointState(stack=stack, status=str(error))
    sagemaker = pipeline.client("sagemaker")
    with explained(f"the endpoint {name} could not be looked up"):
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    types = {one["VariantName"]: one.get("InstanceType", "serverless") for one in config["ProductionVariants"]}
    fleets = [
        "serverless"
        if types.get(one["VariantName"]) == "serverless"
        else f"{one.get('CurrentInstanceCount', 0)} x {types.get(one['VariantName'], 'unknown')}"
        for one in endpoint.get("ProductionVariants", [])
    ]
    return EndpointState(stack=stack, status=endpoint["EndpointStatus"], instances=", ".join(fleets))


def _unrecorded(pipeline: DeployedPipeline, known: set[str]) -> str | None:
    """Return the execution that has deployed production and is not on record, if CodePipeline still knows it."""
    stack = find_stack(pipeline.client, pipeline.stacks[-1])
    deployed_by = "" if stack is None or stack.status not in _DEPLOYED else stack.parameters.get("ExecutionId", "")
    if deployed_by not in known:
        return None
    execution = pipeline.executions.execution(deployed_by)
    recorded = any(one.name == "RecordRelease" and one.status == "Succeeded" for one in execution.actions)
    return None if recorded or not execution.ended else deployed_by


def _image(pipeline: DeployedPipeline) -> str | None:
    name = pipeline.image_pipeline
    if name is None:
        return None
    newest = Executions(pipeline.client, name).newest()
    return str(newest[0]["status"]) if newest else "never built"
