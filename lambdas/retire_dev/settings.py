"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: The pipeline.
        dev_stack: The CloudFormation stack of its DEV endpoint.
        deploy_role_arn: Role with which CloudFormation deploys DEV.
    """

    pipeline: str
    dev_stack: str
    deploy_role_arn: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution that is about to deploy DEV.
    """

    execution_id: str
