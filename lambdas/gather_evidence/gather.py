"""Read the model registry, the production stack and the execution's history, and store the evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gather_evidence import asked
from gather_evidence.ab_test import consequence
from gather_evidence.cost import cost_of
from gather_evidence.evidence import Evidence
from gather_evidence.scan import scan_of
from handler_kit import logs, registry
from handler_kit.asked import read_request
from handler_kit.console import execution_link
from handler_kit.executions import History
from handler_kit.objects import read_object
from handler_kit.production import find_stack, package_of
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gather_evidence.settings import Document, Params, Settings
    from handler_kit.production import Stack


def gather(
    params: Params,
    settings: Settings,
    document: Document,
    codepipeline: Any,
    sagemaker: Any,
    cloudformation: Any,
    s3: Any,
    ecr: Callable[[], Any],
) -> Evidence:
    """Everything that is known about the candidate.

    Raises StepError when production could not be updated now: an approver must not be asked in vain.
    """
    package = sagemaker.describe_model_package(ModelPackageName=params.model_package_arn)
    recorded = registry.properties_of(package)
    history = History.read(codepipeline, settings.pipeline, params.execution_id)
    stack = _production(cloudformation, settings)
    champion = package_of(stack)
    their_package = registry.find(sagemaker, champion) if champion else None
    request = read_request(history.outputs("Prepare", "CheckDataset").get("RequestUri", NONE), s3)
    fleet = asked.fleet(request, settings.production_parameters)
    cost = cost_of(request, settings, document)
    image = recorded.get("image", "unknown")
    scan = scan_of(image, document.max_critical_findings, ecr)
    source = history.outputs("Source", "Dataset")
    return Evidence(
        execution_id=params.execution_id,
        link=execution_link(params.model_package_arn, settings.pipeline, params.execution_id),
        release=params.release,
        candidate=params.model_package_arn,
        production=NONE if champion is None else champion or "unknown",
        paused=(stack.paused_at if stack is not None else None) or NONE,
        metrics=registry.metrics_of(package),
        production_metrics={} if their_package is None else registry.metrics_of(their_package),
        gate=history.outputs("Evaluate", "Gate").get("Verdict", "unknown"),
        smoke_test=history.outputs("DeployDev", "SmokeTest").get("Summary", "unknown"),
        dataset=source.get("ObjectKey", "unknown"),
        dataset_version=recorded.get("dataset_version", "unknown"),
        dataset_sha256=recorded.get("dataset_sha256", "unknown"),
        image=image,
        scan=scan.text,
        commit=recorded.get("commit", "unknown"),
        why=_why(params, settings, s3),
        asked=asked.changes(request),
        ab_test=consequence(params, settings, s3),
        fleet=settings.production_fleet if fleet is None else fleet,
        hourly_cost=cost.hourly,
        monthly_cost=cost.monthly,
        dev_time=cost.dev,
        price_source=cost.source,
        reason="; ".join(one for one in (scan.reason, cost.reason) if one != NONE) or NONE,
    )


def _production(cloudformation: Any, settings: Settings) -> Stack | None:
    stack = find_stack(cloudformation, settings.production_stack)
    if stack is not None:
        stack.check()
    return stack


def _why(params: Params, settings: Settings, s3: Any) -> str:
    """Which alarms started the execution; ``none`` when something else did."""
    if settings.retraining is None:
        return NONE
    key = f"retraining/{settings.pipeline}/executions/{params.execution_id}.json"
    found = read_object(s3, settings.artifact_bucket, key)
    return NONE if found is None else str(json.loads(found[0])["why"])


def store(evidence: Evidence, settings: Settings, s3: Any) -> str:
    """Store the full evidence as JSON and as text; return the S3 URI of the text."""
    place = f"evidence/{settings.pipeline}/{evidence.execution_id}"
    files = {
        f"{place}.json": ("application/json", json.dumps(evidence.document(), indent=2, sort_keys=True)),
        f"{place}.txt": ("text/plain; charset=utf-8", evidence.text()),
    }
    for key, (content_type, text) in files.items():
        s3.put_object(Bucket=settings.artifact_bucket, Key=key, Body=text.encode(), ContentType=content_type)
    logs.info("evidence stored", bucket=settings.artifact_bucket, key=f"{place}.txt")
    return f"s3://{settings.artifact_bucket}/{place}.txt"
