"""Records of scored files: one JSON object beside the predictions of each job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from handler_kit.objects import read_object

RECORD, MANIFEST = "record.json", "manifest.json"
STARTED, WAITING, REFUSED = "Started", "Waiting", "Refused"
MAX_SUBJECT_CHARACTERS = 100


@dataclass(frozen=True)
class BatchRecords:
    """The records of one pipeline.

    Attributes:
        s3: The client.
        bucket: Bucket of predictions and records.
        prefix: Their folder.
        key_arn: Key that encrypts the records, or None for the bucket's default.
    """

    s3: Any
    bucket: str
    prefix: str
    key_arn: str | None

    def folder(self, name: str) -> str:
        """The folder of a job's predictions."""
        return f"{self.prefix}{name}/"

    def uri(self, name: str) -> str:
        """The S3 URI of a job's record."""
        return f"s3://{self.bucket}/{self.folder(name)}{RECORD}"

    def read(self, name: str) -> dict[str, Any] | None:
        """The record of a job; ``None`` before it exists."""
        found = read_object(self.s3, self.bucket, f"{self.folder(name)}{RECORD}")
        if found is None:
            return None
        record: dict[str, Any] = json.loads(found[0])
        return record

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Write the record of a job."""
        self._put(f"{self.folder(name)}{RECORD}", record)

    def write_manifest(self, name: str, folder: str, keys: list[str]) -> str:
        """Write what a job scores: exactly these objects of a folder, none with a longer key. Return its S3 URI.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformS3DataSource.html
        """
        key = f"{self.folder(name)}{MANIFEST}"
        self._put(key, [{"prefix": f"s3://{self.bucket}/{folder}"}, *(one.removeprefix(folder) for one in keys)])
        return f"s3://{self.bucket}/{key}"

    def _put(self, key: str, content: object) -> None:
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key_arn} if self.key_arn else {}
        self.s3.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=json.dumps(content, indent=2).encode(),
            ContentType="application/json",
            **encryption,
        )


def notify(sns: Any, topic_arn: str, pipeline: str, record: dict[str, Any]) -> None:
    """Tell people why a file has no predictions, or why they may be wrong."""
    subject = f"{pipeline}: batch {record['status'].lower()}"
    given = record["input"]
    text = (
        f"{record['reason']}\n\nInput: s3://{given['bucket']}/{given['key']}\nJob: {record['job']}\n"
        f"Record: {record['record_uri']}\n"
    )
    sns.publish(TopicArn=topic_arn, Subject=subject[:MAX_SUBJECT_CHARACTERS], Message=text)
