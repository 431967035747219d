"""The data set of a rehearsal: iris unless a folder is given; uploaded as a person or an ETL job would."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_constructs.errors import RehearsalError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class RehearsalData:
    """A data set in channels, and rows that neither training nor the gate ever sees.

    Attributes:
        name: Names the objects in the bucket.
        channels: Channel to CSV without a header, label first.
        holdout: Rows to ask the production endpoint, label first; may be empty.
    """

    name: str
    channels: dict[str, bytes]
    holdout: list[list[str]]

    @classmethod
    def iris(cls) -> RehearsalData:
        """Split scikit-learn's own copy of the iris data: 90 rows to train, 30 to validate, 30 held out.

        Raises:
            RehearsalError: when scikit-learn is not installed.
        """
        try:
            from sklearn.datasets import load_iris
            from sklearn.model_selection import train_test_split
        except ModuleNotFoundError:
            raise RehearsalError(
                "the iris data needs scikit-learn: pip install 'mlops-constructs[rehearsal]', or give --data"
            ) from None
        bunch = load_iris()
        labels = [str(bunch.target_names[target]) for target in bunch.target]
        rows = [[label, *map(str, features)] for label, features in zip(labels, bunch.data.tolist(), strict=True)]
        train, rest = train_test_split(rows, train_size=90, random_state=7, stratify=labels)
        validation, holdout = train_test_split(rest, train_size=30, random_state=7, stratify=[row[0] for row in rest])
        return cls("iris", {"train": _csv(train), "validation": _csv(validation)}, holdout)

    @classmethod
    def from_folder(cls, folder: Path) -> RehearsalData:
        """Read ``<channel>.csv`` files; ``holdout.csv``, if there, is kept from the pipeline.

        Raises:
            RehearsalError: when the folder or its ``train.csv`` is missing.
        """
        if not folder.is_dir():
            raise RehearsalError(f"--data {folder}: no such folder; it should hold train.csv")
        files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.csv"))}
        if "train" not in files:
            raise RehearsalError(f"--data {folder}: no train.csv in it; one CSV file a channel, label first, no header")
        holdout = files.pop(HOLDOUT, b"")
        return cls(folder.resolve().name, files, _rows(holdout, folder))

    def upload(self, s3: Any, bucket: str, prefix: str) -> str:
        """Put the channels into the bucket, then the manifest that starts the pipeline; give the manifest's key."""
        channels: dict[str, list[dict[str, str]]] = {}
        for channel, body in self.channels.items():
            key = f"data/{self.name}/{channel}.csv"
            answer = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/csv")
            channels[channel] = [{"key": key, "version_id": answer["VersionId"]}]
        manifest = f"{prefix}{self.name}.json"
        body = json.dumps({"channels": channels}, indent=2).encode()
        s3.put_object(Bucket=bucket, Key=manifest, Body=body, ContentType="application/json")
        return manifest


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _rows(body: bytes, folder: Path) -> list[list[str]]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise RehearsalError(f"--data {folder}: {HOLDOUT}.csv is not UTF-8 text ({error.reason})") from None
    return [row for row in csv.reader(io.StringIO(text)) if row]
