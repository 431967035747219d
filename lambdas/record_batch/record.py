"""The end of a batch: what it wrote and how much, whether its input stayed the same, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.batch_records import MANIFEST, RECORD, STARTED, BatchRecords, notify
from handler_kit.errors import StepError
from handler_kit.objects import object_version
from handler_kit.transform_jobs import TransformJobs, explained

if TYPE_CHECKING:
    from handler_kit.sagemaker_jobs import FoundJob
    from record_batch.settings import Settings

MAX_COUNTED_BYTES = 1024 * 1024 * 1024
MAX_RECORDED_OBJECTS = 1000
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Services:
    """The clients that a record needs."""

    s3: Any
    sagemaker: Any
    sns: Any
    logs: Any


def record_end(name: str, settings: Settings, services: Services) -> None:
    """Complete the record of an ended job, once, and delete its model. Raises StepError without a record to complete.

    SageMaker may send the event of a change more than once.
    """
    jobs = TransformJobs(services.sagemaker, settings.job_prefix)
    job = jobs.read(name)
    if job.is_running:
        logs.info("the job has not ended", job=name, status=job.status)
        return
    records = BatchRecords(services.s3, settings.data_bucket, settings.output_prefix, settings.output_key_arn)
    record = records.read(name)
    if record is None:
        raise StepError(f"Transform job {name} has no record {records.uri(name)}; it was not started by start_batch.")
    if record["status"] == STARTED:
        _complete(record, job, records, settings, services)
    jobs.forget(name)


def _complete(
    record: dict[str, Any], job: FoundJob, records: BatchRecords, settings: Settings, services: Services
) -> None:
    changed = _changed(record["input"], services.s3)
    ended = job.description.get("TransformEndTime")
    record |= {
        "status": job.status,
        "job_arn": job.arn,
        "ended_at": None if ended is None else ended.isoformat(),
        "output": _output(record["job"], job, records) if job.has_result else None,
        "input_changed": changed,
    }
    if not job.has_result:
        reason = explained(job.reason, job.name, services.logs) if job.reason else "It was stopped; there is no output."
        record["reason"] = reason
    elif changed:
        record["reason"] = (
            f"{', '.join(changed[:5])} changed while it was scored: the predictions may be those of a newer version."
        )
    if "reason" in record:
        # Before the record: a delivery that fails between the two notifies again, and never not at all.
        notify(services.sns, settings.topic_arn, settings.pipeline, record)
    records.write(record["job"], record)
    logs.info("batch recorded", job=job.name, status=job.status)


def _changed(given: dict[str, Any], s3: Any) -> list[str]:
    """The keys that have another version now. SageMaker reads the newest version, not the one of the event."""
    found = ((one, object_version(s3, given["bucket"], one["key"])) for one in given["objects"])
    return [one["key"] for one, now in found if now is None or now["version_id"] != one["version_id"]]


def _output(name: str, job: FoundJob, records: BatchRecords) -> dict[str, Any]:
    folder = records.folder(name)
    pages = records.s3.get_paginator("list_objects_v2").paginate(Bucket=records.bucket, Prefix=folder)
    ours = {f"{folder}{RECORD}", f"{folder}{MANIFEST}"}
    found = [one for page in pages for one in page.get("Contents", []) if one["Key"] not in ours]
    lines = job.description["TransformOutput"].get("AssembleWith") == "Line"
    counts = lines and sum(one["Size"] for one in found) <= MAX_COUNTED_BYTES
    return {
        "uri": f"s3://{records.bucket}/{folder}",
        "number_of_objects": len(found),
        "objects": [one["Key"] for one in found[:MAX_RECORDED_OBJECTS]],
        "records": sum(_lines(records, one["Key"]) for one in found) if counts else None,
    }


def _lines(records: BatchRecords, key: str) -> int:
    body = records.s3.get_object(Bucket=records.bucket, Key=key)["Body"]
    return sum(chunk.count(b"\n") for chunk in body.iter_chunks(_CHUNK_BYTES))
