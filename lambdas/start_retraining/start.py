"""Chooses the data set to train the new image on, if any, and starts the execution."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from start_retraining.settings import Settings

# Names in the pipeline.
DATASET = "Dataset"
TRAIN = "Train"
# Comes before Train when an event ends the wait.
START_TRAINING = "StartTraining"
RELEASE = "Release"


def start(settings: Settings, codepipeline: Any, ssm: Any) -> dict[str, Any]:
    """Start an execution on the newest data set that reached training, unless it would train nothing new.

    A data set whose training failed counts too: a corrected image is for exactly this data set. Returns
    ``{"started": execution ID or None, "reason": sentence}``.
    """
    image = str(ssm.get_parameter(Name=settings.image_parameter)["Parameter"]["Value"]).strip()
    if image in {"", NONE}:
        return _nothing("There is no image yet.")
    variable, wanted, noun = "Image", image, "image"
    if settings.source_parameter is not None:
        wanted = str(ssm.get_parameter(Name=settings.source_parameter)["Parameter"]["Value"])
        variable, noun = "SourceSha256", "script"
    newest: tuple[str, dict[str, str]] | None = None
    for execution in _executions(settings, codepipeline):
        name = execution["pipelineExecutionId"]
        if _deploys_a_release_again(name, settings, codepipeline):
            continue
        actions = _actions(name, settings, codepipeline)
        training = actions.get(TRAIN, actions.get(START_TRAINING))
        if training is None:
            if execution["status"] == "InProgress" and newest is None:
                return _nothing(f"Execution {name} has not trained yet and will use this image.")
            continue
        known = _variables(training).get(variable)
        if known == wanted and newest is None:
            return _nothing(f"Execution {name} has already trained with this {noun}.")
        newest = newest or (name, _variables(actions[DATASET]))
        if execution["status"] != "InProgress" or known is not None:
            return _begin(*newest, f"{wanted} {name}", settings, codepipeline)
    if newest is not None:
        return _begin(*newest, wanted, settings, codepipeline)
    return _nothing("No data set has reached training yet; the next upload will use this image.")


def _executions(settings: Settings, codepipeline: Any) -> Iterator[dict[str, Any]]:
    """All executions, the newest first."""
    pages = codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=settings.pipeline)
    for page in pages:
        yield from page["pipelineExecutionSummaries"]


def _deploys_a_release_again(execution_id: str, settings: Settings, codepipeline: Any) -> bool:
    """Whether an execution is a rollback, which trains nothing."""
    execution = codepipeline.get_pipeline_execution(pipelineName=settings.pipeline, pipelineExecutionId=execution_id)[
        "pipelineExecution"
    ]
    return any(
        variable["name"] == RELEASE and variable["resolvedValue"] != NONE for variable in execution.get("variables", [])
    )


def _actions(execution_id: str, settings: Settings, codepipeline: Any) -> dict[str, dict[str, Any]]:
    """The newest attempt of each action of an execution."""
    pages = codepipeline.get_paginator("list_action_executions").paginate(
        pipelineName=settings.pipeline, filter={"pipelineExecutionId": execution_id}
    )
    runs = [run for page in pages for run in page["actionExecutionDetails"]]
    return {run["actionName"]: run for run in sorted(runs, key=lambda run: run["startTime"])}


def _variables(run: dict[str, Any]) -> dict[str, str]:
    variables: dict[str, str] = run.get("output", {}).get("outputVariables", {})
    return variables


def _begin(
    trained_by: str, dataset: dict[str, str], what_for: str, settings: Settings, codepipeline: Any
) -> dict[str, Any]:
    """Start an execution, once for what is trained and after which training that has ended.

    What a training in progress trains with is known at its end only: the parameter may be written again with the same
    value meanwhile, and an event may be delivered twice.
    """
    key, version = dataset["ObjectKey"], dataset["VersionId"]
    started = codepipeline.start_pipeline_execution(
        name=settings.pipeline,
        sourceRevisions=[
            {"actionName": DATASET, "revisionType": "S3_OBJECT_KEY", "revisionValue": key},
            {"actionName": DATASET, "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": version},
        ],
        clientRequestToken=sha256(f"{what_for} {key} {version}".encode()).hexdigest(),
    )["pipelineExecutionId"]
    reason = f"Retraining on {key} (version {version}), the data set of execution {trained_by}."
    logs.info("retraining started", execution=started, reason=reason)
    return {"started": started, "reason": reason}


def _nothing(reason: str) -> dict[str, Any]:
    logs.info("nothing to start", reason=reason)
    return {"started": None, "reason": reason}
