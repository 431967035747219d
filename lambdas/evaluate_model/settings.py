"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        rules: ``metric``, ``minimum``, ``maximum`` and ``beat_production_by`` of each rule, the last three perhaps
            empty. All rules must hold.
        production_stack: The CloudFormation stack that serves production.
    """

    rules: list[dict[str, str]]
    production_stack: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        model_package_arn: The candidate.
        release: Number of the release that is deployed again, or ``none``.
    """

    model_package_arn: str
    release: str
