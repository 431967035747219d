"""Find the objects of a data set, look into them, and copy exactly those versions to where they stay put."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from check_dataset.manifest import Entry, Manifest, parse_manifest
from check_dataset.table import Table, check_training_table, parse_table
from handler_kit import logs
from handler_kit.errors import ConfigurationError, error_code, error_message
from handler_kit.report import Success

if TYPE_CHECKING:
    from check_dataset.settings import Params, Settings

SAMPLE_BYTES = 1024 * 1024
MAXIMUM_MANIFEST_BYTES = 1024 * 1024
MAXIMUM_COPY_BYTES = 5 * 1024**3
DEFAULT_GOLDEN_ROWS = 10
MAXIMUM_GOLDEN_ROWS = 20
NO_GOLDEN = "none"

_MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "405", "MethodNotAllowed"})
_UNREADABLE_CODES = frozenset({"403", "AccessDenied"})


@dataclass(frozen=True)
class Pinned:
    """One object of the data set, at one version."""

    entry: Entry
    etag: str
    size: int


def check_dataset(params: Params, settings: Settings, s3: Any) -> Success:
    """Check the data set and pin it. Raises ConfigurationError naming the object, the line and the column."""
    source = _Source(s3, params.bucket)
    manifest = _manifest(source, Entry(params.key, params.version_id))
    channels = {
        name: [source.look_up(entry) for entry in entries] for name, entries in sorted(manifest.channels.items())
    }
    total = _check_total(channels, settings.maximum_bytes)
    tables = _check_tables(source, channels)
    golden_rows = _golden_rows(source, manifest, tables)
    _check_widths({"golden": [Table(golden_rows)] if golden_rows else [], **tables})

    prefix = f"datasets/{params.execution_id}"
    for name, objects in channels.items():
        for pinned in objects:
            source.copy(pinned, settings.artifact_bucket, f"{prefix}/{name}/{pinned.entry.name}")
    golden_uri = NO_GOLDEN
    if golden_rows:
        key = f"{prefix}/golden.csv"
        s3.put_object(Bucket=settings.artifact_bucket, Key=key, Body=_to_csv(golden_rows), ContentType="text/csv")
        golden_uri = f"s3://{settings.artifact_bucket}/{key}"
    count = sum(map(len, channels.values()))
    logs.info("data set pinned", execution_id=params.execution_id, objects=count, bytes=total)
    outputs = {
        "DatasetUri": f"s3://{settings.artifact_bucket}/{prefix}",
        "Channels": ",".join(channels),
        "Sha256": _fingerprint(channels),
        "GoldenUri": golden_uri,
    }
    return Success(outputs, summary=f"{count} objects, {total} bytes, channels {', '.join(channels)}")


class _Source:
    """The data bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def place(self, entry: Entry) -> str:
        """How to name an object to a person."""
        version = f" (version {entry.version_id})" if entry.version_id else ""
        return f"s3://{self._bucket}/{entry.key}{version}"

    def look_up(self, entry: Entry) -> Pinned:
        """Find an object and its version now. Raises ConfigurationError when it is missing or empty."""
        try:
            head = self._s3.head_object(**self._locate(entry))
        except ClientError as error:
            raise self._unreadable(entry, error) from error
        size = int(head["ContentLength"])
        if size == 0:
            raise ConfigurationError(f"{self.place(entry)}: the object is empty (0 bytes)")
        if size > MAXIMUM_COPY_BYTES:
            raise ConfigurationError(
                f"{self.place(entry)}: {size} bytes; an object may have {MAXIMUM_COPY_BYTES} at most."
                " Split it and name the parts in a manifest"
            )
        return Pinned(replace(entry, version_id=head.get("VersionId", entry.version_id)), head["ETag"], size)

    def head(self, pinned: Pinned, size: int) -> bytes:
        """The first bytes of an object."""
        answer = self._s3.get_object(**self._locate(pinned.entry), Range=f"bytes=0-{size - 1}")
        return bytes(answer["Body"].read())

    def copy(self, pinned: Pinned, bucket: str, key: str) -> None:
        """Copy exactly this version. Tags stay behind: copying them would need more rights."""
        self._s3.copy_object(
            CopySource={
                "Bucket": self._bucket,
                "Key": pinned.entry.key,
                "VersionId": pinned.entry.version_id,
            },
            Bucket=bucket,
            Key=key,
            TaggingDirective="REPLACE",
        )

    def _locate(self, entry: Entry) -> dict[str, str]:
        version = {"VersionId": entry.version_id} if entry.version_id else {}
        return {"Bucket": self._bucket, "Key": entry.key, **version}

    def _unreadable(self, entry: Entry, error: ClientError) -> ClientError | ConfigurationError:
        code = error_code(error)
        if code in _MISSING_CODES:
            return ConfigurationError(f"{self.place(entry)}: no such object or version; upload it again")
        if code in _UNREADABLE_CODES:
            return ConfigurationError(f"{self.place(entry)}: no such object, or this function may not read it")
        if code == "400":
            return ConfigurationError(f"{self.place(entry)}: S3 refused the key or version ({error_message(error)})")
        return error


