"""Find the objects of a data set, inspect them, and copy exactly those versions to the artifact bucket (pin them)."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from check_dataset import duplicates
from check_dataset.archive import MAX_ARCHIVE_BYTES, read_archive
from check_dataset.contract import Contract, merge, parse_contract
from check_dataset.fleet import check_fleets
from check_dataset.limits import check_limits
from check_dataset.look import check_widths, look
from check_dataset.manifest import Entry, Manifest, check_channels, parse_manifest
from check_dataset.source import Source
from check_dataset.table import read_csv
from check_dataset.uploads import earlier_delivery
from check_dataset.workshop import ARCHIVE, Job, check_image, parse_job
from handler_kit import logs
from handler_kit.errors import ConfigurationError, error_code
from handler_kit.report import Success
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from check_dataset.look import Channels, Findings
    from check_dataset.settings import Document, Params, Settings
    from handler_kit.production import Stack

MAX_DOCUMENT_BYTES = 1024 * 1024
CONTRACT_END = ".contract.json"
# S3 makes the copies, so this function only waits for most of the time.
COPIES_AT_ONCE = 8
DEFAULT_GOLDEN_ROWS = 10
MAX_GOLDEN_ROWS = 20


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
    manifest, job = _described(source, uploaded, settings, aws)
    request = {"training": job.training, "endpoints": job.endpoints}
    check_limits(request, limits, settings.fleets, source.place(uploaded))
    check_fleets(job.endpoints, settings.fleets, production)
    # Before the contract: when this function may not read an object, the error must name the object, not its contract.
    channels = {
        name: [source.look_up(entry) for entry in entries] for name, entries in sorted(manifest.channels.items())
    }
    contract = _contract(source, manifest, settings, aws.s3)
    total = _check_total(channels, settings.max_bytes)
    findings = look(source, channels, contract, settings.max_inspected_bytes)
    check_widths(findings.tables)
    golden_rows = _golden_rows(source, manifest, contract, findings)
    if settings.duplicates != "allow":
        record = duplicates.earlier_training(aws.s3, settings, params.execution_id, findings.sha256)
        if record is not None:
            if settings.duplicates == "refuse":
                raise duplicates.refuse(record, findings.sha256)
            reason = f"Execution {record['execution_id']} has trained on the same content; nothing to do"
            return Success(summary=duplicates.stop(aws.codepipeline, params, settings, reason))
    pins = _Pins(aws.s3, settings.artifact_bucket, f"datasets/{settings.pipeline}/{params.execution_id}")
    outputs = pins.pin(source, channels, golden_rows, job)
    count = sum(map(len, channels.values()))
    logs.info("data set pinned", execution_id=params.execution_id, objects=count, bytes=total)
    facts = [f"{count} objects, {total} bytes, channels {', '.join(channels)}", findings.summary(), *job.notes]
    return Success({**outputs, "Sha256": findings.sha256}, summary=". ".join(filter(None, facts)))


@dataclass(frozen=True)
class _Pins:
    """The folder of an execution in the artifact bucket."""

    s3: Any
    bucket: str
    prefix: str

    def pin(self, source: Source, channels: Channels, golden_rows: list[list[str]], job: Job) -> dict[str, str]:
        """Copy the data set to that folder; return the action's output variables with all locations."""
        prefix = self.prefix
        copies = [
            (pinned, self.bucket, f"{prefix}/{name}/{pinned.entry.name}")
            for name, objects in channels.items()
            for pinned in objects
        ]
        with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
            for _ in pool.map(lambda copy: source.copy(*copy), copies):
                pass
        golden = _to_csv(golden_rows) if golden_rows else None
        request = job.overrides() if job.training or job.endpoints else None
        return {
            "DatasetUri": f"s3://{self.bucket}/{prefix}",
            "Channels": ",".join(channels),
            "GoldenUri": self._put(f"{prefix}/golden.csv", golden, "text/csv"),
            "RequestUri": self._put(f"{prefix}/request.json", request, "application/json"),
        }

    def _put(self, key: str, body: bytes | None, content_type: str) -> str:
        if body is None:
            return NONE
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)
        return f"s3://{self.bucket}/{key}"


def _described(source: Source, entry: Entry, settings: Settings, aws: Aws) -> tuple[Manifest, Job]:
    """What the uploaded object describes: it is a data set, a manifest of one, or a training job that names one."""
    if entry.key.endswith(CONTRACT_END):
        raise ConfigurationError(
            f"{source.place(entry)}: a data contract, not a data set. Upload a contract before its data set. To keep"
            " contracts from starting the pipeline, set Dataset(suffix=...)"
        )
    if entry.name == ARCHIVE:
        place = source.place(entry)
        files = read_archive(source.read(entry, MAX_ARCHIVE_BYTES, "training job's zip"), place)
        job = parse_job(files, place, settings.min_instances)
        if job.image is not None:
            check_image(job, _image(settings, aws.ssm))
        channels = {name: source.under(*where) for name, where in job.channels.items()}
        try:
            check_channels(channels)
        except ValueError as error:
            raise ConfigurationError(f"{place}: {error}") from None
        return Manifest(channels), job
    if entry.key.endswith(".json"):
        text = source.read_text(entry, MAX_DOCUMENT_BYTES, "manifest")
        return parse_manifest(text, source.place(entry)), Job({})
    return Manifest({"train": [entry]}), Job({})


def _image(settings: Settings, ssm: Any) -> str:
    try:
        return str(ssm.get_parameter(Name=settings.image_parameter)["Parameter"]["Value"]).strip()
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise
        return NONE


def _contract(source: Source, manifest: Manifest, settings: Settings, s3: Any) -> Contract:
    """The pipeline's contract, tightened by the contract that the manifest names, or by ``<object>.contract.json``."""
    contract = Contract()
    if settings.contract_key is not None:
        body = s3.get_object(Bucket=settings.artifact_bucket, Key=settings.contract_key)["Body"].read()
        contract = parse_contract(body.decode(), f"s3://{settings.artifact_bucket}/{settings.contract_key}")
    entry = manifest.contract
    if entry is None:
        objects = [one for entries in manifest.channels.values() for one in entries]
        beside = Entry(f"{objects[0].key}{CONTRACT_END}", bucket=objects[0].bucket)
        if len(objects) > 1 or source.find(beside) is None:
            return contract
        entry = beside
    text = source.read_text(entry, MAX_DOCUMENT_BYTES, "data contract")
    return merge(contract, parse_contract(text, source.place(entry)), source.place(entry))


def _check_total(channels: Channels, max_bytes: int) -> int:
    total = sum(pinned.size for objects in channels.values() for pinned in objects)
    if total > max_bytes:
        raise ConfigurationError(
            f"The data set has {total} bytes; the limit (MAX_BYTES) is {max_bytes}. Raise the limit or upload less"
        )
    return total


def _golden_rows(source: Source, manifest: Manifest, contract: Contract, findings: Findings) -> list[list[str]]:
    if manifest.golden is not None:
        pinned = source.look_up(manifest.golden)
        table = read_csv(source.open(pinned, MAX_DOCUMENT_BYTES), contract)
        check_widths({"golden": [table], **findings.tables})
        return _label_first(table.spread(MAX_GOLDEN_ROWS), contract)
    for name in ("validation", "train"):
        if findings.tables.get(name):
            return _label_first(findings.tables[name][0].spread(DEFAULT_GOLDEN_ROWS), contract)
    return []


def _label_first(rows: list[list[str]], contract: Contract) -> list[list[str]]:
    label = contract.label_index
    return [[row[label], *row[:label], *row[label + 1 :]] for row in rows]


def _to_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
