"""An A/B test with its record, its endpoint, what was captured and reported, and what CloudWatch has counted."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.response import StreamingBody
from lambdas.conftest import Script

from handler_kit import clients
from handler_kit.ab_plan import Metric, Plan
from handler_kit.ab_record import PRIMARY, SECONDARY, Deployed, Record, Segment, Test
from handler_kit.ab_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

BUCKET, PIPELINE, ENDPOINT = "artifacts", "iris-1a2b3c", "iris-1a2b3c-production"
SETTINGS = {"pipeline": PIPELINE, "artifact_bucket": BUCKET, "endpoint": ENDPOINT}
TEST = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
# On a full hour.
START = 1_790_002_800.0
WINDOW, SETTLING = 600.0, 60.0
PACKAGES = {
    PRIMARY: "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/1",
    SECONDARY: "arn:aws:sagemaker:us-east-1:123456789012:model-package/iris/2",
}
ACCURACY = {"measures": "accuracy", "absolute_tolerance": 0.0, "relative_tolerance": 0.0}


def model(slot: str) -> Deployed:
    return Deployed(
        slot=slot,
        model_package_arn=PACKAGES[slot],
        image="image",
        model_data_url="s3://artifacts/model.tar.gz",
        execution_id=TEST,
        since=START - 100.0,
        why="a release",
    )


def plan_of(
    metric: Metric | None = None,
    guardrails: Iterable[Metric] = (),
    *,
    share: float = 0.5,
    window: float = WINDOW,
    minimum: int = 20,
    days: float = 28.0,
    horizon: float | None = None,
    guard: bool = False,
    **sources: dict[str, Any],
) -> dict[str, Any]:
    """A plan as it is in a record; a metric that has no source measures accuracy."""
    metric = metric or Metric(name="accuracy")
    plan = Plan(
        metric=metric,
        guardrails=tuple(guardrails),
        challenger_weight=share,
        minimum_sample=minimum,
        maximum_days=days,
        maturity_window_in_seconds=window,
        settling_in_seconds=SETTLING,
    )
    return {
        "statistics": json.loads(json.dumps(plan.to_json())),
        "sources": {one.name: sources.get(one.name, ACCURACY) for one in plan.metrics},
        "sticky_horizon_in_seconds": horizon,
        "guard": guard,
    }


def running(plan: dict[str, Any], *segments: Segment, share: float = 0.5) -> Record:
    """A record whose test runs since START."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    test = Test(
        id=TEST,
        champion=PACKAGES[PRIMARY],
        challenger=PACKAGES[SECONDARY],
        salt="salt",
        plan=plan,
        plan_sha256=hashlib.sha256(text.encode()).hexdigest(),
        started=START,
        state="running",
        segments=segments or (Segment(since=START, share=share),),
    )
    return Record(champion=model(PRIMARY), challenger=model(SECONDARY), share=share, test=test)


