"""Batch transform of a deployed pipeline: files are uploaded, followed by their records, and downloaded."""

from __future__ import annotations

import hashlib
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .datasets import put_file
from .documents import json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from .datasets import Advance
    from .pipeline import DeployedPipeline

FUNCTION = "start-batch"
RECORD = "record.json"
# A record with one of these is not the last word.
OPEN = frozenset({"Started", "Waiting"})
_DIGITS = 20
_POLL_SECONDS = 2.0


class Batches:
    """The batches of one pipeline."""

    def __init__(self, pipeline: DeployedPipeline) -> None:
        """Use this pipeline."""
        self._pipeline, self._s3 = pipeline, pipeline.client("s3")

    @cached_property
    def _settings(self) -> Mapping[str, str]:
        """What its function is configured with. Raises MlopsError when the pipeline scores no files."""
        from botocore.exceptions import ClientError

        name = self._pipeline.name
        with explained(f"the batches of {name} could not be looked up"):
            try:
                found = self._pipeline.client("lambda").get_function_configuration(FunctionName=f"{name}-{FUNCTION}")
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                raise MlopsError(f"{name} scores no files: give MLOpsPipeline batch=BatchTransform()") from None
        settings: dict[str, str] = found["Environment"]["Variables"]
        return settings

    @property
    def input_prefix(self) -> str:
        """Folder of the data bucket with the files to score."""
        return self._settings["INPUT_PREFIX"]

    @property
    def output_prefix(self) -> str:
        """Folder of the data bucket with predictions and records."""
        return self._settings["OUTPUT_PREFIX"]

    def check(self, paths: Iterable[Path]) -> None:
        """Raise MlopsError for what cannot be scored: no file, an empty one, or a second one of the same name."""
        by_name: dict[str, Path] = {}
        for path in paths:
            if not path.is_file():
                raise MlopsError(f"{path} is not a file; nothing was uploaded")
            if path.stat().st_size == 0:
                raise MlopsError(f"{path} is empty; nothing was uploaded")
            first = by_name.setdefault(path.name, path)
            if first is not path:
                # SageMaker reads the newest version of an object: the first job would score the second file.
                raise MlopsError(
                    f"{first} and {path} would be the same object {self.input_prefix}{path.name}: rename one, or score"
                    " one after the other; nothing was uploaded"
                )

    def upload(self, path: Path, *, advance: Advance | None = None) -> str:
        """Upload a file, which starts its job; return the name of the job. Raises MlopsError for an empty file."""
        self.check([path])
        key = f"{self.input_prefix}{path.name}"
        version = put_file(self._s3, self._pipeline.data_bucket, key, path, advance)
        return self.job_of(key, version)

    def job_of(self, key: str, version_id: str) -> str:
        """Return the name of the job that scores a version of a file."""
        digits = hashlib.sha256(f"{key}\n{version_id}".encode()).hexdigest()[:_DIGITS]
        return f"{self._settings['JOB_PREFIX']}-{digits}"

    def record(self, job: str) -> dict[str, Any] | None:
        """Return the record of a job; None before it has one."""
        bucket, key = self._pipeline.data_bucket, f"{self.output_prefix}{job}/{RECORD}"
        with explained(f"the record of {job} could not be read"):
            # Of a missing object, S3 says "access denied" to a role that may list only a part of the bucket.
            found = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
            if not found:
                return None
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return json_object(body, f"s3://{bucket}/{key}", "the record of a batch")

    def newest(self, count: int) -> list[dict[str, Any]]:
        """Return the records of the last batches, newest first."""
        bucket = self._pipeline.data_bucket
        with explained(f"the batches of {self._pipeline.name} could not be listed"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=self.output_prefix)
            found = [one for page in pages for one in page.get("Contents", []) if one["Key"].endswith(f"/{RECORD}")]
        found.sort(key=lambda one: one["LastModified"], reverse=True)
        jobs = [one["Key"].removeprefix(self.output_prefix).partition("/")[0] for one in found[:count]]
        records = [record for record in map(self.record, jobs) if record is not None]
        return sorted(records, key=lambda record: str(record["started_at"]), reverse=True)

    def follow(self, job: str, seconds: float, told: Callable[[str], None] = lambda _: None) -> dict[str, Any] | None:
        """Wait until a job has ended; return its last record, which is None when it has not started in that time.

        Args:
            job: Its name.
            seconds: How long to wait.
            told: Called with each new status.
        """
        deadline, shown, record = time.monotonic() + seconds, "", None
        while True:
            record = self.record(job)
            status = "Waiting" if record is None else str(record["status"])
            if status != shown:
                told(status)
                shown = status
            if (record is not None and status not in OPEN) or time.monotonic() >= deadline:
                return record
            time.sleep(_POLL_SECONDS)

    def download(self, record: Mapping[str, Any], folder: Path) -> list[Path]:
        """Download the predictions of a completed job into a folder; return the files.

        Raises:
            MlopsError: when a name would leave the folder, or AWS refuses.
        """
        bucket, root = self._pipeline.data_bucket, f"{self.output_prefix}{record['job']}/"
        files = []
        for key in record["output"]["objects"]:
            target = folder / key.removeprefix(root)
            if not target.resolve().is_relative_to(folder.resolve()):
                raise MlopsError(f"s3://{bucket}/{key} would be written outside of {folder}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with explained(f"s3://{bucket}/{key} could not be downloaded"):
                body = self._s3.get_object(Bucket=bucket, Key=key)["Body"]
                with target.open("wb") as file:
                    for chunk in body.iter_chunks():
                        file.write(chunk)
            files.append(target)
        return files
