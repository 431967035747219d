"""What the function reads from its environment and from the event."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        repository: The CodeCommit repository.
        branch: The branch that gets the content.
        source_bucket: Where the zip file lies.
    """

    repository: str
    branch: str
    source_bucket: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        key: The zip file; every file in it becomes a file of the repository.
    """

    key: str
