"""The files of a training job in /opt/ml: its inputs, and the outputs that are stored in S3."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tarfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.containers.running import reported
from mlops_constructs.local_aws.sagemaker.builtin_metrics import predefined

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.local_aws.service import Params

FAILURE_CHARACTERS = 1024


class JobError(Exception):
    """The job cannot continue; the text is its FailureReason."""


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI. Raises `JobError`."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise JobError(f"ClientError: {uri!r} is no S3 URI")
    return parts.netloc, parts.path.lstrip("/")


def write_configuration(base: Path, request: Params) -> None:
    """Create the folders of /opt/ml and the three files of input/config."""
    for folder in ("input/config", "input/data", "model", "output/data", "checkpoints", "code"):
        (base / folder).mkdir(parents=True)
    resources = request.get("ResourceConfig", {})
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": resources.get("InstanceType"),
        "hosts": ["algo-1"],
    }
    files = {
        "hyperparameters": request.get("HyperParameters", {}),
        "inputdataconfig": {channel["ChannelName"]: _channel_settings(channel) for channel in _channels(request)},
        "resourceconfig": {
            "current_host": "algo-1",
            "current_instance_type": resources.get("InstanceType"),
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [group],
            "network_interface_name": "eth0",
        },
    }
    for name, content in files.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _channels(request: Params) -> list[Params]:
    channels: list[Params] = request.get("InputDataConfig", [])
    return channels


def _channel_settings(channel: Params) -> dict[str, str]:
    source = channel["DataSource"]["S3DataSource"]
    settings = {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        settings["ContentType"] = channel["ContentType"]
    return settings


def forget_work(base: Path) -> None:
    """Delete what the program has written: the new instance after an interruption does not have it."""
    for name in ("model", "output", "checkpoints"):
        shutil.rmtree(base / name, ignore_errors=True)
    for name in ("model", "output/data", "checkpoints"):
        (base / name).mkdir(parents=True)


def download_channels(base: Path, request: Params, s3: Any) -> None:
    """Download every channel into input/data. Raises `JobError` with SageMaker's wording."""
    if request["AlgorithmSpecification"].get("TrainingInputMode") == "Pipe":
        raise JobError("ClientError: the local AWS supports the input modes File and FastFile, not Pipe")
    for channel in _channels(request):
        source = channel["DataSource"]["S3DataSource"]
        if source.get("S3DataType") != "S3Prefix":
            raise JobError(
                f"ClientError: the local AWS supports only channels with S3DataType S3Prefix; "
                f"{channel['ChannelName']} has {source.get('S3DataType')}"
            )
        folder = base / "input" / "data" / channel["ChannelName"]
        try:
            count = download_prefix(s3, source["S3Uri"], folder)
        except ClientError as error:
            raise JobError(f"ClientError: Data download failed: {source['S3Uri']}: {error}") from error
        if count == 0:
            raise JobError(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{source["S3Uri"]}" '
                f"given in input data source. Please ensure that the bucket exists, that objects exist under "
                f'that S3 prefix, and that the role "{request["RoleArn"]}" has "s3:ListBucket" permissions on it.'
            )


def download_prefix(s3: Any, uri: str, folder: Path) -> int:
    """Download all objects below a URI into a folder, with the folders of their keys; return their number."""
    bucket, prefix = split_s3_uri(uri)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if item["Key"].endswith("/"):
                continue
            relative = item["Key"][len(prefix) :].lstrip("/")
            target = folder / (relative if relative else item["Key"].rsplit("/", 1)[-1])
            if not target.resolve().is_relative_to(folder.resolve()):
                raise JobError(f"ClientError: Data download failed: the key {item['Key']!r} points outside its folder")
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                download(s3, bucket, item["Key"], target)
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                raise JobError(
                    f"ClientError: Data download failed: {relative!r} is an object, and a folder of others"
                ) from None
            count += 1
    return count


def download(s3: Any, bucket: str, key: str, target: Path) -> None:
    """Download one object into a file."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    with contextlib.closing(body), target.open("wb") as file:
        shutil.copyfileobj(body, file)


def upload_output(base: Path, request: Params, s3: Any, *, with_model: bool) -> str | None:
    """Archive the job's output and model to its output path; return the URI of the model archive, if there is one."""
    root = f"{request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    key_id = request["OutputDataConfig"].get("KmsKeyId")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    if any((base / "output" / "data").iterdir()):
        _upload_archive(s3, base / "output" / "data", f"{root}/output.tar.gz", encryption)
    if not with_model:
        return None
    _upload_archive(s3, base / "model", f"{root}/model.tar.gz", encryption)
    return f"{root}/model.tar.gz"


def _upload_archive(s3: Any, folder: Path, uri: str, encryption: dict[str, str]) -> None:
    bucket, key = split_s3_uri(uri)
    archive = folder.parent / f"{folder.name}.tar.gz"
    # A model hardly shrinks further at higher levels, which take up to twenty times as long. Large pieces leave the
    # interpreter to other threads while they are compressed.
    with tarfile.open(archive, "w:gz", compresslevel=1, copybufsize=1 << 20) as tar:  # type: ignore[call-overload]
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    try:
        with archive.open("rb") as body:
            s3.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
    except ClientError as error:
        raise JobError(f"ClientError: Artifact upload failed: {uri}: {error}") from error


def failure_reason(base: Path, exit_code: int, log_tail: str) -> str:
    """The FailureReason of a job whose program failed: its failure file, otherwise the end of its log."""
    file = base / "output" / "failure"
    written = file.read_bytes()[: 4 * FAILURE_CHARACTERS].decode(errors="replace") if file.is_file() else ""
    text = written.strip() if written.strip() else log_tail
    code = reported(exit_code)
    return f"AlgorithmError: {text[:FAILURE_CHARACTERS]}, exit code: {code}"


def final_metrics(definitions: list[Params], lines: list[str]) -> list[Params]:
    """The last value of each metric in the log; without definitions, of the metrics of built-in algorithms."""
    now = utc_now()
    if not definitions:
        known = predefined(lines)
        return [{"MetricName": name, "Value": value, "Timestamp": now} for name, value in known.items()]
    found = []
    for definition in definitions:
        pattern = re.compile(definition["Regex"])
        values = [match.group(1) for line in lines if (match := pattern.search(line)) and pattern.groups]
        value = next((number for text in reversed(values) if (number := _number(text)) is not None), None)
        if value is not None:
            found.append({"MetricName": definition["Name"], "Value": value, "Timestamp": now})
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
