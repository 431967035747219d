"""The buckets, key and queue that stages use, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .naming import artifact_folder
from .policy import allow, through

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .policy import Statement


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a pipeline stores its data. All values except ``pipeline`` and ``data_folders`` may be references.

    Attributes:
        pipeline: Name of the pipeline.
        key_arn: KMS key that encrypts everything at rest.
        data_bucket: Bucket that data sets are uploaded to.
        data_bucket_arn: Its ARN.
        data_folders: Folders of it that are read, or None for all of it when the bucket is the pipeline's own.
        data_key_arn: Key of an existing data bucket, or None when ``key_arn`` or S3's own key is used.
        artifact_bucket: Bucket of artifacts, models and pinned data sets.
        artifact_bucket_arn: Its ARN.
        dead_letter_arn: ARN of the dead-letter queue, for events and invocations that could not be delivered.
        region: Region of all of them.
        queue_is_existing: Whether the dead-letter queue is an existing one.
    """

    pipeline: str
    key_arn: str
    data_bucket: str
    data_bucket_arn: str
    artifact_bucket: str
    artifact_bucket_arn: str
    dead_letter_arn: str
    region: str
    queue_is_existing: bool
    data_folders: Sequence[str] | None = None
    data_key_arn: str | None = None

    def own(self, folder: str, name: str) -> str:
        """Return the key of an object in the artifact bucket, with the name of the pipeline in it.

        Several pipelines may use the same existing bucket.
        """
        return f"{folder}/{self.pipeline}/{name}"

    def own_arn(self, folder: str) -> str:
        """Return the pattern of the ARNs of such objects in a folder."""
        return f"{self.artifact_bucket_arn}/{self.own(folder, '*')}"

    def passed_on(self, codepipeline: str) -> str:
        """Return the pattern of the ARNs of a CodePipeline's artifacts.

        No two pipelines have the same folder: ``Pipeline`` refuses the second one.
        """
        return f"{self.artifact_bucket_arn}/{artifact_folder(codepipeline)}/*"

    @property
    def data_objects(self) -> list[str]:
        """ARN patterns of the objects that may be read."""
        folders = [""] if self.data_folders is None else self.data_folders
        return [f"{self.data_bucket_arn}/{folder}*" for folder in folders]

    def list_data(self, actions: Sequence[str]) -> list[Statement]:
        """Allow ``actions`` that list the bucket, for what may be read."""
        if self.data_folders is None:
            return [allow(actions, self.data_bucket_arn)]
        prefixes = [f"{folder}*" for folder in self.data_folders]
        return [allow(actions, self.data_bucket_arn, when={"StringLike": {"s3:prefix": prefixes}})]

    def use_data_key(self, *, write: bool = False) -> list[Statement]:
        """Allow reading objects that an existing bucket's key encrypts, and with ``write`` also writing them."""
        if self.data_key_arn is None:
            return []
        actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if write else [])]
        return [allow(actions, self.data_key_arn, when=through(self.region, "s3"))]
