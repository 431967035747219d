"""The data set of a rehearsal, iris unless a folder is given, and its upload as by a person or an ETL job."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlops_constructs.deployed.data_files import find_data
from mlops_constructs.deployed.data_plan import DatasetObject, check_upload, plan_set
from mlops_constructs.deployed.datasets import find_dataset, put_file, put_object, upload_objects
from mlops_constructs.deployed.pipeline import actions_of
from mlops_constructs.errors import RehearsalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlops_constructs.deployed.data_files import DataFile
    from mlops_constructs.deployed.pipeline import DeployedPipeline

HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class RehearsalData:
    """A data set in channels, and rows that neither training nor the gate ever sees.

    Attributes:
        name: Name of the data set in the bucket.
        channels: Channel to its files, or to CSV without a header, label first.
        holdout: Rows to invoke the production endpoint with, label first; may be empty.
        alone: The one file that is the whole data set, if it is one.
        golden: Golden records.
        contract: Data contract.
    """

    name: str
    channels: Mapping[str, bytes | Sequence[DataFile]]
    holdout: list[list[str]]
    alone: Path | None = None
    golden: Path | None = None
    contract: Path | None = None

    @classmethod
    def iris(cls) -> RehearsalData:
        """Return the iris data: 90 rows to train, 30 to validate, 30 held out.

        The rows and the split are scikit-learn's, kept here as files because scikit-learn takes 1.5 s to import.
        """
        folder = files("mlops_constructs.rehearsal").joinpath("iris")
        bodies = {name: folder.joinpath(f"{name}.csv").read_bytes() for name in ("train", "validation", HOLDOUT)}
        return cls("iris", bodies, _rows(bodies.pop(HOLDOUT), f"{HOLDOUT}.csv"))

    @classmethod
    def find(cls, given: Sequence[str], *, golden: Path | None = None, contract: Path | None = None) -> RehearsalData:
        """Find what ``mlops upload`` would upload; the channel ``holdout``, if there is one, is held out.

        Raises:
            MlopsError: when it is not a data set.
        """
        data = find_data(given, golden=golden, contract=contract)
        channels = dict(data.channels)
        holdout = channels.pop(HOLDOUT, [])
        if data.alone is not None:
            check_upload(data.alone)
        else:
            plan_set(data.name, channels, golden=data.golden, contract=data.contract)
        if len(holdout) > 1 or any(file.path.suffix.lower() != ".csv" for file in holdout):
            raise RehearsalError(
                f"the channel {HOLDOUT} must be one CSV file: the rows that production is invoked with"
            )
        rows = [row for file in holdout for row in _rows(file.path.read_bytes(), str(file.path))]
        rows = rows if data.contract is None else _label_first(rows, data.contract)
        return cls(data.name, channels, rows, data.alone, data.golden, data.contract)

    def upload_to(self, pipeline: DeployedPipeline) -> str:
        """Upload to the folder that starts a deployed pipeline, or start it as a person would; return the key."""
        landing = Landing.of(pipeline)
        place = (pipeline.data_bucket, pipeline.prefix)
        key = self.upload(pipeline.client("s3"), *place, folder=landing.folder, suffix=landing.suffix)
        if not pipeline.starts_on_upload:
            pipeline.start(key, find_dataset(pipeline, key, None).version_id)
        return key

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
        if self.alone is not None and self.alone.name.endswith(suffix):
            return self._put_alone(s3, bucket, f"{prefix}{self.alone.name}")
        manifest = f"{prefix}{self.name}.json"
        objects = self._objects(f"{prefix}data/" if folder is None else folder)
        # In the folder that starts the pipeline, only a suffix keeps the objects from starting it.
        harmless = folder is not None or (suffix and not any(one.key.endswith(suffix) for one in objects))
        if harmless and manifest.endswith(suffix):
            return upload_objects(s3, bucket, manifest, objects).key
        train = [one for one in objects if one.channel == "train"]
        if len(train) > 1:
            raise RehearsalError(
                "--data: this pipeline starts on one object, not on a manifest (its suffix, or its one folder): give"
                " one file"
            )
        return self._put_alone(s3, bucket, f"{prefix}{self.name}{suffix or PurePosixPath(train[0].key).suffix}")

    def _put_alone(self, s3: Any, bucket: str, key: str) -> str:
        content = self.channels["train"]
        if isinstance(content, bytes):
            put_object(s3, bucket, key, content, "text/csv")
        else:
            put_file(s3, bucket, key, content[0].path)
        return key

    def _objects(self, folder: str) -> list[DatasetObject]:
        place = f"{folder}{self.name}"
        found: dict[str, Sequence[DataFile]] = {}
        objects = []
        for channel, content in self.channels.items():
            if isinstance(content, bytes):
                objects.append(DatasetObject(content, f"{place}/{channel}.csv", channel))
            else:
                found[channel] = content
        if not found:
            return objects
        return plan_set(self.name, found, golden=self.golden, contract=self.contract, folder=folder)


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


def _rows(body: bytes, place: str) -> list[list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RehearsalError(f"{place} is not UTF-8 text ({error.reason})") from None
    return [row for row in csv.reader(io.StringIO(text)) if row]


def _label_first(rows: list[list[str]], contract: Path) -> list[list[str]]:
    """Rows as a data contract declares them, with the label first and without the header."""
    try:
        declared = json.loads(contract.read_text(encoding="utf-8-sig"))
        names = [column["name"] for column in declared.get("columns", [])]
        label = names.index(declared["label"]) if declared.get("label") else 0
        header = bool(declared.get("header"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RehearsalError(f"{contract} is not a data contract; `mlops data check` says why") from None
    kept = rows[1:] if header else rows
    if any(len(row) <= label for row in kept):
        raise RehearsalError(f"the channel {HOLDOUT} has rows without the column {names[label]!r} of {contract}")
    return [[row[label], *row[:label], *row[label + 1 :]] for row in kept]
