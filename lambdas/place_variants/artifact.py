"""The artifacts: the parameters of the release come in, those of the two change sets go out."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from handler_kit.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.job import ArtifactLocation

INPUT, OUTPUT = "Release", "Variants"
_FILE = "production.json"
_MAX_BYTES = 5 * 1024 * 1024
_EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)


def read_parameters(s3: Any, location: ArtifactLocation) -> dict[str, str]:
    """Read the production parameters of the release. Raises StepError when the artifact does not have them."""
    body = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read(_MAX_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parameters = json.loads(archive.read(_FILE))["Parameters"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise StepError(f"The artifact {INPUT} has no parameters in {_FILE}: {error}. Start a new execution.") from None
    return {str(name): str(value) for name, value in parameters.items()}


def write_parameters(
    s3: Any, location: ArtifactLocation, files: Mapping[str, Mapping[str, str]], encryption_key_id: str | None
) -> None:
    """Store the parameters of each change set as ``<name>.json``; equal input gives equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parameters in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}.json", _EPOCH_OF_ZIP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, json.dumps({"Parameters": dict(parameters)}, indent=2, sort_keys=True))
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption_key_id} if encryption_key_id else {}
    s3.put_object(Bucket=location.bucket, Key=location.key, Body=buffer.getvalue(), **encryption)
