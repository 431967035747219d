"""What production serves: its release, since when, in which variant; and the baselines of model packages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handler_kit.ab_record import PRIMARY
from handler_kit.ab_store import Store
from handler_kit.objects import exists, read_object
from handler_kit.releases import Releases
from watch_traffic.calibration import Calibration
from watch_traffic.model_monitor import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watch_traffic.baseline import Baseline


@dataclass(frozen=True)
class Released:
    """A release in production.

    Attributes:
        number: Its number; None for a champion whose release has no record.
        package: ARN of its model package.
        variant: Its production variant.
        since: Since when it responds alone, in seconds since 1970.
    """

    number: int | None
    package: str
    variant: str
    since: float

    @property
    def name(self) -> str:
        """Return what names it in keys: its number or, without one, that of its model package."""
        return f"package-{version_of(self.package)}" if self.number is None else str(self.number)


def released(s3: Any, bucket: str, pipeline: str, *, ab_test: bool) -> Released | None:
    """Return the newest release or, with A/B tests, the champion; None before the first one."""
    releases = Releases(s3, bucket, pipeline)
    newest = releases.newest_number()
    if ab_test:
        champion = Store(s3, bucket, pipeline).read()[0].champion
        if champion is None:
            return None
        number = releases.number_of(champion.execution_id, newest)
        return Released(number, champion.model_package_arn, champion.slot, champion.since)
    if not newest:
        return None
    record = releases.read(newest)
    return Released(newest, record["model_package_arn"], PRIMARY, _seconds(record))


def _seconds(record: Mapping[str, Any]) -> float:
    at = record.get("released_at") or record.get("approved_at")
    return 0.0 if at is None else datetime.fromisoformat(str(at).replace("Z", "+00:00")).timestamp()


def version_of(package_arn: str) -> str:
    """Return the version of a model package, which is unique in the group of the pipeline."""
    return package_arn.rpartition("/")[2]


@dataclass(frozen=True)
class Baselines:
    """The baselines of one pipeline."""

    s3: Any
    bucket: str
    pipeline: str

    def of(self, package_arn: str) -> StoredBaseline:
        """Return the place of the baseline of a model package."""
        prefix = f"baselines/{self.pipeline}/{version_of(package_arn)}/"
        return StoredBaseline(self.s3, self.bucket, prefix)


@dataclass(frozen=True)
class StoredBaseline:
    """The objects of a baseline; ``baseline.json`` is written last."""

    s3: Any
    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        """The folder."""
        return f"s3://{self.bucket}/{self.prefix}"

    def exists(self) -> bool:
        """Whether the baseline is complete."""
        return exists(self.s3, f"{self.uri}baseline.json")

    def put(self, name: str, content: Mapping[str, Any]) -> None:
        """Write an object."""
        body = json.dumps(content, sort_keys=True, allow_nan=False).encode()
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.prefix}{name}", Body=body, ContentType="application/json")

    def read(self) -> BaselineOfRelease | None:
        """Read the baseline; None when there is none."""
        about = self._read("baseline.json")
        if about is None:
            return None
        features, predictions = (self._read(f"{name}statistics.json") for name in ("", "prediction_"))
        calibration = about["calibration"]
        return BaselineOfRelease(
            None if features is None else read(features),
            None if predictions is None else read(predictions),
            None if calibration is None else Calibration.from_json(calibration),
            list(about["notes"]),
        )

    def _read(self, name: str) -> dict[str, Any] | None:
        found = read_object(self.s3, self.bucket, f"{self.prefix}{name}")
        return None if found is None else dict(json.loads(found[0]))


@dataclass(frozen=True)
class BaselineOfRelease:
    """The baseline of a release.

    Attributes:
        features: Of the training data; None where it cannot be read.
        predictions: Of the predictions for rows that the model was not trained with, or None.
        calibration: How often predictions of some confidence were right, or None.
        notes: What is not watched, and why.
    """

    features: Baseline | None
    predictions: Baseline | None
    calibration: Calibration | None
    notes: list[str]
