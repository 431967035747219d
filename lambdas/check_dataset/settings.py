"""What the function reads from its environment and from the action."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        artifact_bucket: Where the pinned copies go.
        maximum_bytes: Largest data set to accept, all its objects together.
    """

    artifact_bucket: str
    maximum_bytes: int


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        execution_id: The pipeline execution.
        bucket: Where the data set landed.
        key: The object that started the execution: the data set, or a ``.json`` manifest of it.
        version_id: Exactly this version of it.
        release: Number of the release that is deployed again, or ``none``.
    """

    execution_id: str
    bucket: str
    key: str
    version_id: str
    release: str
