"""The records of a transform job's objects: split, and packed into mini-batches."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.sagemaker.job_files import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MEGABYTE = 1024 * 1024
_LENGTH = struct.Struct("<Q")
# Length, its checksum, the data, the data's checksum:
# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
_TFRECORD_OVERHEAD = 16


def decompressed(body: bytes, compression: str) -> bytes:
    """The content of an object. Raises `JobError` when it is not compressed as the request says."""
    if compression != "Gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError) as error:
        raise JobError(f"ClientError: the object is not compressed with Gzip: {error}") from error


def split(body: bytes, split_type: str) -> list[bytes]:
    """The records of an object; without splitting, the object is the only record."""
    if split_type == "Line":
        lines = body.split(b"\n")
        return lines[:-1] if lines[-1] == b"" else lines
    if split_type == "TFRecord":
        return list(_tfrecords(body))
    return [body]


def _tfrecords(body: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(body):
        if begin + _LENGTH.size > len(body):
            raise JobError("ClientError: the object is not a file of TFRecords")
        end = begin + _LENGTH.unpack_from(body, begin)[0] + _TFRECORD_OVERHEAD
        if end > len(body):
            raise JobError("ClientError: the object is not a file of TFRecords")
        yield body[begin:end]
        begin = end


def mini_batches(
    records: Sequence[bytes], split_type: str, strategy: str, max_megabytes: int
) -> Iterator[tuple[int, bytes]]:
    """Yield the number of records and the payload of each request; `max_megabytes` 0 is no limit.

    Raises `JobError` for a record that is larger than a payload may be.
    """
    joint = b"\n" if split_type == "Line" else b""
    limit = max_megabytes * MEGABYTE
    batch: list[bytes] = []
    size = 0
    for record in records:
        if limit and len(record) > limit:
            raise JobError(
                f"ClientError: Too much data for max payload size: a record has {len(record)} bytes, and"
                f" MaxPayloadInMB is {max_megabytes}"
            )
        more = len(record) + (len(joint) if batch else 0)
        if batch and (strategy == "SingleRecord" or (limit and size + more > limit)):
            yield len(batch), joint.join(batch)
            batch, size, more = [], 0, len(record)
        batch.append(record)
        size += more
    if batch:
        yield len(batch), joint.join(batch)


def assembled(results: Sequence[bytes], assemble_with: str) -> bytes:
    """The output object: the results one after the other, or each on a line of its own."""
    if assemble_with != "Line":
        return b"".join(results)
    return b"".join(result if result.endswith(b"\n") else result + b"\n" for result in results)
