"""A CreateTrainingJob request that a person wrote: what is used of it, and what is not.

Fields that apply here are used. Fields that the pipeline sets itself are reported in a note. All others are refused.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from check_dataset.fields import check_fields, text_of, whole_number

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from check_dataset.problems import Problems

MAX_RUNTIME_SECONDS = 23 * 3600

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


@dataclass(frozen=True)
class RequestReader:
    """Reads a request; what is wrong goes to ``problems``."""

    place: str
    problems: Problems

    def read(self, value: Any) -> Job:
        """What can be read."""
        with self._collected():
            check_fields(value, "the request", required={"InputDataConfig"}, optional={*_USED, *_OURS})
        if not isinstance(value, dict):
            return Job({})
        job = Job(self._channels(value["InputDataConfig"]) if "InputDataConfig" in value else {})
        job.notes = [f"{name}: {_OURS[name]}" for name in sorted(_OURS.keys() & value.keys()) if value[name]]
        job.image = self._image(value.get("AlgorithmSpecification", {}), job.notes)
        requested = {
            "ResourceConfig": self._resources(value.get("ResourceConfig", {}), job.notes),
            "StoppingCondition": self._stopping(value.get("StoppingCondition", {}), job.notes),
            **{
                name: self._strings(value[name], name) for name in ("HyperParameters", "Environment") if value.get(name)
            },
        }
        job.training = {name: members for name, members in requested.items() if members}
        return job

    def _collected(self) -> AbstractContextManager[None]:
        return self.problems.collected(self.place)

    def _image(self, value: Any, notes: list[str]) -> str | None:
        place = "AlgorithmSpecification"
        with self._collected():
            options = {"TrainingImage", "TrainingInputMode", "MetricDefinitions"}
            check_fields(value, place, required=set(), optional=options)
        if not isinstance(value, dict):
            return None
        with self._collected():
            if value.get("TrainingInputMode", "File") != "File":
                raise ValueError(f"{place}.TrainingInputMode must be 'File', got {value['TrainingInputMode']!r}")
        if value.get("MetricDefinitions"):
            notes.append(f"{place}.MetricDefinitions: those of the pipeline are used, because its gate reads them")
        with self._collected():
            return text_of(value["TrainingImage"], f"{place}.TrainingImage") if "TrainingImage" in value else None
        return None

    def _resources(self, value: Any, notes: list[str]) -> dict[str, Any]:
        options = {"InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"}
        with self._collected():
            check_fields(value, "ResourceConfig", required=set(), optional=options)
        if not isinstance(value, dict):
            return {}
        found: dict[str, Any] = {}
        if "InstanceType" in value:
            with self._collected():
                kind = text_of(value["InstanceType"], "ResourceConfig.InstanceType")
                if not re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", kind):
                    raise ValueError(f"ResourceConfig.InstanceType {kind!r} is not a SageMaker instance type")
                found["InstanceType"] = kind
        for name, high in (("InstanceCount", 100), ("VolumeSizeInGB", 16_384)):
            if name in value:
                with self._collected():
                    found[name] = whole_number(value[name], f"ResourceConfig.{name}", 1, high)
        if value.get("VolumeKmsKeyId"):
            notes.append("ResourceConfig.VolumeKmsKeyId: the pipeline's own key is used")
        return found

    def _stopping(self, value: Any, notes: list[str]) -> dict[str, Any]:
        with self._collected():
            check_fields(value, "StoppingCondition", required=set(), optional={"MaxRuntimeInSeconds"})
        if not isinstance(value, dict) or "MaxRuntimeInSeconds" not in value:
            return {}
        with self._collected():
            place = "StoppingCondition.MaxRuntimeInSeconds"
            seconds = whole_number(value["MaxRuntimeInSeconds"], place, 1, 28 * 86_400)
            if seconds > MAX_RUNTIME_SECONDS:
                notes.append(
                    f"MaxRuntimeInSeconds {seconds}: {MAX_RUNTIME_SECONDS} (23 h) is used, because CodePipeline waits"
                    " 24 h"
                )
            return {"MaxRuntimeInSeconds": min(seconds, MAX_RUNTIME_SECONDS)}
        return {}

    def _channels(self, value: Any) -> dict[str, tuple[str, str]]:
        channels: dict[str, tuple[str, str]] = {}
        with self._collected():
            if not isinstance(value, list) or not value:
                raise ValueError("InputDataConfig must be a list with at least the channel train")
            for index, one in enumerate(value):
                with self._collected():
                    name, where = _channel(one, f"InputDataConfig[{index}]")
                    if name in channels:
                        raise ValueError(f"InputDataConfig[{index}]: the channel {name} is given twice")
                    channels[name] = where
        return channels

    def _strings(self, value: Any, place: str) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._collected():
            if not isinstance(value, dict):
                raise ValueError(f"{place} must be an object")
            if len(value) > 100:
                raise ValueError(f"{place} has {len(value)} entries; SageMaker takes at most 100")
            for key, text in value.items():
                with self._collected():
                    found[key] = _string(key, text, place)
        return found


def _channel(value: Any, place: str) -> tuple[str, tuple[str, str]]:
    options = {"ContentType", "CompressionType", "RecordWrapperType", "InputMode"}
    check_fields(value, place, required={"ChannelName", "DataSource"}, optional=options)
    expected = {"ContentType": ("text/csv", "csv"), "InputMode": ("File",)}
    for name in sorted(options & value.keys()):
        taken = expected.get(name, ("None",))
        if value[name] not in (None, *taken):
            raise ValueError(f"{place}.{name} must be {taken[0]!r}, got {value[name]!r}")
    name = text_of(value["ChannelName"], f"{place}.ChannelName")
    return name, _prefix(value["DataSource"], f"{place}.DataSource")


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


def _string(key: str, text: Any, place: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{place}.{key} must be a string, because SageMaker requires it; got {json.dumps(text)[:60]}")
    if key.startswith("sagemaker_"):
        raise ValueError(f"{place}.{key}: is not for a data set, because it can choose the code that runs")
    if not key or len(key) > 256 or len(text) > 2500:
        raise ValueError(f"{place}.{key[:60]}: a name has 1 to 256 characters, a value at most 2500")
    return text
