"""The buckets, key and queue that stages use, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a pipeline keeps its data. All values are references.

    Attributes:
        key_arn: KMS key of everything at rest.
        data_bucket: Bucket that data sets land in.
        data_bucket_arn: Its ARN.
        artifact_bucket: Bucket of artifacts, models and pinned data sets.
        artifact_bucket_arn: Its ARN.
        dead_letter_arn: Queue of the events and invocations that could not be delivered.
    """

    key_arn: str
    data_bucket: str
    data_bucket_arn: str
    artifact_bucket: str
    artifact_bucket_arn: str
    dead_letter_arn: str
