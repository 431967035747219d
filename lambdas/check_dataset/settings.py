"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.documents import DocumentBase
from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        artifact_bucket: Where the pinned copies go.
        max_bytes: Maximum size of a data set, all its objects together.
        max_inspected_bytes: Maximum number of bytes of a data set that are inspected, all its objects together.
        readable: The ``s3://`` folders that data sets may be in, separated by spaces.
        contract_key: Key of the team's data contract in the artifact bucket; empty for none.
        duplicates: ``allow``, ``refuse`` or ``skip`` content that was trained on before.
        pipeline: Name of the pipeline, in which a skipped execution is stopped; records are stored under this name.
        image_parameter: Name of the SSM parameter that holds the image to train with.
        production_stack: The CloudFormation stack that serves production.
        dev_stack: The CloudFormation stack that serves DEV; empty where it is deleted after each decision.
        role_arns: The roles that deploy and serve the endpoints, separated by spaces.
        topic_arn: The SNS topic of the approval; empty for one that the pipeline does not own.
        fleets: Environment to the configured template parameters of its fleet.
        min_instances: Environment to the minimum number of instances that its rollout needs.
    """

    artifact_bucket: str
    max_bytes: int
    max_inspected_bytes: int
    readable: str
    contract_key: str | None
    duplicates: str
    pipeline: str
    image_parameter: str
    production_stack: str
    dev_stack: str | None
    role_arns: str
    topic_arn: str | None
    fleets: dict[str, dict[str, str]]
    min_instances: dict[str, str]


@dataclass(frozen=True)
class Document(DocumentBase):
    """The limits: the configuration, widened by ``Dataset(requests=...)``.

    Attributes:
        training: Limits of the training job.
        dev: Limits of the DEV endpoint.
        production: Limits of the production endpoint.
        ab_test: Whether the pipeline has A/B tests.
    """

    training: dict[str, Any]
    dev: dict[str, Any]
    production: dict[str, Any]
    ab_test: bool


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        bucket: Bucket that the data set was uploaded to.
        key: The object that started the execution: a data set, a ``.json`` manifest of one, or a
            ``trainingjob.zip`` that describes a training.
        version_id: The version of that object.
        release: Number of the release that is deployed again, or ``none``.
    """

    execution_id: str
    bucket: str
    key: str
    version_id: str
    release: str
