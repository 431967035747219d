"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        model_package_group: Where the model is registered.
        stack_parameters: For each environment, such as ``dev`` and ``production``, the CloudFormation
            parameters that do not depend on the model.
        artifact_bucket: Where the records of releases lie, and of what was trained on.
    """

    model_package_group: str
    stack_parameters: dict[str, dict[str, str]]
    artifact_bucket: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        job_name: The training job that made the model.
        dataset_uri: What it was trained on.
        sha256: Fingerprint of the data set.
        version_id: S3 version of the object that started the execution.
        evaluation_uri: ``s3://`` address of the evaluation program's report, or ``none``.
        release: Number of the release that is deployed again, or ``none``.
        request_uri: What the data set asks of the endpoints, as JSON in S3; ``none`` where it asks nothing.
    """

    execution_id: str
    job_name: str
    dataset_uri: str
    sha256: str
    version_id: str
    evaluation_uri: str
    release: str
    request_uri: str
