"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.documents import DocumentBase
from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline.
        artifact_bucket: Bucket that stores the full evidence, under ``evidence/<pipeline>/``.
        production_stack: The CloudFormation stack that serves production.
        production_fleet: What production runs on, as text for people, such as ``2 to 4 x ml.m5.large``.
        production_parameters: The configured template parameters of that fleet.
        ab_test: Not empty in a pipeline with A/B tests.
        retraining: Not empty in a pipeline in which alarms start executions.
    """

    pipeline: str
    artifact_bucket: str
    production_stack: str
    production_fleet: str
    production_parameters: dict[str, str]
    ab_test: str | None
    retraining: str | None


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        hourly_prices_usd: Environment to instance type to the price of one instance per hour, where it is known.
        price_sources: Instance type to where its price for production is from.
        dev_parameters: The configured template parameters of the DEV fleet.
        office_hours: Environment to the capacities outside its office hours, and the share of a week within them.
        max_dev_hours: How long DEV runs for a release at most, or ``None`` where it is kept after the decision.
        max_critical_findings: How many critical findings the image's scan may have without a reason, or ``None`` where
            nobody reads them.
        max_monthly_usd: What both endpoints may cost a month without a reason, or ``None`` for any cost.
    """

    hourly_prices_usd: dict[str, dict[str, float]]
    price_sources: dict[str, str]
    dev_parameters: dict[str, str]
    office_hours: dict[str, dict[str, float]]
    max_dev_hours: float | None
    max_critical_findings: int | None
    max_monthly_usd: float | None


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        model_package_arn: The candidate.
        release: Number of the release that is deployed again, or ``none``.
        ab_test: In a pipeline with A/B tests: ``promote``, ``abort`` or ``none``; optional.
    """

    execution_id: str
    model_package_arn: str
    release: str
    ab_test: str | None = None
