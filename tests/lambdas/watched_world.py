"""A release with its baseline, what production has captured of it, and who would be notified; all can be cut off."""

from __future__ import annotations

import hashlib
import io
import json
import random
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.response import StreamingBody
from lambdas.ab_lake import BUCKET, ENDPOINT, PIPELINE, START, Edge
from watch_traffic import model_monitor
from watch_traffic.baseline import baseline
from watch_traffic.looking import Aws, look
from watch_traffic.released import Baselines
from watch_traffic.settings import Document, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self
    from watch_traffic.calibration import Calibration

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris-1a2b3c/4"
TOPIC = "arn:aws:sns:us-east-1:123456789012:iris-1a2b3c-approvals"
SETTINGS = Settings(PIPELINE, BUCKET, ENDPOINT, TOPIC, "iris-1a2b3c-retrain")
HOUR = 3_600.0
NAMES = ["size", "colour"]
CONFIG: dict[str, Any] = {
    "looks_every_seconds": 3_600,
    "plan": {"level": 0.05, "weights": {}, "psi_limit": 0.1, "wasserstein_limit": 0.1, "min_hours": 0.0},
    "ignored_features": [],
    "predictions": True,
    "one_record_per_user": False,
    "feature_metrics": True,
    "quality": None,
}
QUALITY: dict[str, Any] = {
    "min_accuracy": 0.8,
    "level": 0.05,
    "maturity_window_in_seconds": 7_200.0,
    "absolute_tolerance": 0.0,
    "relative_tolerance": 0.0,
    "estimated": False,
}


class KilledError(BaseException):
    """The function has ended in the middle of a call."""


