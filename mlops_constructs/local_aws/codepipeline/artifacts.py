"""The artifact store: zips in a bucket, under keys like those of CodePipeline."""

from __future__ import annotations

import io
import json
import secrets
import string
import zipfile
from typing import Any

from mlops_constructs.local_aws.codepipeline.state import ActionFailedError, Artifact, Definition

_ALPHABET = string.ascii_letters + string.digits


class ArtifactStore:
    """Reads and writes a pipeline's artifacts, with an S3 client under the action's role."""

    def __init__(self, pipeline: Definition, region: str, s3: Any) -> None:
        store = pipeline.get("artifactStore") or pipeline["artifactStores"][region]
        self.bucket: str = store["location"]
        self.key_arn: str | None = store.get("encryptionKey", {}).get("id")
        self._pipeline: str = pipeline["name"]
        self._s3 = s3

    def place(self, name: str) -> Artifact:
        """A new location for an artifact, with nothing stored yet."""
        random = "".join(secrets.choice(_ALPHABET) for _ in range(7))
        return Artifact(name, self.bucket, f"{self._pipeline[:20]}/{name[:10]}/{random}")

    def write(self, artifact: Artifact, content: bytes) -> None:
        """Store an artifact, encrypted with the store's key if it has one."""
        self._s3.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=content, **self.encryption)

    @property
    def encryption(self) -> dict[str, str]:
        """The encryption members of a PutObject or CopyObject request."""
        if self.key_arn is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key_arn}

    def read_file(self, artifact: Artifact, path: str) -> bytes:
        """One file of a zip artifact. Raises `ActionFailedError` when the artifact is not a zip or has no such file."""
        content: bytes = self._s3.get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return archive.read(path)
        except zipfile.BadZipFile as error:
            raise ActionFailedError(f"the artifact {artifact.name} is not a zip", "ConfigurationError") from error
        except KeyError as error:
            message = f"the artifact {artifact.name} contains no file {path}"
            raise ActionFailedError(message, "ConfigurationError") from error

    def read_json(self, artifact: Artifact, path: str) -> dict[str, Any]:
        """One file of a zip artifact, which must contain a JSON object."""
        try:
            read = json.loads(self.read_file(artifact, path))
        except ValueError as error:
            message = f"{artifact.name}::{path} is not JSON: {error}"
            raise ActionFailedError(message, "ConfigurationError") from error
        if not isinstance(read, dict):
            raise ActionFailedError(f"{artifact.name}::{path} is not a JSON object", "ConfigurationError")
        return read