class Edge(Script):
    """A service of AWS that ends with its ``with`` statement."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open.remove(self)
        self.close()


class Lake(Edge):
    """S3, in which captured requests and outcomes appear at given times; everything else is moto's."""

    def __init__(self) -> None:
        super().__init__("s3")
        self.now = START
        self._objects: dict[str, tuple[float, bytes]] = {}
        self._lines: dict[tuple[str, float], list[bytes]] = defaultdict(list)

    def put(self, folder: str, at: float, *lines: object) -> None:
        """Add lines to the object that appears in a folder at a time."""
        key = f"{folder}/{at:.0f}.jsonl"
        found = self._lines[key, at]
        found += [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        self._objects[key] = (at, b"\n".join(found) + b"\n")

    def _answer(self, model: Any, **context: Any) -> tuple[Any, dict[str, Any]] | None:
        request = self.requests[model.name][-1] if self.requests[model.name] else {}
        answer = None
        if model.name == "ListObjectsV2":
            answer = self._list(request["Prefix"], request.get("StartAfter", ""))
        elif model.name == "GetObject" and request["Key"] in self._objects:
            body = self._objects[request["Key"]][1]
            answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
        if answer is None:
            return super()._answer(model, **context)
        return type("Response", (), {"status_code": 200})(), {"ResponseMetadata": {}, **answer}

    def _list(self, prefix: str, after: str) -> dict[str, Any]:
        found = [
            {"Key": key, "Size": len(body), "LastModified": datetime.fromtimestamp(at, timezone.utc)}
            for key, (at, body) in sorted(self._objects.items())
            if key.startswith(prefix) and key > after and at <= self.now
        ]
        return {"Contents": found, "IsTruncated": False}


class Minutes(Edge):
    """CloudWatch, in which each variant has values in given minutes, by metric and statistic."""

    def __init__(self) -> None:
        super().__init__("cloudwatch")
        self.values: dict[tuple[str, str, str], dict[float, float]] = defaultdict(dict)

    def add(
        self, slot: str, minute: int, invocations: int, errors: int = 0, within: dict[int, int] | None = None
    ) -> None:
        """Count in a minute after START; ``within`` are responses by limit in microseconds."""
        at = START + 60.0 * minute
        self.values[slot, "Invocations", "Sum"][at] = invocations
        self.values[slot, "Invocation5XXErrors", "Sum"][at] = errors
        self.values[slot, "ModelLatency", "SampleCount"][at] = invocations
        for limit, count in (within or {}).items():
            self.values[slot, "ModelLatency", f"TC(:{limit})"][at] = count

    def _answer(self, model: Any, **context: Any) -> tuple[Any, dict[str, Any]] | None:
        if model.name != "GetMetricData":
            return super()._answer(model, **context)
        request = self.requests[model.name][-1]
        begin, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        results = []
        for query in request["MetricDataQueries"]:
            metric, statistic = query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]
            slot = {one["Name"]: one["Value"] for one in metric["Dimensions"]}["VariantName"]
            values = self.values.get((slot, metric["MetricName"], statistic), {})
            points = {at: value for at, value in sorted(values.items()) if begin <= at < end}
            times = [datetime.fromtimestamp(at, timezone.utc) for at in points]
            results.append({"Id": query["Id"], "Timestamps": times, "Values": list(points.values())})
        return type("Response", (), {"status_code": 200})(), {"ResponseMetadata": {}, "MetricDataResults": results}


def captured(lake: Lake, name: str, at: float, *, slot: str = PRIMARY, delay: float = 30.0, **other: Any) -> None:
    """Capture a request; its response is "a" unless there is another one."""
    time = datetime.fromtimestamp(at, timezone.utc)
    data, encoding = other.get("response", "a\n"), other.get("encoding", "CSV")
    metadata = {"eventId": other.get("event", f"event-{name}"), "inferenceTime": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
    if name:
        metadata["inferenceId"] = name
    side = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": data, "encoding": encoding}
    folder = f"capture/{PIPELINE}/production/{ENDPOINT}/{slot}/{time:%Y/%m/%d/%H}"
    lake.put(
        folder, at + delay, {"captureData": {"endpointOutput": side}, "eventMetadata": metadata, "eventVersion": "0"}
    )


def reported(lake: Lake, name: str, at: float, data: object = "a", encoding: str = "CSV") -> None:
    """Report an outcome at a time."""
    time = datetime.fromtimestamp(at, timezone.utc)
    truth = {
        "groundTruthData": {"data": data, "encoding": encoding},
        "eventMetadata": {"eventId": name},
        "eventVersion": "0",
    }
    lake.put(f"ground-truth/{PIPELINE}/{time:%Y/%m/%d/%H}", at, truth)


def serve(**weights: float) -> None:
    """The endpoint in moto, with these variants."""
    sagemaker = clients.client("sagemaker")
    variants = [
        {
            "VariantName": slot,
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for slot, weight in weights.items()
    ]
    role = "arn:aws:iam::123456789012:role/serve"
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "image"})
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="config")


def set_weights(**weights: float) -> None:
    """Set weights, as somebody may do by hand."""
    clients.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=ENDPOINT,
        DesiredWeightsAndCapacities=[
            {"VariantName": slot, "DesiredWeight": weight} for slot, weight in weights.items()
        ],
    )


def store() -> Store:
    return Store(clients.client("s3"), BUCKET, PIPELINE)


def write(record: Record) -> Record:
    """Write the record, whatever it was before."""
    kept = store()
    found, etag = kept.read()
    kept.write(replace(record, version=found.version), etag, now=START, by="test", why="test")
    return kept.read()[0]


def read() -> Record:
    return store().read()[0]


def stored(name: str) -> Any:
    """An object of the test, from JSON."""
    key = f"ab/{PIPELINE}/tests/{TEST}/{name}"
    return json.loads(clients.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
