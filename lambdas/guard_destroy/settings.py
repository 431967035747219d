"""What the function reads from its environment and from its archive."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.documents import DocumentBase
from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline, of its model package group and of the value of its tag.
    """

    pipeline: str


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        pipelines: Name of each CodePipeline to the name of its second stage.
        endpoints: Names of the endpoints, each also that of its stack, in the order of the deletion.
        job_prefixes: Jobs are named ``<prefix>-<12 hex digits of the execution>``.
        deletes: Whether what is left is deleted; otherwise the destroy is refused.
    """

    pipelines: dict[str, str]
    endpoints: list[str]
    job_prefixes: list[str]
    deletes: bool
