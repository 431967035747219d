"""``trainingjob.zip``: a training described by a CreateTrainingJob request, as the MLOps workshop of AWS uploads it.

Fields that apply here are used. Fields that the pipeline sets itself are reported in a note. All others are refused.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from check_dataset.endpoints import Endpoints, parse_endpoints
from check_dataset.fields import check_fields, parse_document, text_of, whole_number
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ARCHIVE = "trainingjob.zip"
MAX_RUNTIME_SECONDS = 23 * 3600

_JOB = "trainingjob.json"
_DEPLOYMENTS = ("deployment.json", "environment.json")
_VERSION_1 = re.compile(r"assets/deploy-model.*\.(?:ya?ml|json)")
_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
_OURS = {
    "TrainingJobName": "the pipeline names the job after its execution",
    "RoleArn": "the pipeline's own training role is used",
    "OutputDataConfig": "the model goes to the artifact bucket",
    "Tags": "the pipeline tags its jobs itself",
    "EnableNetworkIsolation": "the pipeline's own setting is used",
    "EnableInterContainerTrafficEncryption": "the pipeline's own setting is used",
}
_USED = {
    "AlgorithmSpecification",
    "Environment",
    "HyperParameters",
    "InputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
}


@dataclass
class Job:
    """What a zip file requests.

    Attributes:
        channels: Channel to bucket and key prefix.
        image: The training image that it names, or ``None``.
        training: The members of CreateTrainingJob that it changes.
        endpoints: Environment (``dev``, ``production``) to the parameters of the endpoint's template.
        notes: Notes for people about fields that are not used as they are.
    """

    channels: dict[str, tuple[str, str]]
    image: str | None = None
    training: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def parse_job(files: Mapping[str, bytes], place: str, min_instances: Mapping[str, str]) -> Job:
    """Read the files of a zip file. Raises ConfigurationError that names the file and the field."""
    _check_files(files, place)
    texts = {name: _text(content, f"{place} / {name}") for name, content in files.items()}
    value = parse_document(texts[_JOB], f"{place} / {_JOB}", "training job")
    try:
        job = _job(value)
    except ValueError as error:
        raise ConfigurationError(f"{place} / {_JOB}: {error}") from None
    for name in _DEPLOYMENTS:
        if name in texts:
            endpoints: Endpoints = parse_endpoints(texts[name], f"{place} / {name}", min_instances)
            job.endpoints = endpoints.parameters
            job.notes += endpoints.notes
    return job


def check_image(job: Job, image: str) -> None:
    """Accept the image that the zip file names, or raise ConfigurationError; ``image`` is the pipeline's own image."""
    if job.image is None or job.image == image:
        return
    repository = image.partition("@")[0]
    # The tag is the part after the last colon; a colon may also come before the port of a registry.
    tagged, _, tag = job.image.rpartition(":")
    if job.image == repository or (tagged == repository and tag == "latest"):
        job.notes.append(f"TrainingImage {job.image}: trained with {image}")
        return
    raise ConfigurationError(
        f"{_JOB}: AlgorithmSpecification.TrainingImage is {job.image}, but this pipeline trains and serves"
        f" {image}. Leave TrainingImage out, name {repository}:latest, or give the pipeline that image with"
        " Algorithm.from_image(...)"
    )


def _check_files(files: Mapping[str, bytes], place: str) -> None:
    if old := sorted(name for name in files if _VERSION_1.fullmatch(name)):
        raise ConfigurationError(
            f"{place}: {', '.join(old)}: this is the workshop's first format, whose zip file contains CloudFormation"
            " templates. The pipeline deploys with its own templates: leave assets/ out, and put instance types, counts"
            " and scaling into a deployment.json"
        )
    if _JOB not in files:
        elsewhere = [name for name in files if name.endswith(f"/{_JOB}")]
        hint = f"; {elsewhere[0]} must be at the top level" if elsewhere else ""
        raise ConfigurationError(f"{place}: there is no {_JOB} in it, only {', '.join(sorted(files))[:300]}{hint}")
    if unknown := sorted(set(files) - {_JOB, *_DEPLOYMENTS}):
        raise ConfigurationError(f"{place}: {', '.join(unknown)[:300]} is not used here; leave it out")
    if len(set(files) & set(_DEPLOYMENTS)) > 1:
        raise ConfigurationError(f"{place}: it contains both {' and '.join(_DEPLOYMENTS)}; keep one")


