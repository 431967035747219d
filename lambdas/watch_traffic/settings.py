"""What the functions read: the watch of the schedule, and the maker of baselines, which a pipeline action invokes."""

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
        artifact_bucket: Bucket with the data sets, captured records, outcomes, baselines and the watch.
        endpoint: Name of the endpoint: production is watched, DEV is invoked for a baseline.
        topic_arn: SNS topic that is notified; empty for a baseline.
        retrain_function: Function that is invoked when an alarm is raised; empty for none.
    """

    pipeline: str
    artifact_bucket: str
    endpoint: str
    topic_arn: str | None
    retrain_function: str | None


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        monitoring: The arguments of ``Monitoring``.
        channels: Channels that a model is not trained with, in the order of preference.
        accept: ``Accept`` header of the invocations.
        max_bytes: As many bytes of a channel are read.
        ab_test: Whether production serves a champion and a challenger.
    """

    monitoring: dict[str, Any]
    channels: list[str]
    accept: str
    max_bytes: int
    ab_test: bool


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        dataset_uri: The data set that the candidate was trained on.
        channels: Its channels, separated by commas.
        request_uri: S3 URI of what the data set requests and declares, or ``none``.
        model_package_arn: Model package of the candidate.
    """

    dataset_uri: str
    channels: str
    request_uri: str
    model_package_arn: str
