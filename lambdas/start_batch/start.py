"""One input is scored by one job, whatever happens to its event, with the model that is in production now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs, registry
from handler_kit.batch_records import REFUSED, STARTED, WAITING, BatchRecords, notify
from handler_kit.documents import merged
from handler_kit.errors import StepError, error_code, error_message, is_transient
from handler_kit.releases import Releases
from handler_kit.transform_jobs import TransformJobs, job_places, model_request
from start_batch.wanted import wanted

if TYPE_CHECKING:
    from datetime import datetime

    from start_batch.settings import Document, Settings
    from start_batch.wanted import Wanted

CHAMPION = "champion"
# Of a folder with more objects, the record has their number, and only the first of them.
MAX_RECORDED_OBJECTS = 1000
# Lambda tries again, minutes later; then the event is a dead letter.
_LATER = frozenset({"ResourceLimitExceeded"})


@dataclass(frozen=True)
class Services:
    """The clients that a start needs."""

    s3: Any
    sagemaker: Any
    sns: Any


def start(
    event: dict[str, Any], settings: Settings, document: Document, services: Services, *, now: datetime
) -> dict[str, Any]:
    """Start the job of the event's input. Returns ``{"started": job or None, "reason": sentence}``."""
    given = wanted(event, settings.input_prefix)
    name = given.job_name(settings.job_prefix)
    jobs = TransformJobs(services.sagemaker, settings.job_prefix)
    if jobs.find(name) is not None:
        return _nothing(f"Job {name} was started for this input already.")
    objects = given.objects(services.s3, settings.data_bucket)
    if not objects:
        return _nothing(f"There is nothing to score at {given.key} any more.")
    if given.version_id not in (None, objects[0]["version_id"]):
        return _nothing(f"{given.key} has a newer version, which has an event of its own.")
    records = BatchRecords(services.s3, settings.data_bucket, settings.output_prefix, settings.output_key_arn)
    record = _record(name, given, objects, settings, records, now)
    try:
        package = _released(record, settings, services)
        records.write(name, record)
        source = ("ManifestFile", records.write_manifest(name, settings.input_prefix, [one["key"] for one in objects]))
        jobs.create(_request(name, package, source, settings, document))
    except (StepError, ClientError) as error:
        if is_transient(error) or error_code(error) in _LATER:
            records.write(name, {**record, "status": WAITING, "reason": _reason(error)})
            raise
        if error_code(error) != "ResourceInUse":
            return _refuse(error, record, records, settings, services)
    logs.info("batch started", job=name, release=record["release"], objects=len(objects))
    return {"started": name, "reason": f"{given.key} is scored with release {record['release']}."}


def _record(
    name: str,
    given: Wanted,
    objects: list[dict[str, Any]],
    settings: Settings,
    records: BatchRecords,
    now: datetime,
) -> dict[str, Any]:
    return {
        "job": name,
        "status": STARTED,
        "pipeline": settings.pipeline,
        "release": None,
        "record_uri": records.uri(name),
        "input": {
            "bucket": settings.data_bucket,
            "key": given.key,
            "version_id": given.version_id,
            "number_of_objects": len(objects),
            "objects": objects[:MAX_RECORDED_OBJECTS],
        },
        "started_at": now.isoformat(),
    }


def _released(record: dict[str, Any], settings: Settings, services: Services) -> dict[str, Any]:
    """The model package in production, which the record then names. Raises StepError without a release."""
    released = champion(Releases(services.s3, settings.artifact_bucket, settings.pipeline))
    if released is None:
        raise StepError(
            f"The pipeline {settings.pipeline} has released no model yet: upload the file again after its first"
            " release."
        )
    arn = str(released["model_package_arn"])
    package = registry.find(services.sagemaker, arn)
    if package is None:
        raise StepError(
            f"Model package {arn} of release {released['release']}, which production runs, does not exist any more."
            " Release another model, then upload the file again."
        )
    (container,) = package["InferenceSpecification"]["Containers"]
    record |= {
        "release": released["release"],
        "model_package_arn": arn,
        "image": container["Image"],
        "model_data_url": container["ModelDataUrl"],
    }
    return package


def _request(
    name: str, package: dict[str, Any], source: tuple[str, str], settings: Settings, document: Document
) -> dict[str, Any]:
    written = document.transform_job
    network = (settings.subnet_ids, settings.security_group_ids)
    target = f"s3://{settings.data_bucket}/{settings.output_prefix}{name}"
    instance_type, keys = written["TransformResources"]["InstanceType"], (settings.kms_key_arn, settings.output_key_arn)
    return {
        "model": model_request(name, package, settings.batch_role_arn, settings.pipeline, network),
        "job": merged(written, job_places(name, source, target, instance_type, keys)),
    }


def champion(releases: Releases) -> dict[str, Any] | None:
    """The record of the release that production runs, in an A/B test that of the champion; ``None`` without one."""
    for number in range(releases.newest_number(), 0, -1):
        record = releases.read(number)
        if (record.get("role") or CHAMPION) == CHAMPION:
            return record
    return None


def _refuse(
    error: StepError | ClientError,
    record: dict[str, Any],
    records: BatchRecords,
    settings: Settings,
    services: Services,
) -> dict[str, Any]:
    reason = _reason(error)
    refused = {**record, "status": REFUSED, "reason": reason}
    earlier = records.read(record["job"])
    if earlier is None or earlier["status"] != REFUSED:
        notify(services.sns, settings.topic_arn, settings.pipeline, refused)
    records.write(record["job"], refused)
    return _nothing(reason)


def _reason(error: StepError | ClientError) -> str:
    return str(error) if isinstance(error, StepError) else f"{error_code(error)}: {error_message(error)}"


def _nothing(reason: str) -> dict[str, Any]:
    logs.info("nothing was started", reason=reason)
    return {"started": None, "reason": reason}
