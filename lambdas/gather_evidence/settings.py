"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: The pipeline whose executions are looked into.
        artifact_bucket: Where the full evidence goes, under ``evidence/<pipeline>/``.
        production_stack: The CloudFormation stack that serves production.
        production_fleet: What production runs on, for people, such as ``2 to 4 x ml.m5.large``.
        production_parameters: The configured template parameters of that fleet.
        hourly_cost: What that costs an hour, for people, or ``unknown``.
    """

    pipeline: str
    artifact_bucket: str
    production_stack: str
    production_fleet: str
    production_parameters: dict[str, str]
    hourly_cost: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        model_package_arn: The candidate.
        release: Number of the release that is deployed again, or ``none``.
    """

    execution_id: str
    model_package_arn: str
    release: str
