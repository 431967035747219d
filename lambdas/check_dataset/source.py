"""The buckets that data sets come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from check_dataset.content import Content
from check_dataset.manifest import MAX_OBJECTS, Entry
from handler_kit.errors import ConfigurationError, error_code, error_message

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_COPY_BYTES = 5 * 1024**3
CHUNK_BYTES = 1024 * 1024

_MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "405", "MethodNotAllowed"})
_UNREADABLE_CODES = frozenset({"403", "AccessDenied"})


@dataclass(frozen=True)
class Pinned:
    """One object of the data set, at one version."""

    entry: Entry
    etag: str
    size: int


class Files(Protocol):
    """Where the files of a data set are; ``Source`` is that of S3."""

    def place(self, entry: Entry) -> str: ...

    def look_up(self, entry: Entry) -> Pinned: ...

    def find(self, entry: Entry) -> Pinned | None: ...

    def read_text(self, entry: Entry, limit: int, what: str) -> str: ...

    def open(self, pinned: Pinned, budget: int, max_unpacked_bytes: int | None = None) -> Content: ...


class Source:
    """The data bucket, and the other folders that this function may read."""

    def __init__(self, s3: Any, bucket: str, readable: Sequence[str]) -> None:
        """``readable`` are the ``s3://`` folders that this function may read."""
        self._s3, self._bucket, self._readable = s3, bucket, readable

    def place(self, entry: Entry) -> str:
        """The name of an object in messages."""
        version = f" (version {entry.version_id})" if entry.version_id else ""
        return f"s3://{self._in(entry)}/{entry.key}{version}"

    def look_up(self, entry: Entry) -> Pinned:
        """Find an object and its current version. Raises ConfigurationError when it is missing or empty."""
        pinned = self._head(entry)
        if pinned.size == 0:
            raise ConfigurationError(f"{self.place(entry)}: the object is empty (0 bytes)")
        if pinned.size > MAX_COPY_BYTES:
            raise ConfigurationError(
                f"{self.place(entry)}: {pinned.size} bytes; an object may have at most {MAX_COPY_BYTES}."
                " Split it and name the parts in a manifest"
            )
        return pinned

    def find(self, entry: Entry) -> Pinned | None:
        """An object that may not exist; ``None`` if it does not."""
        try:
            found = self._s3.list_objects_v2(Bucket=self._in(entry), Prefix=entry.key, MaxKeys=1)
        except ClientError as error:
            raise self._unreadable(entry, error) from error
        if entry.key not in [one["Key"] for one in found.get("Contents", [])]:
            return None
        return self._head(entry)

    def read(self, entry: Entry, limit: int, what: str) -> bytes:
        """A small object. Raises ConfigurationError when it is missing or has more than ``limit`` bytes."""
        pinned = self.look_up(entry)
        if pinned.size > limit:
            raise ConfigurationError(f"{self.place(entry)}: {pinned.size} bytes; a {what} may have at most {limit}")
        return bytes(self._s3.get_object(**self._locate(pinned.entry))["Body"].read())

    def read_text(self, entry: Entry, limit: int, what: str) -> str:
        """A small object in UTF-8."""
        try:
            return self.read(entry, limit, what).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigurationError(f"{self.place(entry)}: a {what} must be UTF-8 text") from None

    def open(self, pinned: Pinned, budget: int, max_unpacked_bytes: int | None = None) -> Content:
        """The object's bytes, which can be read once; its lines are read up to ``budget`` bytes.

        With ``max_unpacked_bytes`` it is a gzip file, which must not unpack to more.
        """
        body = self._s3.get_object(**self._locate(pinned.entry))["Body"]
        return Content(body.iter_chunks(CHUNK_BYTES), self.place(pinned.entry), budget, max_unpacked_bytes)

    def under(self, bucket: str, prefix: str) -> list[Entry]:
        """The objects in a folder, or the one object with this key, without folder markers and empty objects.

        For the prefix ``train``, SageMaker would read ``train2`` too; that is never intended.
        Raises ConfigurationError when there is no object, or more than can be pinned.
        """
        where, folder = Entry(prefix, bucket=bucket), prefix.rstrip("/") + "/"
        self.check_readable(where)
        found: list[Entry] = []
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                found += [
                    Entry(one["Key"], bucket=bucket, root=folder if one["Key"].startswith(folder) else None)
                    for one in page.get("Contents", [])
                    if one["Size"] and (one["Key"] == prefix or one["Key"].startswith(folder))
                ]
                if len(found) > MAX_OBJECTS:
                    raise ConfigurationError(f"{self.place(where)}: more than {MAX_OBJECTS} objects; join small files")
        except ClientError as error:
            raise self._unreadable(where, error) from error
        if not found:
            raise ConfigurationError(f"{self.place(where)}: no objects there, or only empty ones")
        return found

    def check_readable(self, entry: Entry) -> None:
        """Raise ConfigurationError when this function may not read there."""
        place = f"s3://{self._in(entry)}/{entry.key}"
        if not place.startswith(tuple(self._readable)):
            raise ConfigurationError(
                f"{place}: this pipeline may not read it; it may read {', '.join(self._readable)}."
                " Copy it there, or name its bucket in Dataset(input_buckets=...)"
            )

    def copy(self, pinned: Pinned, bucket: str, key: str) -> None:
        """Copy exactly what was checked, without its tags: copying them would need more permissions."""
        version = {} if pinned.entry.version_id is None else {"VersionId": pinned.entry.version_id}
        self._s3.copy_object(
            CopySource={"Bucket": self._in(pinned.entry), "Key": pinned.entry.key, **version},
            # In a bucket without versioning, the object may have changed meanwhile.
            CopySourceIfMatch=pinned.etag,
            Bucket=bucket,
            Key=key,
            TaggingDirective="REPLACE",
        )

    def _head(self, entry: Entry) -> Pinned:
        self.check_readable(entry)
        try:
            head = self._s3.head_object(**self._locate(entry))
        except ClientError as error:
            raise self._unreadable(entry, error) from error
        version = head.get("VersionId", entry.version_id)
        # "null" is the version of an object from before versioning; it can be requested like any other version.
        return Pinned(replace(entry, version_id=version), head["ETag"], int(head["ContentLength"]))

    def _in(self, entry: Entry) -> str:
        return self._bucket if entry.bucket is None else entry.bucket

    def _locate(self, entry: Entry) -> dict[str, str]:
        version = {"VersionId": entry.version_id} if entry.version_id else {}
        return {"Bucket": self._in(entry), "Key": entry.key, **version}

    def _unreadable(self, entry: Entry, error: ClientError) -> ClientError | ConfigurationError:
        code = error_code(error)
        if code in _MISSING_CODES:
            return ConfigurationError(f"{self.place(entry)}: no such object or version; upload it again")
        if code in _UNREADABLE_CODES:
            return ConfigurationError(f"{self.place(entry)}: no such object, or this function may not read it")
        if code == "NoSuchBucket":
            return ConfigurationError(f"{self.place(entry)}: there is no such bucket")
        if code == "400":
            return ConfigurationError(f"{self.place(entry)}: S3 refused the key or version ({error_message(error)})")
        return error