def _manifest(source: _Source, entry: Entry) -> Manifest:
    if not entry.key.endswith(".json"):
        return Manifest({"train": [entry]})
    pinned = source.look_up(entry)
    place = source.place(entry)
    if pinned.size > MAXIMUM_MANIFEST_BYTES:
        raise ConfigurationError(f"{place}: {pinned.size} bytes; a manifest may have {MAXIMUM_MANIFEST_BYTES} at most")
    try:
        text = source.head(pinned, MAXIMUM_MANIFEST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{place}: a manifest must be UTF-8 text") from None
    return parse_manifest(text, place)


def _check_total(channels: dict[str, list[Pinned]], maximum_bytes: int) -> int:
    total = sum(pinned.size for objects in channels.values() for pinned in objects)
    if total > maximum_bytes:
        raise ConfigurationError(
            f"The data set has {total} bytes; the limit (MAXIMUM_BYTES) is {maximum_bytes}."
            " Raise the limit or send less"
        )
    return total


def _check_tables(source: _Source, channels: dict[str, list[Pinned]]) -> dict[str, list[Table]]:
    """Look into every CSV file; other forms are the algorithm's own business."""
    tables: dict[str, list[Table]] = {}
    for name, objects in channels.items():
        csv_objects = [pinned for pinned in objects if _is_csv(pinned.entry)]
        tables[name] = [_table(source, pinned) for pinned in csv_objects]
        if name == "train" and tables[name]:
            joined = Table([row for table in tables[name] for row in table.rows])
            check_training_table(joined, ", ".join(source.place(pinned.entry) for pinned in csv_objects[:3]))
    return tables


def _check_widths(tables: dict[str, list[Table]]) -> None:
    widths = {len(table.rows[0]): name for name, found in tables.items() for table in found}
    if len(widths) > 1:
        differing = ", ".join(f"{width} ({name})" for width, name in sorted(widths.items()))
        raise ConfigurationError(f"The CSV files of the data set differ in their number of columns: {differing}")


def _table(source: _Source, pinned: Pinned) -> Table:
    return parse_table(
        source.head(pinned, SAMPLE_BYTES), source.place(pinned.entry), truncated=pinned.size > SAMPLE_BYTES
    )


def _golden_rows(source: _Source, manifest: Manifest, tables: dict[str, list[Table]]) -> list[list[str]]:
    if manifest.golden is not None:
        return _table(source, source.look_up(manifest.golden)).spread(MAXIMUM_GOLDEN_ROWS)
    for name in ("validation", "train"):
        if tables.get(name):
            return tables[name][0].spread(DEFAULT_GOLDEN_ROWS)
    return []


def _is_csv(entry: Entry) -> bool:
    return entry.key.lower().endswith(".csv")


def _to_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _fingerprint(channels: dict[str, list[Pinned]]) -> str:
    facts = sorted(
        [name, pinned.entry.key, pinned.entry.version_id or "", pinned.etag]
        for name, objects in channels.items()
        for pinned in objects
    )
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
