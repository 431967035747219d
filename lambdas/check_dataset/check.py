"""Find the objects of a data set, inspect them, and copy exactly those versions to the artifact bucket (pin them)."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from check_dataset import content_types, duplicates
from check_dataset.archive import MAX_ARCHIVE_BYTES, read_archive
from check_dataset.columns import variables
from check_dataset.contract import Contract, parse_contract
from check_dataset.fleet import check_fleets
from check_dataset.inspection import CONTRACT_END, describes, inspect
from check_dataset.limits import check_limits
from check_dataset.manifest import MAX_MANIFEST_BYTES, Entry, Manifest, check_channels, parse_manifest
from check_dataset.parallel import each
from check_dataset.problems import Problems
from check_dataset.source import Source
from check_dataset.training_request import Job
from check_dataset.uploads import earlier_delivery
from check_dataset.workshop import ARCHIVE, check_image, read_job
from handler_kit import logs
from handler_kit.errors import ConfigurationError, error_code
from handler_kit.report import Success
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from check_dataset.look import Channels
    from check_dataset.settings import Document, Params, Settings
    from handler_kit.production import Stack


@dataclass(frozen=True)
class Aws:
    """The clients of the function."""

    s3: Any
    ssm: Any
    codepipeline: Any


def check_dataset(params: Params, settings: Settings, limits: Document, aws: Aws, production: Stack | None) -> Success:
    """Check the data set and pin it. Raises ConfigurationError that names the object, the line and the column.

    ``production`` is the production stack; what the data set requests for the endpoints is checked against it, and all
    that it requests against ``limits``.
    """
    earlier = earlier_delivery(aws.codepipeline, aws.s3, params, settings)
    if earlier is not None:
        reason = f"The same upload has started execution {earlier}: its event was delivered twice; nothing to do"
        return Success(summary=duplicates.stop(aws.codepipeline, params, settings, reason))
    source = Source(aws.s3, params.bucket, settings.readable.split())
    uploaded = Entry(params.key, params.version_id)
    problems = Problems()
    manifest, job = _described(source, uploaded, settings, aws, problems)
    request: dict[str, Any] = {"training": job.training, "endpoints": job.endpoints}
    with problems.collected():
        check_limits(request, limits, settings.fleets, source.place(uploaded))
    # Only of what was read completely.
    if not problems:
        check_fleets(job.endpoints, settings.fleets, production)
    problems.raise_any()
    found = inspect(source, manifest, _contract(settings, aws.s3), settings.max_bytes, settings.max_inspected_bytes)
    findings = found.findings
    if settings.duplicates != "allow":
        record = duplicates.earlier_training(aws.s3, settings, params.execution_id, findings.sha256)
        if record is not None:
            if settings.duplicates == "refuse":
                raise duplicates.refuse(record, findings.sha256)
            reason = f"Execution {record['execution_id']} has trained on the same content; nothing to do"
            return Success(summary=duplicates.stop(aws.codepipeline, params, settings, reason))
    pins = _Pins(aws.s3, settings.artifact_bucket, f"datasets/{settings.pipeline}/{params.execution_id}")
    request["columns"] = variables(found.contract)
    # A training job's zip says itself what its channels are.
    request["channels"] = {} if uploaded.name == ARCHIVE else content_types.members(found.channels)
    outputs = pins.pin(source, found.channels, found.golden_rows, request)
    logs.info("data set pinned", execution_id=params.execution_id, objects=found.count, bytes=found.total)
    facts = [found.summary(), *job.notes]
    return Success({**outputs, "Sha256": findings.sha256}, summary=". ".join(facts))


@dataclass(frozen=True)
class _Pins:
    """The folder of an execution in the artifact bucket."""

    s3: Any
    bucket: str
    prefix: str

    def pin(
        self, source: Source, channels: Channels, golden_rows: list[list[str]], request: dict[str, Any]
    ) -> dict[str, str]:
        """Copy the data set to that folder; return the action's output variables with all locations."""
        prefix = self.prefix
        copies = [
            (pinned, self.bucket, f"{prefix}/{name}/{pinned.entry.name}")
            for name, objects in channels.items()
            for pinned in objects
        ]
        each(lambda copy: source.copy(*copy), copies)
        golden = _to_csv(golden_rows) if golden_rows else None
        requested = json.dumps(request, indent=2, sort_keys=True).encode() if any(request.values()) else None
        return {
            "DatasetUri": f"s3://{self.bucket}/{prefix}",
            "Channels": ",".join(channels),
            "GoldenUri": self._put(f"{prefix}/golden.csv", golden, "text/csv"),
            "RequestUri": self._put(f"{prefix}/request.json", requested, "application/json"),
        }

    def _put(self, key: str, body: bytes | None, content_type: str) -> str:
        if body is None:
            return NONE
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)
        return f"s3://{self.bucket}/{key}"


def _described(source: Source, entry: Entry, settings: Settings, aws: Aws, problems: Problems) -> tuple[Manifest, Job]:
    """What the uploaded object describes: it is a data set, a manifest of one, or a training job that names one.

    What is wrong with a training job goes to ``problems``.
    """
    if entry.key.endswith(CONTRACT_END):
        raise ConfigurationError(
            f"{source.place(entry)}: a data contract, not a data set. Upload a contract before its data set. To keep"
            " contracts from starting the pipeline, set Dataset(suffix=...)"
        )
    if entry.name == ARCHIVE:
        return _zipped(source, entry, settings, aws, problems)
    if entry.key.endswith(".json") and describes(source, entry):
        text = source.read_text(entry, MAX_MANIFEST_BYTES, "manifest")
        return parse_manifest(text, source.place(entry)), Job({})
    return Manifest({"train": [entry]}), Job({})


def _zipped(source: Source, entry: Entry, settings: Settings, aws: Aws, problems: Problems) -> tuple[Manifest, Job]:
    place = source.place(entry)
    files = read_archive(source.read(entry, MAX_ARCHIVE_BYTES, "training job's zip"), place)
    job = read_job(files, place, settings.min_instances, problems)
    if job.image is not None:
        with problems.collected():
            check_image(job, _image(settings, aws.ssm))
    channels: dict[str, list[Entry]] = {}
    for name, where in job.channels.items():
        with problems.collected():
            channels[name] = source.under(*where)
    if len(channels) == len(job.channels) and channels:
        with problems.collected(place):
            check_channels(channels)
    return Manifest(channels), job


def _image(settings: Settings, ssm: Any) -> str:
    try:
        return str(ssm.get_parameter(Name=settings.image_parameter)["Parameter"]["Value"]).strip()
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        return NONE


def _contract(settings: Settings, s3: Any) -> Contract:
    """The pipeline's contract."""
    if settings.contract_key is None:
        return Contract()
    body = s3.get_object(Bucket=settings.artifact_bucket, Key=settings.contract_key)["Body"].read()
    return parse_contract(body.decode(), f"s3://{settings.artifact_bucket}/{settings.contract_key}")


def _to_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
