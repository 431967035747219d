"""The record of a release: gathered, numbered, and written exactly once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs, registry
from handler_kit.errors import StepError, error_code
from handler_kit.executions import History
from handler_kit.releases import Releases
from handler_kit.report import Success
from handler_kit.settings import NONE
from record_release.metrics import publish_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from record_release.settings import Params, Settings

# Key in the record to stage and action: with the outputs of these actions, the release can be deployed again.
REPLAYED = {
    "CheckDataset": ("Prepare", "CheckDataset"),
    "Train": ("Train", "Train"),
    "RunEvaluation": ("Evaluate", "RunEvaluation"),
}
ATTEMPTS = 10
# What an execution may do to an A/B test.
PROMOTE, ABORT = "promote", "abort"

_IN_USE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


@dataclass(frozen=True)
class Services:
    """The clients that a record needs."""

    codepipeline: Any
    sagemaker: Any
    s3: Any
    cloudwatch: Any


def record_release(params: Params, settings: Settings, services: Services) -> Success:
    """Write the record under the next number, or find the record that an earlier delivery of the event wrote."""
    record = _gather(params, settings, services)
    releases = Releases(services.s3, settings.artifact_bucket, settings.pipeline)
    number = _write(record, releases)
    _mark(params, number, services.sagemaker)
    publish_metrics(record["metrics"], settings, services.cloudwatch)
    uri = f"s3://{settings.artifact_bucket}/{releases.key_of(number)}"
    logs.info("release recorded", release=number, model_package=params.model_package_arn)
    return Success(
        {"Release": str(number), "ReleaseUri": uri}, summary=f"release {number}{_told(params)}", external_id=uri
    )


def _gather(params: Params, settings: Settings, services: Services) -> dict[str, Any]:
    history = History.read(services.codepipeline, settings.pipeline, params.execution_id)
    # Somebody may have deleted it meanwhile: what production runs is recorded all the same.
    package = registry.find(services.sagemaker, params.model_package_arn) or {}
    recorded = registry.properties_of(package)
    endpoint = services.sagemaker.describe_endpoint(EndpointName=settings.endpoint)
    steps = {step: history.outputs(*place) for step, place in REPLAYED.items()}
    training = steps["Train"]
    approval = history.newest("Approve", "Approve", "Succeeded") or {}
    tested = history.newest("DeployProduction", "SmokeTest", "Succeeded") or {}
    approved_at, released_at = approval.get("lastUpdateTime"), tested.get("lastUpdateTime")
    comment = approval.get("output", {}).get("executionResult", {}).get("externalExecutionSummary")
    return {
        "pipeline": settings.pipeline,
        "execution_id": params.execution_id,
        **({} if params.role is None else {"role": params.role}),
        **_again(params),
        "released_at": None if released_at is None else released_at.isoformat(),
        "model_package_arn": params.model_package_arn,
        "training_job_arn": training.get("JobArn"),
        "model_data_url": training.get("ModelDataUrl"),
        "image": training.get("Image"),
        "commit": recorded.get("commit", "unknown"),
        "dataset": _dataset(history.outputs("Source", "Dataset"), steps["CheckDataset"]),
        "metrics": registry.metrics_of(package),
        "gate": history.outputs("Evaluate", "Gate").get("Verdict"),
        "smoke_test": history.outputs("DeployProduction", "SmokeTest").get("Summary"),
        "evidence": history.outputs("Approve", "Evidence").get("EvidenceUri"),
        **_baseline(history),
        "approved_by": approval.get("updatedBy"),
        "approved_at": None if approved_at is None else approved_at.isoformat(),
        "approval_summary": comment,
        "endpoint": settings.endpoint,
        "endpoint_config": endpoint["EndpointConfigName"],
        "steps": {step: outputs for step, outputs in steps.items() if outputs},
    }


def _dataset(source: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "bucket": source.get("BucketName"),
        "key": source.get("ObjectKey"),
        "version_id": source.get("VersionId"),
        "uri": data.get("DatasetUri"),
        "sha256": data.get("Sha256"),
    }


def _baseline(history: History) -> dict[str, Any]:
    """Return what production is compared with, in a pipeline that watches it."""
    uri = history.outputs("DeployDev", "Baseline").get("BaselineUri")
    return {} if uri is None else {"baseline": uri}


def _again(params: Params) -> dict[str, Any]:
    """Return why an earlier release was deployed again, if it was."""
    number = None if params.release == NONE else int(params.release)
    if params.ab_test == PROMOTE:
        return {"rollback_to": None, "promotion_of": number}
    if params.ab_test == ABORT:
        return {"rollback_to": None, "end_of_test": True, "staying_release": number}
    return {"rollback_to": number}


def _told(params: Params) -> str:
    if params.ab_test == PROMOTE:
        return f", promotion of {params.release}"
    if params.ab_test == ABORT:
        return f", end of a test: {params.release} stays"
    return "" if params.release == NONE else f", rollback to {params.release}"


def _write(record: dict[str, Any], releases: Releases) -> int:
    """Write the record under the next free number; two concurrent writers never get the same number."""
    for _ in range(ATTEMPTS):
        newest = releases.newest_number()
        # An earlier delivery of this event may have written the record, and newer releases may follow it already.
        if (earlier := releases.number_of(record["execution_id"], newest)) is not None:
            return earlier
        body = json.dumps({"release": newest + 1, **record}, indent=2).encode()
        try:
            releases.s3.put_object(
                Bucket=releases.bucket,
                Key=releases.key_of(newest + 1),
                Body=body,
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error_code(error) not in _IN_USE:
                raise
            logs.info("the number is already in use", release=newest + 1)
            continue
        return newest + 1
    raise StepError(f"No free number for the release after {ATTEMPTS} attempts. Retry the stage.")


def _mark(params: Params, number: int, sagemaker: Any) -> None:
    """Record the number in the package; a package that a failed attempt of this stage rejected is approved again."""
    arn, properties = params.model_package_arn, {"release": str(number)}
    package = registry.find(sagemaker, arn)
    if package is None:
        return
    if package.get("ModelApprovalStatus") != registry.APPROVED:
        description = f"Released by pipeline execution {params.execution_id}, when its stage was retried."
        registry.mark(sagemaker, arn, registry.APPROVED, description, properties)
    elif params.release == NONE:
        registry.add_properties(sagemaker, arn, properties)