class Fuse:
    """Ends the function at a call: before it has an effect, or after it.

    Attributes:
        left: Calls until then; None for never.
        after: Whether the call has its effect.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.after = False

    def burn(self, *, after: bool) -> None:
        if self.left is None or after != self.after:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise KilledError


class Served(Edge):
    """A service that takes every request."""

    def __init__(self, service: str, fuse: Fuse) -> None:
        super().__init__(service)
        self._fuse = fuse

    def _answer(self, model: Any, **context: Any) -> tuple[Any, dict[str, Any]] | None:
        self._fuse.burn(after=False)
        status, found = super()._answer(model, **context) or self._respond(model.name, self.requests[model.name][-1])
        self._fuse.burn(after=True)
        return type("Response", (), {"status_code": getattr(status, "status_code", status)})(), found

    def _respond(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        del operation, request
        return 200, {"ResponseMetadata": {}}


class Bucket(Served):
    """S3 with one bucket, in which objects arrive at given times."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__("s3", fuse)
        self.now = START
        self.objects: dict[str, tuple[float, bytes]] = {}

    def add(self, key: str, at: float, body: bytes) -> None:
        """Add an object that arrives at a time."""
        self.objects[key] = (at, body)

    def text(self, key: str) -> str:
        return self.objects[key][1].decode()

    def _respond(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if operation == "ListObjectsV2":
            return 200, self._list(request["Prefix"], request.get("StartAfter", ""))
        key = request["Key"]
        arrived, body = self.objects.get(key, (float("inf"), b""))
        if operation == "GetObject":
            if arrived > self.now:
                return 404, {"Error": {"Code": "NoSuchKey", "Message": "No."}}
            return 200, {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": _etag(body)}
        assert operation == "PutObject", operation
        wanted = request.get("IfMatch")
        if ("IfNoneMatch" in request and key in self.objects) or (wanted is not None and wanted != _etag(body)):
            return 412, {"Error": {"Code": "PreconditionFailed", "Message": "No."}}
        given = request["Body"]
        written = given if isinstance(given, bytes) else given.getvalue()
        self.objects[key] = (self.now, written)
        return 200, {"ETag": _etag(written)}

    def _list(self, prefix: str, after: str) -> dict[str, Any]:
        found = [
            {"Key": key, "Size": len(body), "LastModified": datetime.fromtimestamp(at, timezone.utc)}
            for key, (at, body) in sorted(self.objects.items())
            if key.startswith(prefix) and key > after and at <= self.now
        ]
        return {"Contents": found, "IsTruncated": False}


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


class World:
    """S3 with a release, its baseline and captured requests; SNS, Lambda and CloudWatch."""

    def __init__(self, rows: int = 4_000) -> None:
        self.noise, self.fuse = random.Random(7), Fuse()
        self.s3 = Bucket(self.fuse)
        self.sns, self.functions, self.cloudwatch = (
            Served(service, self.fuse) for service in ("sns", "lambda", "cloudwatch")
        )
        self.config = dict(CONFIG)
        self.release(1, START)
        self.baseline(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for service in (self.s3, self.sns, self.functions, self.cloudwatch):
            service.__exit__()

    def release(self, number: int, since: float, package: str = PACKAGE) -> None:
        """Record a release."""
        at = datetime.fromtimestamp(since, timezone.utc).isoformat()
        record = {"release": number, "released_at": at, "model_package_arn": package, "execution_id": "e", "steps": {}}
        self.s3.add(f"releases/{PIPELINE}/{number}.json", since, json.dumps(record).encode())

    def baseline(
        self,
        rows: int = 4_000,
        package: str = PACKAGE,
        calibration: Calibration | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Store the baseline of a package."""
        place = Baselines(self.s3.client, BUCKET, PIPELINE).of(package)
        found = baseline(NAMES, [self.row() for _ in range(rows)])
        place.put("statistics.json", model_monitor.statistics(found))
        answers = baseline(["prediction"], [[self.noise.choice("ab")] for _ in range(rows)])
        place.put("prediction_statistics.json", model_monitor.statistics(answers))
        written = None if calibration is None else calibration.to_json()
        place.put("baseline.json", {"summary": "", "notes": list(notes), "calibration": written})

    def row(self, mean: float = 0.0) -> list[str]:
        """Return a record."""
        return [f"{self.noise.gauss(mean, 1.0):.4f}", self.noise.choice("rrgb")]

    def capture(self, hour: float, count: int = 50, *, mean: float = 0.0, **other: Any) -> None:
        """Capture an object with requests of one record each, so many hours after START."""
        at = START + hour * HOUR
        rows = [self.row(mean) for _ in range(count)]
        lines = [self.line(f"{hour}-{place}", at, ",".join(row), **other) for place, row in enumerate(rows)]
        self.put(at, lines, **{name: other[name] for name in ("slot", "delay") if name in other})

    def line(self, name: str, at: float, body: str, **other: Any) -> dict[str, Any]:
        """Return a line of data capture."""
        side = {"observedContentType": other.get("content_type", "text/csv"), "encoding": other.get("encoding", "CSV")}
        response = other.get("response") or self.noise.choice("ab")
        return {
            "captureData": {
                "endpointInput": {**side, "mode": "INPUT", "data": body},
                "endpointOutput": {"observedContentType": "text/csv", "encoding": "CSV", "data": response},
            },
            "eventMetadata": {
                "eventId": f"event-{name}",
                "inferenceId": other.get("prefix", "") + name,
                "inferenceTime": f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            },
            "eventVersion": "0",
        }

    def put(self, at: float, lines: Sequence[object], *, slot: str = "primary", delay: float = 30.0) -> None:
        """Write an object of captured requests."""
        time = datetime.fromtimestamp(at, timezone.utc)
        folder = f"capture/{PIPELINE}/production/{ENDPOINT}/{slot}/{time:%Y/%m/%d/%H}"
        body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        self.s3.add(f"{folder}/{time:%M-%S}-{len(self.s3.objects)}.jsonl", at + delay, body)

    def report(self, name: str, at: float, outcome: str) -> None:
        """Report an outcome."""
        time = datetime.fromtimestamp(at, timezone.utc)
        truth = {"groundTruthData": {"data": outcome, "encoding": "CSV"}, "eventMetadata": {"eventId": name}}
        key = f"ground-truth/{PIPELINE}/{time:%Y/%m/%d/%H}/{name}.jsonl"
        self.s3.add(key, at, json.dumps(truth).encode())

    def look(self, hours: float, seconds_left: Callable[[], float] = lambda: 900.0, **changes: Any) -> dict[str, Any]:
        """Look so many hours after START."""
        self.s3.now = START + hours * HOUR
        document = Document(
            {**self.config, **changes}, ["validation", "test"], "text/csv", 10**9, bool(changes.get("ab_test"))
        )
        aws = Aws(self.s3.client, self.cloudwatch.client, self.sns.client, self.functions.client)
        return look(SETTINGS, document, aws, now=self.s3.now, seconds_left=seconds_left)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was published."""
        return self.sns.requests["Publish"]

    @property
    def retrainings(self) -> list[dict[str, Any]]:
        """The events of the function that retrains."""
        return [json.loads(one["Payload"]) for one in self.functions.requests["Invoke"]]

    def stored(self, folder: str = "") -> dict[str, str]:
        """Return the objects of the watch by key."""
        prefix = f"monitoring/{PIPELINE}/"
        texts = {key.removeprefix(prefix): self.s3.text(key) for key in self.s3.objects if key.startswith(prefix)}
        return {key: text for key, text in texts.items() if key.startswith(folder)}

    def state(self) -> dict[str, Any]:
        """Return the only state, without the times at which people were notified."""
        (text,) = (text for key, text in self.stored("releases/").items() if not key.endswith("violations.json"))
        found: dict[str, Any] = json.loads(text)
        for alarm in found["alarms"]:
            assert alarm.pop("sent") is not None
            alarm.pop("claimed")
        return found
