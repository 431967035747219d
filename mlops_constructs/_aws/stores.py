"""The buckets, key and queue that stages use, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .naming import artifact_folder
from .policy import allow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .policy import Statement


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a pipeline keeps its data. All values but the name are references.

    Attributes:
        pipeline: Name of the pipeline.
        key_arn: KMS key of everything at rest.
        data_bucket: Bucket that data sets land in.
        data_bucket_arn: Its ARN.
        data_folders: What of it is read, or None for all of it: it is the pipeline's own.
        data_key_arn: Key of an existing data bucket, or None where ``key_arn`` or S3's own is used.
        artifact_bucket: Bucket of artifacts, models and pinned data sets.
        artifact_bucket_arn: Its ARN.
        dead_letter_arn: Queue of the events and invocations that could not be delivered.
    """

    pipeline: str
    key_arn: str
    data_bucket: str
    data_bucket_arn: str
    artifact_bucket: str
    artifact_bucket_arn: str
    dead_letter_arn: str
    data_folders: Sequence[str] | None = None
    data_key_arn: str | None = None

    def own(self, folder: str, name: str) -> str:
        """Give the key of an object of the artifact bucket that no execution or job makes unique.

        Several pipelines may be handed the same bucket.
        """
        return f"{folder}/{self.pipeline}/{name}"

    def own_arn(self, folder: str) -> str:
        """Give the pattern of the ARNs of such objects."""
        return f"{self.artifact_bucket_arn}/{self.own(folder, '*')}"

    def passed_on(self, codepipeline: str) -> str:
        """Give the pattern of the ARNs of a CodePipeline's artifacts.

        No two pipelines have the same folder: ``Pipeline`` refuses it.
        """
        return f"{self.artifact_bucket_arn}/{artifact_folder(codepipeline)}/*"

    @property
    def data_objects(self) -> list[str]:
        """ARN patterns of the objects that are read."""
        folders = [""] if self.data_folders is None else self.data_folders
        return [f"{self.data_bucket_arn}/{folder}*" for folder in folders]

    def list_data(self, actions: Sequence[str]) -> list[Statement]:
        """Allow listing what is read."""
        if self.data_folders is None:
            return [allow(actions, self.data_bucket_arn)]
        prefixes = [f"{folder}*" for folder in self.data_folders]
        return [allow(actions, self.data_bucket_arn, when={"StringLike": {"s3:prefix": prefixes}})]

    def use_data_key(self, *, write: bool = False) -> list[Statement]:
        """Allow reading what an existing bucket's key encrypts, and with ``write`` also writing."""
        if self.data_key_arn is None:
            return []
        return [allow(["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])], self.data_key_arn)]
