"""The files of a processing job in /opt/ml: its inputs, and the outputs that are stored in S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.sagemaker.job_files import JobError, download_prefix, split_s3_uri

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.service import Params

ROOT = "/opt/ml/"
_MESSAGE_CHARACTERS = 1024


def lay_out(base: Path, request: Params) -> None:
    """Create the folders, and the two files of config."""
    (base / "config").mkdir(parents=True)
    (base / "output").mkdir()
    shown = {name: value for name, value in request.items() if name not in ("Tags", "Environment")}
    cluster = request["ProcessingResources"]["ClusterConfig"]
    resources = {"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": cluster.get("InstanceType")}
    for name, content in {"processingjobconfig": shown, "resourceconfig": resources}.items():
        (base / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    for output in _outputs(request):
        _local(output["LocalPath"], base).mkdir(parents=True, exist_ok=True)


def _outputs(request: Params) -> list[Params]:
    return [output["S3Output"] for output in request.get("ProcessingOutputConfig", {}).get("Outputs", [])]


def _local(path: str, base: Path) -> Path:
    return base / path.removeprefix(ROOT)


def download(base: Path, request: Params, s3: Any) -> None:
    """Download every input. Raises `JobError` for an input without objects."""
    for entry in request.get("ProcessingInputs", []):
        source = entry["S3Input"]
        folder = _local(source["LocalPath"], base)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if download_prefix(s3, source["S3Uri"], folder) == 0:
            where = f'under S3 URL "{source["S3Uri"]}" of {entry["InputName"]}'
            raise JobError(f"ClientError: No S3 objects found {where}.")


def upload(base: Path, request: Params, s3: Any) -> None:
    """Upload every output."""
    key_id = request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    for output in _outputs(request):
        bucket, prefix = split_s3_uri(output["S3Uri"])
        folder = _local(output["LocalPath"], base)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}"
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), **encryption)


def exit_message(base: Path) -> str:
    """The ExitMessage: the text of the file output/message, empty without one."""
    file = base / "output" / "message"
    return file.read_bytes().decode(errors="replace").strip()[:_MESSAGE_CHARACTERS] if file.is_file() else ""
