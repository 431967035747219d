"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        metric: Name of the metric that decides, such as ``validation:accuracy``.
        minimum: Least value that passes; empty for no such rule.
        maximum: Greatest value that passes; empty for no such rule. With it alone, lower is better.
        beat_production_by: How much better than production's model it must be; empty for no comparison.
        production_stack: The CloudFormation stack that serves production.
    """

    metric: str
    minimum: float | None
    maximum: float | None
    beat_production_by: float | None
    production_stack: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        model_package_arn: The candidate.
    """

    model_package_arn: str
