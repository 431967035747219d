"""The release: a model package with its lineage, and the zip file that the CloudFormation actions read."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from handler_kit import logs
from handler_kit.registry import short

if TYPE_CHECKING:
    from handler_kit.job import ArtifactLocation
    from register_model.settings import Settings

ARTIFACT = "Release"
MAX_METRICS_CHARACTERS = 300

_EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Release:
    """Everything that a model was made from, by name and version.

    ``metrics`` are texts, exactly as in the registry; SageMaker may also report ``nan``.
    """

    execution_id: str
    model_package_arn: str
    training_job: str
    image: str
    model_data_url: str
    dataset_uri: str
    dataset_version: str
    dataset_sha256: str
    metrics: dict[str, str]

    @property
    def metrics_text(self) -> str:
        """The metrics as text for people, cut to a length that fits the text of an approval."""
        text = ", ".join(f"{name} {short(value)}" for name, value in sorted(self.metrics.items()))
        if not text:
            return "no metrics"
        return text if len(text) <= MAX_METRICS_CHARACTERS else text[: MAX_METRICS_CHARACTERS - 1] + "…"

    def archive(self, stack_parameters: dict[str, dict[str, str]], requested: dict[str, dict[str, str]]) -> bytes:
        """The zip file of ``<environment>.json`` and ``release.json``; equal input gives equal bytes."""
        model = {
            "Image": self.image,
            "ModelDataUrl": self.model_data_url,
            "ModelPackageArn": self.model_package_arn,
            "ExecutionId": self.execution_id,
        }
        files: dict[str, Any] = {
            f"{environment}.json": {"Parameters": {**requested.get(environment, {}), **static, **model}}
            for environment, static in stack_parameters.items()
        }
        files["release.json"] = asdict(self)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                entry = zipfile.ZipInfo(name, _EPOCH_OF_ZIP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, json.dumps(content, indent=2, sort_keys=True))
        return buffer.getvalue()


def upload(
    release: Release,
    settings: Settings,
    requested: dict[str, dict[str, str]],
    location: ArtifactLocation,
    s3: Any,
    encryption_key_id: str | None,
) -> None:
    """Store the zip file as the action's output artifact, with the artifact store's key if it has one."""
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption_key_id} if encryption_key_id else {}
    body = release.archive(settings.stack_parameters, requested)
    s3.put_object(Bucket=location.bucket, Key=location.key, Body=body, ContentType="application/zip", **encryption)
    logs.info("release stored", bucket=location.bucket, key=location.key, bytes=len(body))


def remember(release: Release, settings: Settings, s3: Any) -> None:
    """Record that a model was trained on this content; CheckDataset reads the record."""
    record = {
        "execution_id": release.execution_id,
        "model_package_arn": release.model_package_arn,
        "dataset_version": release.dataset_version,
    }
    s3.put_object(
        Bucket=settings.artifact_bucket,
        Key=f"trained/{settings.model_package_group}/{release.dataset_sha256}.json",
        Body=json.dumps(record, indent=2).encode(),
        ContentType="application/json",
    )
