"""Register the model of an execution once, even if its event is delivered several times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit import logs, registry
from handler_kit.errors import ConfigurationError, StepError
from handler_kit.images import pin
from handler_kit.objects import exists
from handler_kit.registry import MAX_PROPERTIES, METRIC_PREFIX, metric_value, property_value
from handler_kit.releases import Releases
from handler_kit.settings import NONE
from handler_kit.training_jobs import read_training_job, source_of
from register_model.commit import commit_of
from register_model.release import Release
from register_model.report import Report, read_report

if TYPE_CHECKING:
    from datetime import datetime

    from register_model.settings import Params, Settings

# Properties that are added later: who approved, when, with which comment, and the release number.
ADDED_LATER = 4
UNKNOWN_DIGEST = "- digest unknown: the registry did not return it"
CONTENT_TYPES = ["text/csv", "application/json"]

_PROPERTY_KEY = re.compile(r"[\w .:/=+\-@]{1,128}")


@dataclass(frozen=True)
class Services:
    """The clients that registering needs."""

    sagemaker: Any
    ecr: Any
    s3: Any


def register(params: Params, settings: Settings, services: Services) -> Release:
    """Find or create the model package of this execution. Raises StepError when training has produced no model."""
    found = read_training_job(services.sagemaker, params.job_name)
    if not found.has_result:
        raise StepError(f"Training job {params.job_name} is {found.status}; there is no model yet.")
    job = found.description
    if params.release != NONE:
        arn, image, metrics = _of_release(params, settings, services, job)
    else:
        report = _report(params, job, services)
        image = job["AlgorithmSpecification"]["TrainingImage"]
        if settings.serving_image is not None:
            image = pin(settings.serving_image, lambda: services.ecr)
        arn, metrics = _package(params, settings, services, job, image, report), report.metrics
    return Release(
        execution_id=params.execution_id,
        model_package_arn=arn,
        training_job=params.job_name,
        image=image,
        model_data_url=job["ModelArtifacts"]["S3ModelArtifacts"],
        dataset_uri=params.dataset_uri,
        dataset_version=params.version_id,
        dataset_sha256=params.sha256,
        metrics=metrics,
    )


def _of_release(
    params: Params, settings: Settings, services: Services, job: dict[str, Any]
) -> tuple[str, str, dict[str, str]]:
    """The package of the release that is deployed again, its image and its metrics.

    Raises StepError when the package or its model does not exist.
    """
    # The model package group has the name of the pipeline.
    releases = Releases(services.s3, settings.artifact_bucket, settings.model_package_group)
    arn = str(releases.read(params.release)["model_package_arn"])
    package = registry.find(services.sagemaker, arn)
    if package is None:
        raise StepError(
            f"Model package {arn} of release {params.release} does not exist, so the release cannot be deployed again."
            f" Choose another one: mlops releases {settings.model_package_group}"
        )
    uri = str(job["ModelArtifacts"]["S3ModelArtifacts"])
    if not exists(services.s3, uri):
        raise StepError(
            f"The model of release {params.release} does not exist: {uri}. Choose another release: mlops releases"
            f" {settings.model_package_group}"
        )
    logs.info("model package of a release", model_package=arn, release=params.release)
    (container,) = package["InferenceSpecification"]["Containers"]
    return arn, container["Image"], registry.metrics_of(package)


def _report(params: Params, job: dict[str, Any], services: Services) -> Report:
    """The metrics for the gate: those of the evaluation program when there is one, otherwise those of training."""
    if params.evaluation_uri != NONE:
        return read_report(services.s3, params.evaluation_uri)
    # `repr` gives the shortest text of exactly the same number: a rounded number could pass the gate wrongly.
    return Report({one["MetricName"]: repr(float(one["Value"])) for one in job.get("FinalMetricDataList", [])})


def _package(
    params: Params, settings: Settings, services: Services, job: dict[str, Any], image: str, report: Report
) -> str:
    properties = _properties(params, job, report, services)
    found = _find(params, settings, services.sagemaker, job["CreationTime"])
    if found is not None:
        return found
    container: dict[str, Any] = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    if settings.environment:
        container["Environment"] = settings.environment
    return _create(params, settings, services.sagemaker, container, properties)


def _properties(params: Params, job: dict[str, Any], report: Report, services: Services) -> dict[str, str]:
    image = job["AlgorithmSpecification"]["TrainingImage"]
    properties = {
        "execution_id": params.execution_id,
        "training_job_arn": job["TrainingJobArn"],
        "dataset_version": params.version_id,
        "dataset_sha256": params.sha256,
        "image": image if "@" in image else f"{image} {UNKNOWN_DIGEST}",
        "commit": commit_of(image, services.ecr),
        **({"evaluation_problem": report.problem} if report.problem else {}),
    }
    source = source_of(job)
    if source is not None:
        properties["source_sha256"] = source
    properties = {key: property_value(value) for key, value in properties.items()}
    properties |= {METRIC_PREFIX + name: metric_value(value) for name, value in report.metrics.items()}
    for key in properties:
        if not _PROPERTY_KEY.fullmatch(key):
            raise ConfigurationError(
                f"Metric {key.removeprefix(METRIC_PREFIX)!r} cannot be recorded in the model registry: a name"
                " has at most 121 letters, digits, spaces and _.:/=+-@. Rename it in the metric definitions."
            )
    maximum = MAX_PROPERTIES - ADDED_LATER
    if len(properties) > maximum:
        raise ConfigurationError(
            f"The candidate has {len(report.metrics)} metrics; the model registry can record"
            f" {maximum - len(properties) + len(report.metrics)}. Remove some metric definitions."
        )
    return properties


def _description(execution_id: str) -> str:
    return f"Trained by pipeline execution {execution_id}"


def _find(params: Params, settings: Settings, sagemaker: Any, trained_since: datetime) -> str | None:
    """The package that an earlier delivery of this event created; it cannot be older than the training job."""
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


def _create(
    params: Params, settings: Settings, sagemaker: Any, container: dict[str, Any], properties: dict[str, str]
) -> str:
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
        **_model_metrics(params, properties),
    )
    logs.info("model package created", model_package=answer["ModelPackageArn"])
    return str(answer["ModelPackageArn"])


def _model_metrics(params: Params, properties: dict[str, str]) -> dict[str, Any]:
    """The report as ``ModelMetrics``, which the registry shows; empty when the report could not be read."""
    if params.evaluation_uri == NONE or "evaluation_problem" in properties:
        return {}
    statistics = {"ContentType": "application/json", "S3Uri": params.evaluation_uri}
    return {"ModelMetrics": {"ModelQuality": {"Statistics": statistics}}}
