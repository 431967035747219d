"""Register the model of an execution once, however often its event is delivered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.errors import ConfigurationError, StepFailure
from register_model.release import Release

if TYPE_CHECKING:
    from datetime import datetime

    from register_model.settings import Params, Settings

METRIC_PREFIX = "metric."
MAXIMUM_PROPERTIES = 50
CONTENT_TYPES = ["text/csv", "application/json"]

_PROPERTY_KEY = re.compile(r"[\w .:/=+\-@]{1,128}")


def register(params: Params, settings: Settings, sagemaker: Any) -> Release:
    """Find or make the model package of this execution. Raises StepFailure when training left no model."""
    job = sagemaker.describe_training_job(TrainingJobName=params.job_name)
    if job["TrainingJobStatus"] != "Completed":
        raise StepFailure(f"Training job {params.job_name} is {job['TrainingJobStatus']}; there is no model yet.")
    metrics = _metrics(job)
    properties = _properties(params, job, metrics)
    arn = _find(params, settings, sagemaker, job["CreationTime"])
    if arn is None:
        arn = _create(params, settings, sagemaker, job, properties)
    return Release(
        execution_id=params.execution_id,
        model_package_arn=arn,
        training_job=params.job_name,
        image=job["AlgorithmSpecification"]["TrainingImage"],
        model_data_url=job["ModelArtifacts"]["S3ModelArtifacts"],
        dataset_uri=params.dataset_uri,
        dataset_version=params.version_id,
        dataset_sha256=params.sha256,
        metrics=metrics,
    )


def _metrics(job: dict[str, Any]) -> dict[str, str]:
    # The shortest text that gives the same number back: a rounded one could pass a gate wrongly.
    return {metric["MetricName"]: repr(float(metric["Value"])) for metric in job.get("FinalMetricDataList", [])}


def _properties(params: Params, job: dict[str, Any], metrics: dict[str, str]) -> dict[str, str]:
    properties = {
        "execution_id": params.execution_id,
        "training_job": params.job_name,
        "dataset_version": params.version_id,
        "dataset_sha256": params.sha256,
        "image": job["AlgorithmSpecification"]["TrainingImage"],
        **{METRIC_PREFIX + name: value for name, value in metrics.items()},
    }
    for key in properties:
        if not _PROPERTY_KEY.fullmatch(key):
            raise ConfigurationError(
                f"Metric {key.removeprefix(METRIC_PREFIX)!r} cannot be recorded in the model registry: a name"
                " has at most 121 letters, digits, spaces and _.:/=+-@. Rename it in the metric definitions."
            )
    if len(properties) > MAXIMUM_PROPERTIES:
        raise ConfigurationError(
            f"The training job has {len(metrics)} metrics; the model registry can record"
            f" {MAXIMUM_PROPERTIES - len(properties) + len(metrics)}. Remove some metric definitions."
        )
    return properties


def _description(execution_id: str) -> str:
    return f"Trained by pipeline execution {execution_id}"


def _find(params: Params, settings: Settings, sagemaker: Any, trained_since: datetime) -> str | None:
    """The package that an earlier delivery of this event made; none is older than the training job."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=settings.model_package_group, SortBy="CreationTime", SortOrder="Descending"
    )
    for page in pages:
        for package in page["ModelPackageSummaryList"]:
            if package["CreationTime"] < trained_since:
                return None
            if package.get("ModelPackageDescription") == _description(params.execution_id):
                logs.info("model package found", model_package=package["ModelPackageArn"])
                return str(package["ModelPackageArn"])
    return None


def _create(params: Params, settings: Settings, sagemaker: Any, job: dict[str, Any], properties: dict[str, str]) -> str:
    container = {
        "Image": job["AlgorithmSpecification"]["TrainingImage"],
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    answer = sagemaker.create_model_package(
        ModelPackageGroupName=settings.model_package_group,
        ModelPackageDescription=_description(params.execution_id),
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": CONTENT_TYPES,
            "SupportedResponseMIMETypes": CONTENT_TYPES,
        },
        CustomerMetadataProperties=properties,
        ClientToken=params.execution_id,
    )
    logs.info("model package created", model_package=answer["ModelPackageArn"])
    return str(answer["ModelPackageArn"])
