"""What the function reads from its environment and from the event."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.settings import ParamsBase, SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        repository: Name of the CodeCommit repository.
        branch: Name of the branch to commit the content to.
        source_bucket: Bucket with the zip file.
    """

    repository: str
    branch: str
    source_bucket: str


@dataclass(frozen=True)
class Params(ParamsBase):
    """
    Attributes:
        key: Key of the zip file; every file in it becomes a file of the repository.
        removal: ``retain`` refuses to delete a repository that people have committed to.
    """

    key: str
    removal: str
