"""The function that retrains, in the local AWS: alarms come at once and again, and one execution waits for approval."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from local_aws.tiny_pipeline import (
    ARTIFACTS,
    DATA,
    STEP_SOURCE,
    Bench,
    action,
    make_function,
    make_role,
    s3_source,
    wait_for,
)

from mlops_constructs import Dataset, Retraining
from mlops_constructs._payload import function_archive
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.stages.retraining import _document

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPELINE, FUNCTION = "iris-1a2b3c", "iris-1a2b3c-retrain"
RULE = f"{PIPELINE}-on-new-data"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        bench = Bench(aws)
        make_function(aws, "step", STEP_SOURCE)
        topic = aws.client("sns").create_topic(Name="approvals")["TopicArn"]
        approval = action("Approve", "Manual", {"NotificationArn": topic})
        bench.upload(key="datasets/first.csv")
        first = bench.make_pipeline(PIPELINE, [s3_source(S3ObjectKey="datasets/first.csv")], [approval])
        bench.answer(PIPELINE, bench.approval_token(PIPELINE), "Approved")
        assert bench.finished(PIPELINE, first) == "Succeeded"
        dataset = Dataset(start_on_upload=False)
        code = function_archive("retrain", _document(Retraining(), dataset, "Dataset", ab_test=False))
        settings = {"PIPELINE": PIPELINE, "DATA_BUCKET": DATA, "ARTIFACT_BUCKET": ARTIFACTS, "TOPIC_ARN": topic}
        aws.client("lambda").create_function(
            FunctionName=FUNCTION,
            Role=make_role(aws, "retrain-role", "lambda"),
            Handler="retrain.handler.handler",
            Code={"ZipFile": code.path.read_bytes()},
            Environment={"Variables": settings},
            Timeout=300,
            Runtime="python3.12",
        )
        yield bench


def alarm(bench: Bench, number: int, kind: str = "RequestResponse") -> dict[str, Any]:
    event = {
        "id": f"alarm-{number}",
        "reason": "drift",
        "pipeline": PIPELINE,
        "release": None,
        "window": "2026-11-27T15:00:00Z",
        "features": ["petal_length"],
        "sentence": "petal_length has drifted.",
    }
    answer = bench.aws.client("lambda").invoke(
        FunctionName=FUNCTION, InvocationType=kind, Payload=json.dumps(event).encode()
    )
    body = answer["Payload"].read()
    assert "FunctionError" not in answer, body
    return dict(json.loads(body)) if body else {}


def records(bench: Bench, folder: str) -> list[dict[str, Any]]:
    prefix = f"retraining/{PIPELINE}/{folder}/"
    listed = bench.s3.list_objects_v2(Bucket=ARTIFACTS, Prefix=prefix).get("Contents", [])
    return [json.loads(bench.s3.get_object(Bucket=ARTIFACTS, Key=one["Key"])["Body"].read()) for one in listed]


def test_alarms_start_one_execution_on_the_new_data_and_say_why(bench: Bench) -> None:
    assert alarm(bench, 0)["decision"] == "waiting_for_new_data"
    version = bench.upload(key="datasets/second.csv")
    # All at once, each twice.
    for number in [*range(1, 11), *range(1, 11)]:
        alarm(bench, number, "Event")
    wait_for(lambda: len(records(bench, "decisions")) >= 21)
    newest, first = bench.executions(PIPELINE)
    assert newest["trigger"]["triggerDetail"].endswith(f"/{FUNCTION}")
    assert [one["revisionId"] for one in newest["sourceRevisions"]] == [version]
    assert first["status"] == "Succeeded"
    (why,) = records(bench, "executions")
    assert (why["execution_id"], why["why"].partition(" (")[0]) == (
        newest["pipelineExecutionId"],
        "petal_length has drifted.",
    )
    decisions = [one["decision"] for one in records(bench, "decisions")]
    assert set(decisions) <= {"waiting_for_new_data", "started", "in_progress"}
    assert "started" in decisions
