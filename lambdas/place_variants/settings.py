"""What the function reads from its environment, from its archive and from the action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.documents import DocumentBase
from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket that stores the record.
        endpoint: Name of the production endpoint, and of its stack.
    """

    pipeline: str
    artifact_bucket: str
    endpoint: str


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        plan: What a test is begun with: statistics, sources, sticky users, guard.
        fleet: The configured template parameters of a slot and of the endpoint.
        instance_types: Instance types that a slot may have.
        bake_seconds: How long the alarms are watched after a change that SageMaker does not watch.
        has_alarms: Whether the template has alarms and a deployment policy.
    """

    plan: dict[str, Any]
    fleet: dict[str, Any]
    instance_types: list[Any]
    bake_seconds: int
    has_alarms: bool


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        step: ``plan`` before the change sets, ``settle`` after them.
        execution_id: The pipeline execution.
        model_package_arn: The model package that is released.
        image: Its image.
        model_data_url: Its model data.
        release: Number of the release that is deployed again, or ``none``.
        ab_test: What the execution does: ``none``, ``promote`` or ``abort``.
    """

    step: str
    execution_id: str
    model_package_arn: str
    image: str
    model_data_url: str
    release: str
    ab_test: str
