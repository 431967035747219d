"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket that stores the records, under ``releases/<pipeline>/``.
        endpoint: Name of the production endpoint.
        metric_namespace: CloudWatch namespace of the metrics of releases.
    """

    pipeline: str
    artifact_bucket: str
    endpoint: str
    metric_namespace: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        model_package_arn: The package that production runs now.
        release: Number of the release that was deployed again, or ``none``.
        role: In a pipeline with A/B tests: ``champion`` or ``challenger``; optional.
        ab_test: In such a pipeline, what the execution did to a test: ``promote``, ``abort`` or ``none``; optional.
    """

    execution_id: str
    model_package_arn: str
    release: str
    role: str | None = None
    ab_test: str | None = None
