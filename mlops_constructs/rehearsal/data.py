"""The data set of a rehearsal, iris unless a folder is given, and its upload as by a person or an ETL job."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlops_constructs.deployed.datasets import DatasetObject, put_object, upload_objects
from mlops_constructs.deployed.pipeline import actions_of
from mlops_constructs.errors import RehearsalError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from mlops_constructs.deployed.pipeline import DeployedPipeline

HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class RehearsalData:
    """A data set in channels, and rows that neither training nor the gate ever sees.

    Attributes:
        name: Name of the data set in the bucket.
        channels: Channel to CSV without a header, label first.
        holdout: Rows to invoke the production endpoint with, label first; may be empty.
    """

    name: str
    channels: dict[str, bytes]
    holdout: list[list[str]]

    @classmethod
    def iris(cls) -> RehearsalData:
        """Return the iris data: 90 rows to train, 30 to validate, 30 held out.

        The rows and the split are scikit-learn's, kept here as files because scikit-learn takes 1.5 s to import.
        """
        return cls._read("iris", files("mlops_constructs.rehearsal").joinpath("iris"))

    @classmethod
    def from_folder(cls, folder: Path) -> RehearsalData:
        """Read ``<channel>.csv`` files; ``holdout.csv``, if it exists, is not uploaded.

        Raises:
            RehearsalError: when the folder or its ``train.csv`` is missing.
        """
        if not folder.is_dir():
            raise RehearsalError(f"--data {folder}: no such folder; it must contain train.csv")
        data = cls._read(folder.resolve().name, folder)
        if "train" not in data.channels:
            raise RehearsalError(
                f"--data {folder}: it has no train.csv; give one CSV file per channel, label first, no header"
            )
        return data

    @classmethod
    def _read(cls, name: str, folder: Traversable) -> RehearsalData:
        paths = sorted((one for one in folder.iterdir() if one.name.endswith(".csv")), key=lambda one: one.name)
        channels = {path.name.removesuffix(".csv"): path.read_bytes() for path in paths}
        holdout = channels.pop(HOLDOUT, b"")
        return cls(name, channels, _rows(holdout, folder))

    def upload_to(self, pipeline: DeployedPipeline) -> str:
        """Upload to the folder that starts a deployed pipeline; return the key."""
        landing = Landing.of(pipeline)
        place = (pipeline.data_bucket, pipeline.prefix)
        return self.upload(pipeline.client("s3"), *place, folder=landing.folder, suffix=landing.suffix)

    def upload(self, s3: Any, bucket: str, prefix: str, *, folder: str | None = "data/", suffix: str = "") -> str:
        """Put the channels into the bucket, then the manifest that starts the pipeline; return the manifest's key.

        Where the pipeline accepts no manifest, the channel train alone is the data set.

        Args:
            s3: Client.
            bucket: The data bucket.
            prefix: Folder that starts the pipeline.
            folder: Folder of the objects that manifests name, or None where only ``prefix`` is read.
            suffix: Suffix of the keys that start the pipeline.
        """
        manifest = f"{prefix}{self.name}.json"
        if folder is None and suffix and not ".csv".endswith(suffix):
            folder = f"{prefix}data/"
        if folder is None or not manifest.endswith(suffix):
            key = f"{prefix}{self.name}{suffix or '.csv'}"
            put_object(s3, bucket, key, self.channels["train"], "text/csv")
            return key
        place = f"{folder}{self.name}"
        objects = [DatasetObject(body, f"{place}/{channel}.csv", channel) for channel, body in self.channels.items()]
        return upload_objects(s3, bucket, manifest, objects).key


@dataclass(frozen=True, slots=True)
class Landing:
    """The folders and keys in its bucket that a deployed pipeline uses.

    Attributes:
        folder: Folder of the objects that manifests name, or None where only the folder of data sets is read.
        suffix: Suffix of the keys that start the pipeline.
    """

    folder: str | None
    suffix: str

    @classmethod
    def of(cls, pipeline: DeployedPipeline) -> Landing:
        """Read it from the function that checks data sets, and from the EventBridge rule for uploads."""
        client, prefix = pipeline.client, pipeline.prefix
        functions = [
            action["configuration"]["FunctionName"]
            for action in actions_of(pipeline.definition)
            if action["name"] == "CheckDataset"
        ]
        suffix, folders = "", ["data/"]
        for name in functions:
            answer = client("lambda").get_function_configuration(FunctionName=name)
            variables = answer.get("Environment", {}).get("Variables", {})
            start = f"s3://{pipeline.data_bucket}/"
            read = [one.removeprefix(start) for one in variables.get("READABLE", "").split() if one.startswith(start)]
            # The whole bucket is the pipeline's own.
            folders = ["data/"] if "" in read else [one for one in read if one != prefix]
            rule = client("events").describe_rule(Name=f"{pipeline.name}-on-upload")
            (key,) = json.loads(rule["EventPattern"])["detail"]["object"]["key"]
            suffix = key.get("wildcard", "").removeprefix(f"{prefix}*")
        return cls(folders[0] if folders else None, suffix)


def _rows(body: bytes, folder: Traversable) -> list[list[str]]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise RehearsalError(f"--data {folder}: {HOLDOUT}.csv is not UTF-8 text ({error.reason})") from None
    return [row for row in csv.reader(io.StringIO(text)) if row]
