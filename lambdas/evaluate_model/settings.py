"""What the function reads from its environment, its document and the action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler_kit.documents import DocumentBase
from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        production_stack: The CloudFormation stack that serves production.
    """

    production_stack: str


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        rules: ``metric``, ``min_value``, ``max_value``, ``beat_production_by``, ``confidence_level`` and
            ``objective_type`` of each rule; all but the first and the last may be ``None``. A candidate must pass all
            rules.
        gate: Whether there is a gate; without one there are no rules, and every candidate passes.
    """

    gate: bool
    rules: list[dict[str, Any]]


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        model_package_arn: The candidate.
        release: Number of the release that is deployed again, or ``none``.
    """

    model_package_arn: str
    release: str
