"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        model_package_group: The only group whose model packages this function marks.
        pipeline: The only pipeline whose decisions count.
        approval_timeout_minutes: Timeout of the manual approval, in minutes.
        production_stack: The CloudFormation stack that serves production.
        deploy_role_arn: Role with which CloudFormation deploys production.
        ab_record_bucket: Bucket with the record of champion and challenger; empty without A/B tests.
    """

    model_package_group: str
    pipeline: str
    approval_timeout_minutes: int
    production_stack: str
    deploy_role_arn: str
    ab_record_bucket: str | None


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        model_package_arn: The package that a person approved.
    """

    execution_id: str
    model_package_arn: str
