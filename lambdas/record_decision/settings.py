"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        model_package_group: The only group whose packages are decided upon.
        pipeline: The only pipeline whose decisions count.
    """

    model_package_group: str
    pipeline: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        model_package_arn: The package that a person approved.
    """

    model_package_arn: str
