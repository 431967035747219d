"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        model_package_group: Model package group in which the model is registered.
        stack_parameters: For each environment, such as ``dev`` and ``production``, the CloudFormation
            parameters that do not depend on the model.
        artifact_bucket: Bucket with the records of releases, and of the content that was trained on.
        serving_image: Image that serves; empty for the image that trains.
        environment: Environment variables of the container that serves.
    """

    model_package_group: str
    stack_parameters: dict[str, dict[str, str]]
    artifact_bucket: str
    serving_image: str | None
    environment: dict[str, str]


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        job_name: The training job that produced the model.
        dataset_uri: The data set that it was trained on.
        sha256: Fingerprint of the data set.
        version_id: S3 version of the object that started the execution.
        evaluation_uri: S3 URI of the evaluation program's report, or ``none``.
        release: Number of the release that is deployed again, or ``none``.
        request_uri: S3 URI of what the data set requests for the endpoints, as JSON; ``none`` without a request.
    """

    execution_id: str
    job_name: str
    dataset_uri: str
    sha256: str
    version_id: str
    evaluation_uri: str
    release: str
    request_uri: str
