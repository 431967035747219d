"""Production is watched on the deployed pipeline: shifted traffic raises one alarm, which names the feature."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import wait_for
from moto.sns.models import sns_backends
from rehearsal.deployed_site import ROOT, Site, deployed_site, synthesized

from mlops_constructs.rehearsal.data import RehearsalData

if TYPE_CHECKING:
    from collections.abc import Iterator

NOISE = random.Random(11)
pytestmark = pytest.mark.terraform


def table(rows: int) -> bytes:
    """Records of the container, the label first."""
    sizes = [NOISE.gauss(10.0, 3.0) for _ in range(rows)]
    return "".join(f"{'small' if size < 10 else 'large'},{size:.3f}\n" for size in sizes).encode()


class WatchedSite(Site):
    """The deployed pipeline, its production, and who is notified."""

    def invoke(self, requests: int, records: int, mean: float) -> None:
        for _ in range(requests):
            body = "".join(f"{NOISE.gauss(mean, 3.0):.3f}\n" for _ in range(records))
            self.client("sagemaker-runtime").invoke_endpoint(
                EndpointName=f"{self.pipeline}-production", ContentType="text/csv", Body=body.encode()
            )

    def look(self) -> dict[str, Any]:
        answer = self.client("lambda").invoke(FunctionName=f"{self.pipeline}-watch-traffic", Payload=b"{}")
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return found

    def object(self, key: str) -> Any:
        body = self.client("s3").get_object(Bucket=self.artifacts, Key=key)["Body"].read()
        return json.loads(body)

    def messages(self) -> list[str]:
        """What was published about drift."""
        topics = sns_backends[self.aws.account.account_id][self.aws.region].topics.values()
        sent = [notification for topic in topics for notification in topic.sent_notifications]
        return [message for _, message, subject, *_ in sent if subject and "drift" in subject]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSite]:
    container = ROOT / "examples" / "evaluated" / "container"
    program = ROOT / "tests" / "rehearsal" / "watched_app.py"
    stack = synthesized(program, tmp_path_factory.mktemp("synth"), str(container))
    with deployed_site(stack, RehearsalData("watched", {"train": table(100)}, [])) as site:
        site.rehearsal.build_image()
        yield WatchedSite(site.rehearsal, site.deployed, site.approver)


@pytest.fixture(scope="module")
def report(site: WatchedSite) -> dict[str, Any]:
    """The first report with an alarm, after a release and shifted traffic."""
    assert "Nothing has been released" in site.look()["sentence"]
    outcome = site.run({"train": table(1_000), "validation": table(400)})
    assert outcome.status == "Succeeded", outcome.reason
    assert site.look()["alarms"] == []
    site.invoke(requests=12, records=100, mean=13.0)
    found: dict[str, Any] = {}

    def alarmed() -> bool:
        found.update(site.look())
        return bool(found.get("alarms"))

    wait_for(alarmed)
    return found


def test_shifted_traffic_raises_an_alarm_that_names_the_feature(site: WatchedSite, report: dict[str, Any]) -> None:
    (alarm,) = report["alarms"]
    assert (alarm["reason"], alarm["pipeline"], alarm["release"]) == ("drift", site.pipeline, 1)
    assert set(alarm["features"]) <= {"column_2", "prediction"}
    assert "column_2" in alarm["features"]
    assert "column_2 has drifted from the training data since" in alarm["sentence"]


def test_the_baseline_is_released_with_the_model(site: WatchedSite, report: dict[str, Any]) -> None:
    assert report["release"] == 1
    record = site.object(f"releases/{site.pipeline}/1.json")
    key = record["baseline"].removeprefix(f"s3://{site.artifacts}/")
    statistics = site.object(f"{key}statistics.json")
    assert [one["name"] for one in statistics["features"]] == ["column_2"]
    assert site.object(f"{key}prediction_statistics.json")["dataset"]["item_count"] == 400
    assert site.object(f"{key}baseline.json")["notes"] == []


def test_people_are_notified_once(site: WatchedSite, report: dict[str, Any]) -> None:
    assert site.look()["alarms"] == report["alarms"]
    (message,) = site.messages()
    assert f"mlops drift {site.pipeline}" in message


def test_the_command_says_which_how_much_and_since_when(site: WatchedSite, report: dict[str, Any]) -> None:
    assert report["alarms"]
    done = site.mlops("drift", site.pipeline)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ALARM: {report['alarms'][0]['sentence']}" in done.stdout


def test_rows_and_metrics_are_there_for_queries(site: WatchedSite, report: dict[str, Any]) -> None:
    assert report["features"]
    listed = site.client("s3").list_objects_v2(Bucket=site.artifacts, Prefix=f"monitoring/{site.pipeline}/features/")
    body = site.client("s3").get_object(Bucket=site.artifacts, Key=listed["Contents"][-1]["Key"])["Body"].read()
    assert {json.loads(line)["feature"] for line in body.splitlines()} == {"column_2", "prediction"}
    pages = site.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace="MLOpsConstructs/Monitoring")
    names = {one["MetricName"] for page in pages for one in page["Metrics"]}
    assert names == {"Evidence", "PSI", "Wasserstein", "Alarms"}
