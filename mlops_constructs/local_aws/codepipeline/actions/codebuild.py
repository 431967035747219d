"""The CodeBuild action: starts a build on the input artifact and waits for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.codepipeline.state import AbandonedError, ActionFailedError

if TYPE_CHECKING:
    from mlops_constructs.local_aws.codepipeline.context import ActionContext

POLL_SECONDS = 0.4


def run(context: ActionContext) -> dict[str, str]:
    """Run a build; its exported variables become the action's output variables."""
    codebuild = context.client("codebuild")
    build = codebuild.start_build(**_request(context))["build"]
    try:
        build = _finished(context, codebuild, build)
    except AbandonedError:
        codebuild.stop_build(id=build["id"])
        raise
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailedError(_reason(build))
    return {entry["name"]: entry["value"] for entry in build.get("exportedEnvironmentVariables", [])}


def _request(context: ActionContext) -> dict[str, Any]:
    configuration = context.run.configuration
    if configuration.get("BatchEnabled", "false").lower() == "true":
        raise ActionFailedError("the local AWS does not support batch builds", "ConfigurationError")
    primary = configuration.get("PrimarySource")
    source = context.input(primary) if primary is not None else context.run.inputs[0]
    request: dict[str, Any] = {
        "projectName": context.setting("ProjectName"),
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": f"{source.bucket}/{source.key}",
        "environmentVariablesOverride": json.loads(configuration.get("EnvironmentVariables", "[]")),
    }
    if source.revision is not None:
        request["sourceVersion"] = source.revision
    if context.run.outputs:
        output = context.run.outputs[0]
        folder, name = output.key.rsplit("/", 1)
        request["artifactsOverride"] = {
            "type": "S3",
            "location": output.bucket,
            "path": folder,
            "name": name,
            "packaging": "ZIP",
        }
    else:
        request["artifactsOverride"] = {"type": "NO_ARTIFACTS"}
    return request


def _finished(context: ActionContext, codebuild: Any, build: dict[str, Any]) -> dict[str, Any]:
    while True:
        with context.changed:
            context.run.external_id = build["id"]
            context.run.external_url = build.get("logs", {}).get("deepLink")
        if build["buildStatus"] != "IN_PROGRESS":
            return build
        context.pause(POLL_SECONDS)
        build = codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]


def _reason(build: dict[str, Any]) -> str:
    for phase in build.get("phases", []):
        if phase.get("phaseStatus", "SUCCEEDED") not in ("SUCCEEDED", "QUEUED"):
            words = "; ".join(entry["message"] for entry in phase.get("contexts", []) if entry.get("message"))
            return f"build {build['id']}: {phase['phaseType']} {phase['phaseStatus']}: {words}"
    return f"build {build['id']}: {build['buildStatus']}"