def _text(content: bytes, place: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{place}: must be UTF-8 text") from None


def _job(value: Any) -> Job:
    check_fields(value, "the request", required={"InputDataConfig"}, optional={*_USED, *_OURS})
    job = Job(_channels(value["InputDataConfig"]))
    job.notes = [f"{name}: {_OURS[name]}" for name in sorted(_OURS.keys() & value.keys()) if value[name]]
    job.image = _image(value.get("AlgorithmSpecification", {}), job.notes)
    requested = {
        "ResourceConfig": _resources(value.get("ResourceConfig", {}), job.notes),
        "StoppingCondition": _stopping(value.get("StoppingCondition", {}), job.notes),
        **{name: _strings(value[name], name) for name in ("HyperParameters", "Environment") if value.get(name)},
    }
    job.training = {name: members for name, members in requested.items() if members}
    return job


def _image(value: Any, notes: list[str]) -> str | None:
    place = "AlgorithmSpecification"
    check_fields(value, place, required=set(), optional={"TrainingImage", "TrainingInputMode", "MetricDefinitions"})
    if value.get("TrainingInputMode", "File") != "File":
        raise ValueError(f"{place}.TrainingInputMode must be 'File', got {value['TrainingInputMode']!r}")
    if value.get("MetricDefinitions"):
        notes.append(f"{place}.MetricDefinitions: those of the pipeline are used, because its gate reads them")
    return text_of(value["TrainingImage"], f"{place}.TrainingImage") if "TrainingImage" in value else None


def _resources(value: Any, notes: list[str]) -> dict[str, Any]:
    options = {"InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"}
    check_fields(value, "ResourceConfig", required=set(), optional=options)
    found: dict[str, Any] = {}
    if "InstanceType" in value:
        found["InstanceType"] = text_of(value["InstanceType"], "ResourceConfig.InstanceType")
        if not re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", found["InstanceType"]):
            raise ValueError(f"ResourceConfig.InstanceType {found['InstanceType']!r} is not a SageMaker instance type")
    for name, high in (("InstanceCount", 100), ("VolumeSizeInGB", 16_384)):
        if name in value:
            found[name] = whole_number(value[name], f"ResourceConfig.{name}", 1, high)
    if value.get("VolumeKmsKeyId"):
        notes.append("ResourceConfig.VolumeKmsKeyId: the pipeline's own key is used")
    return found


def _stopping(value: Any, notes: list[str]) -> dict[str, Any]:
    check_fields(value, "StoppingCondition", required=set(), optional={"MaxRuntimeInSeconds"})
    if "MaxRuntimeInSeconds" not in value:
        return {}
    seconds = whole_number(value["MaxRuntimeInSeconds"], "StoppingCondition.MaxRuntimeInSeconds", 1, 28 * 86_400)
    if seconds > MAX_RUNTIME_SECONDS:
        notes.append(
            f"MaxRuntimeInSeconds {seconds}: {MAX_RUNTIME_SECONDS} (23 h) is used, because CodePipeline waits 24 h"
        )
    return {"MaxRuntimeInSeconds": min(seconds, MAX_RUNTIME_SECONDS)}


def _channels(value: Any) -> dict[str, tuple[str, str]]:
    if not isinstance(value, list) or not value:
        raise ValueError("InputDataConfig must be a list with at least the channel train")
    channels: dict[str, tuple[str, str]] = {}
    for index, one in enumerate(value):
        place = f"InputDataConfig[{index}]"
        options = {"ContentType", "CompressionType", "RecordWrapperType", "InputMode"}
        check_fields(one, place, required={"ChannelName", "DataSource"}, optional=options)
        expected = {"ContentType": ("text/csv", "csv"), "InputMode": ("File",)}
        for name in options & one.keys():
            taken = expected.get(name, ("None",))
            if one[name] not in (None, *taken):
                raise ValueError(f"{place}.{name} must be {taken[0]!r}, got {one[name]!r}")
        name = text_of(one["ChannelName"], f"{place}.ChannelName")
        if name in channels:
            raise ValueError(f"{place}: the channel {name} is given twice")
        channels[name] = _prefix(one["DataSource"], f"{place}.DataSource")
    return channels


def _prefix(value: Any, place: str) -> tuple[str, str]:
    check_fields(value, place, required={"S3DataSource"}, optional=set())
    source, place = value["S3DataSource"], f"{place}.S3DataSource"
    check_fields(source, place, required={"S3Uri"}, optional={"S3DataType", "S3DataDistributionType"})
    for name, taken in (("S3DataType", "S3Prefix"), ("S3DataDistributionType", "FullyReplicated")):
        if source.get(name, taken) != taken:
            raise ValueError(f"{place}.{name} must be {taken!r}, got {source[name]!r}")
    uri = text_of(source["S3Uri"], f"{place}.S3Uri")
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"{place}.S3Uri must be s3://bucket/prefix, got {uri!r}")
    return match[1], match[2]


def _strings(value: Any, place: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object")
    if len(value) > 100:
        raise ValueError(f"{place} has {len(value)} entries; SageMaker takes at most 100")
    for key, text in value.items():
        if not isinstance(text, str):
            raise ValueError(
                f"{place}.{key} must be a string, because SageMaker requires it; got {json.dumps(text)[:60]}"
            )
        if key.startswith("sagemaker_"):
            raise ValueError(f"{place}.{key}: is not for a data set, because it can choose the code that runs")
        if not key or len(key) > 256 or len(text) > 2500:
            raise ValueError(f"{place}.{key[:60]}: a name has 1 to 256 characters, a value at most 2500")
    return value
