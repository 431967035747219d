"""An endpoint is tested: in service, on the requested model, capturing as configured, right and fast."""

from __future__ import annotations

import io
import json
import re
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from smoke_test.handler import handler

from handler_kit import clients
from handler_kit.errors import ConfigurationError
from handler_kit.golden import Record, parse_golden
from handler_kit.golden_result import Result
from handler_kit.predictions import predictions, same

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = "iris-1a2b3c-dev"
BUCKET = "iris-1a2b3c-artifacts-123456789012-us-east-1"
GOLDEN_KEY = "datasets/3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17/golden.csv"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-1a2b3c@sha256:" + "ab" * 32
MODEL = f"s3://{BUCKET}/models/iris-1a2b3c-3f2b9c1e7d54/output/model.tar.gz"
ROLE = "arn:aws:iam::123456789012:role/serve"
NOW = 1_790_000_000


@pytest.fixture(autouse=True)
def _ready(set_env: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    set_env({"max_latency_ms": "1000", "min_accuracy": "0.5", "accept": "text/csv"})
    set_env({"absolute_tolerance": "0.0", "relative_tolerance": "0.0", "max_rmse": "", "max_mae": ""})
    set_env({"confidence_level": "", "production_endpoint": ""})
    monkeypatch.setattr("time.time", lambda: float(NOW))
    s3 = clients.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=GOLDEN_KEY, Body=b"setosa,5.1,3.5\nvirginica,6.3,3.3\n")


@pytest.fixture
def sagemaker(script: Callable[[str], Any]) -> Any:
    return script("sagemaker")


@pytest.fixture
def runtime(script: Callable[[str], Any]) -> Any:
    return script("sagemaker-runtime")


@pytest.fixture
def call(load_event: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    return lambda token=None, **params: handler(load_event("smoke_test", params=params, token=token), None)


def serve(*models: tuple[str, str]) -> None:
    """An endpoint in moto with one variant per (image, model data)."""
    sagemaker = clients.client("sagemaker")
    variants = []
    for index, (image, data) in enumerate(models):
        sagemaker.create_model(
            ModelName=f"m{index}", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image, "ModelDataUrl": data}
        )
        variants.append(
            {
                "VariantName": f"v{index}",
                "ModelName": f"m{index}",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        )
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="config")


def replies(runtime: Any, *bodies: str) -> None:
    for body in bodies:
        content = body.encode()
        runtime.answer("InvokeEndpoint", Body=StreamingBody(io.BytesIO(content), len(content)))


def token(endpoint: str = ENDPOINT, deadline: int = NOW + 60) -> str:
    return json.dumps({"v": 1, "awaits": endpoint, "deadline": deadline})


def test_right_answers_pass_with_the_summary(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    replies(runtime, "setosa\n", "setosa\n", "virginica\n", "setosa\nvirginica\n")
    call()
    assert reports.outputs["Accuracy"] == "1"
    assert reports.outputs["Summary"].startswith("2 of 2 golden records right, p95 ")
    assert int(reports.outputs["LatencyMs"]) >= 0


def test_each_record_is_sent_without_its_label_and_then_all_in_one_body(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "virginica", "setosa\nvirginica")
    call()
    requests = runtime.requests["InvokeEndpoint"]
    first = b"5.1,3.5"
    assert [one["Body"] for one in requests] == [first, first, b"6.3,3.3", b"5.1,3.5\n6.3,3.3"]
    ids = {one["InferenceId"] for one in requests}
    assert len(ids) == len(requests)
    assert all(re.fullmatch("smoke-test-[0-9a-f]{32}", one) for one in ids)
    assert {(one["ContentType"], one["Accept"]) for one in requests} == {("text/csv", "text/csv")}


def test_too_many_wrong_answers_fail(call: Any, runtime: Any, reports: Any, set_env: Callable[..., None]) -> None:
    set_env({"min_accuracy": "0.9"})
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "setosa", "setosa\nsetosa")
    call()
    assert "1 of 2 golden records right" in reports.message
    assert "at least 0.9 must be right" in reports.message


def test_accuracy_is_told_but_does_not_decide_unless_asked(
    call: Any, runtime: Any, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({"min_accuracy": ""})
    serve((IMAGE, MODEL))
    replies(runtime, "x", "x", "x", "x\nx")
    call()
    assert reports.outputs["Accuracy"] == "0"


@pytest.fixture
def numbers(runtime: Any) -> None:
    """Golden records with numbers as labels, 100 and 300, and predictions that are 10.5 and 30 off."""
    body = b"100,5.1,3.5\n300,6.3,3.3\n"
    clients.client("s3").put_object(Bucket=BUCKET, Key=GOLDEN_KEY, Body=body)
    serve((IMAGE, MODEL))
    replies(runtime, "110.5", "110.5", "330", "110.5\n330")


@pytest.mark.parametrize(
    ("limits", "summary"),
    [
        ({"min_accuracy": ""}, "RMSE 22.47 and MAE 20.25 on 2 golden records, p95 "),
        ({"min_accuracy": "", "max_rmse": "22.5", "max_mae": "20.25"}, "RMSE 22.47 and MAE 20.25 on 2"),
        ({"relative_tolerance": "0.101"}, "1 of 2 golden records right, RMSE 22.47 and MAE 20.25, p95 "),
        ({"min_accuracy": "1.0", "absolute_tolerance": "30"}, "2 of 2 golden records right, RMSE 22.47"),
    ],
)
def test_numbers_are_judged_by_their_error(
    numbers: None, call: Any, reports: Any, set_env: Callable[..., None], limits: dict[str, str], summary: str
) -> None:
    set_env(limits)
    call()
    assert reports.outputs["Summary"].startswith(summary)
    assert (reports.outputs["Accuracy"] == "none") is (summary.startswith("RMSE"))


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"min_accuracy": "", "max_rmse": "22.4"}, "ms; the RMSE is 22.47 and must be at most 22.4."),
        ({"min_accuracy": "", "max_mae": "20.2"}, "ms; the MAE is 20.25 and must be at most 20.2."),
        ({"relative_tolerance": "0.09"}, "0 of 2 golden records right, RMSE 22.47 and MAE 20.25"),
        ({}, "at least 0.5 must be right. The labels are numbers that no prediction meets exactly: give SmokeTest a"),
    ],
)
def test_numbers_that_are_too_far_off_fail(
    numbers: None, call: Any, reports: Any, set_env: Callable[..., None], limits: dict[str, str], complaint: str
) -> None:
    set_env(limits)
    call()
    assert complaint in reports.message


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({}, "at least 0.5 must be right."),
        ({"max_rmse": "1"}, "'setosa' is not a number, so the predictions have no RMSE."),
    ],
)
def test_names_have_no_error_and_get_no_hint_about_numbers(
    call: Any, runtime: Any, reports: Any, set_env: Callable[..., None], limits: dict[str, str], complaint: str
) -> None:
    set_env(limits)
    serve((IMAGE, MODEL))
    replies(runtime, "x", "x", "x", "x\nx")
    call()
    assert reports.message.endswith(complaint)


PRODUCTION = "iris-1a2b3c-production"


@pytest.fixture
def beside_production(runtime: Any, set_env: Callable[..., None]) -> Callable[[list[str], list[str], str], None]:
    """Golden records a to j; what the new model and production's predict for them."""

    def prepare(ours: list[str], theirs: list[str], labels: str = "abcdefghij") -> None:
        set_env({"confidence_level": "0.95", "production_endpoint": PRODUCTION, "min_accuracy": ""})
        body = "".join(f"{label},{number}\n" for number, label in enumerate(labels))
        clients.client("s3").put_object(Bucket=BUCKET, Key=GOLDEN_KEY, Body=body.encode())
        serve((IMAGE, MODEL))
        replies(runtime, ours[0], *ours, "\n".join(ours), *(["\n".join(theirs)] if theirs else []))

    return prepare


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ("abcdefghij", "abcdefghij", "10 of 10 golden records right, p95 0 ms, production 10 right"),
        ("abcdef----", "abcdefghij", "6 of 10 golden records right, p95 0 ms, production 10 right"),
        ("abcdefg---", "-bcdefghij", "7 of 10 golden records right, p95 0 ms, production 9 right"),
        ("----------", "----------", "0 of 10 golden records right, p95 0 ms, production 0 right"),
        (
            "abcde-----",
            "abcdefghij",
            "5 of 10 golden records right, p95 0 ms, production 10 right: production's model is better on 5 of these"
            " records and worse on 0, which is not chance at 0.969 (confidence level 0.95).",
        ),
    ],
)
def test_production_is_judged_on_the_same_records(
    beside_production: Any,
    call: Any,
    runtime: Any,
    reports: Any,
    monkeypatch: pytest.MonkeyPatch,
    ours: str,
    theirs: str,
    verdict: str,
) -> None:
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    beside_production(list(ours), list(theirs))
    call()
    if "confidence" in verdict:
        assert reports.message == f"Endpoint {ENDPOINT}: {verdict}"
    else:
        assert reports.outputs["Summary"] == verdict
    asked = [one["EndpointName"] for one in runtime.requests["InvokeEndpoint"]]
    assert asked == [ENDPOINT] * 12 + [PRODUCTION]


@pytest.mark.parametrize(("theirs", "fails"), [(0.9, False), (0.1, True)])
def test_numbers_are_compared_by_their_errors(
    beside_production: Any, call: Any, reports: Any, theirs: float, fails: bool
) -> None:
    numbers = [str(label + 0.5) for label in range(10)]
    beside_production(numbers, [str(label + theirs) for label in range(10)], "0123456789")
    call()
    if fails:
        assert "RMSE 0.5 and MAE 0.5 on 10 golden records" in reports.message
        assert "production RMSE 0.1: production's model is better on 10" in reports.message
    else:
        assert reports.outputs["Summary"].endswith(", production RMSE 0.9")


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("ValidationError", f"Endpoint {PRODUCTION} of account 1 not found.", "no production endpoint"),
        ("ModelError", "Received client error (400)", "production fails on them"),
    ],
)
def test_without_an_answer_of_production_nothing_is_compared(
    beside_production: Any, call: Any, runtime: Any, reports: Any, code: str, message: str, said: str
) -> None:
    beside_production(list("abcdefghij"), [])
    runtime.refuse("InvokeEndpoint", code, message)
    call()
    assert reports.outputs["Summary"].endswith(f", {said}")


def test_a_release_that_is_deployed_again_is_not_compared(
    beside_production: Any, call: Any, runtime: Any, reports: Any
) -> None:
    beside_production(list("----------"), list("abcdefghij"))
    call(release="3")
    assert len(runtime.requests["InvokeEndpoint"]) == 12
    assert reports.outputs["Summary"].startswith("0 of 10")


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 1000, 2))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))


def test_slow_answers_fail(slow_clock: None, call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "virginica", "setosa\nvirginica")
    call()
    assert reports.message.endswith("p95 2000 ms; p95 must be at most 1000 ms.")


def test_slow_answers_pass_when_no_limit_is_set(
    slow_clock: None, call: Any, runtime: Any, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({"max_latency_ms": ""})
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "virginica", "setosa\nvirginica")
    call()
    assert reports.outputs["LatencyMs"] == "2000"


@pytest.mark.parametrize("running", [("other", MODEL), (IMAGE, "s3://other/model.tar.gz")])
def test_30_a_silent_rollback_is_found(call: Any, runtime: Any, reports: Any, running: tuple[str, str]) -> None:
    serve(running)
    call()
    assert "is InService but does not run the requested model; it was probably rolled back" in reports.message
    assert f"Running: variant v0: {running[0]}, {running[1]}" in reports.message
    assert runtime.operations() == []


def test_beside_a_champion_the_candidate_is_asked(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, "s3://champion/model.tar.gz"), (IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "virginica", "setosa\nvirginica")
    call()
    assert {one["TargetVariant"] for one in runtime.requests["InvokeEndpoint"]} == {"v1"}


def test_a_single_variant_is_asked_without_naming_it(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "virginica", "setosa\nvirginica")
    call()
    assert all("TargetVariant" not in one for one in runtime.requests["InvokeEndpoint"])


CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/capture/production/iris-1a2b3c",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def capturing(sagemaker: Any, configured: dict[str, Any] | None, running: dict[str, Any] | None) -> None:
    """An endpoint in service on the requested model, with data capture as it is configured and as it runs."""
    endpoint = {"EndpointName": ENDPOINT, "EndpointStatus": "InService", "EndpointConfigName": "config"}
    if running is not None:
        summary = {"EnableCapture": True, "CaptureStatus": "Started", "CurrentSamplingPercentage": 100}
        same_place = {"DestinationS3Uri": CAPTURE["DestinationS3Uri"], "KmsKeyId": ""}
        endpoint["DataCaptureConfig"] = {**summary, **same_place, **running}
    config: dict[str, Any] = {"ProductionVariants": [{"VariantName": "primary", "ModelName": "m"}]}
    if configured is not None:
        config["DataCaptureConfig"] = {**CAPTURE, **configured}
    sagemaker.answer("DescribeEndpoint", **endpoint).answer("DescribeEndpointConfig", **config)
    sagemaker.answer("DescribeModel", PrimaryContainer={"Image": IMAGE, "ModelDataUrl": MODEL})


@pytest.mark.parametrize(
    ("running", "found"),
    [
        (None, "not enabled, its status is unknown, it samples 0 %"),
        ({"EnableCapture": False, "CaptureStatus": "Stopped"}, "not enabled, its status is Stopped, it samples 100 %"),
        ({"CaptureStatus": "Stopped"}, "enabled, its status is Stopped, it samples 100 %"),
        ({"CurrentSamplingPercentage": 20}, "enabled, its status is Started, it samples 20 %"),
    ],
)
def test_47_an_endpoint_that_silently_does_not_capture_fails(
    call: Any, sagemaker: Any, runtime: Any, reports: Any, running: dict[str, Any] | None, found: str
) -> None:
    capturing(sagemaker, {"EnableCapture": True}, running)
    call()
    assert reports.message == (
        f"Endpoint {ENDPOINT} must capture 100 % of its requests, and does not: data capture is {found}. Check that the"
        f" model's role may write to {CAPTURE['DestinationS3Uri']} and use its key, then retry the stage."
    )
    assert runtime.operations() == []


@pytest.mark.parametrize(
    ("configured", "running"),
    [
        ({"EnableCapture": True}, {}),
        # SageMaker captures by default.
        ({}, {}),
        ({"InitialSamplingPercentage": 20}, {"CurrentSamplingPercentage": 20}),
        (None, None),
        ({"EnableCapture": False}, {"EnableCapture": False, "CaptureStatus": "Stopped"}),
        ({"InitialSamplingPercentage": 0}, {"CurrentSamplingPercentage": 0, "CaptureStatus": "Stopped"}),
    ],
)
def test_an_endpoint_that_captures_as_configured_passes(
    call: Any,
    sagemaker: Any,
    runtime: Any,
    reports: Any,
    configured: dict[str, Any] | None,
    running: dict[str, Any] | None,
) -> None:
    capturing(sagemaker, configured, running)
    replies(runtime, "setosa", "setosa", "virginica", "setosa\nvirginica")
    call()
    assert reports.outputs["Accuracy"] == "1"


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_29_a_changing_endpoint_is_awaited(call: Any, sagemaker: Any, reports: Any, status: str) -> None:
    sagemaker.answer("DescribeEndpoint", EndpointStatus=status)
    call()
    assert json.loads(reports.token) == {"v": 1, "awaits": ENDPOINT, "deadline": NOW + 7200}


def test_a_later_look_keeps_the_deadline(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeEndpoint", EndpointStatus="Updating")
    call(token())
    assert json.loads(reports.token)["deadline"] == NOW + 60


def test_a_throttled_look_waits_on(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.refuse("DescribeEndpoint", "ThrottlingException")
    call(token())
    assert json.loads(reports.token) == json.loads(token())


def test_60_a_clock_that_jumps_ahead_ends_no_wait(call: Any, sagemaker: Any, reports: Any) -> None:
    date = {"HTTPHeaders": {"date": formatdate(NOW - 86_400, usegmt=True)}}
    sagemaker.answer("DescribeEndpoint", EndpointStatus="Updating", ResponseMetadata=date)
    call(token(deadline=NOW))
    assert json.loads(reports.token)["deadline"] == NOW


def test_29_a_wait_past_the_deadline_fails(call: Any, sagemaker: Any, reports: Any) -> None:
    sagemaker.answer("DescribeEndpoint", EndpointStatus="RollingBack")
    call(token(deadline=NOW))
    assert f"Endpoint {ENDPOINT} is still RollingBack after 2 h" in reports.message


@pytest.mark.parametrize("forged", ["{}", token("another"), token(deadline=NOW + 180_000)])
def test_a_forged_token_fails_without_a_call(call: Any, sagemaker: Any, reports: Any, forged: str) -> None:
    call(forged)
    assert "This action did not write the continuation token" in reports.message
    assert sagemaker.operations() == []


@pytest.mark.parametrize("status", ["Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"])
def test_a_broken_endpoint_fails_with_its_reason(call: Any, sagemaker: Any, reports: Any, status: str) -> None:
    sagemaker.answer("DescribeEndpoint", EndpointStatus=status, FailureReason="The ping failed.")
    call()
    assert reports.message == (
        f"Endpoint {ENDPOINT} is {status}: The ping failed. See its logs, and retry the stage that deploys it, with all"
        " its actions."
    )


def test_an_absent_endpoint_is_named(call: Any, reports: Any) -> None:
    call()
    assert reports.message == f"There is no endpoint {ENDPOINT}; retry the stage that deploys it, with all its actions."


def test_an_error_of_the_model_is_shown(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    runtime.refuse("InvokeEndpoint", "ModelError", 'Received client error (400) with message "bad row"')
    call()
    assert 'Received client error (400) with message "bad row"' in reports.message


def test_a_wrong_number_of_answers_is_refused(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa\nsetosa")
    call()
    assert f"Endpoint {ENDPOINT} returned 2 predictions for 1 records." in reports.message


def test_a_body_of_many_records_must_give_the_same_answers(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    replies(runtime, "setosa", "setosa", "virginica", "virginica\nsetosa")
    call()
    assert "different predictions for 2 records in one request than one by one" in reports.message


def test_without_golden_records_only_the_model_is_checked(call: Any, runtime: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    call(golden_uri="none")
    assert reports.outputs["Accuracy"] == "none"
    assert runtime.operations() == []


def test_missing_golden_records_are_named(call: Any, reports: Any) -> None:
    serve((IMAGE, MODEL))
    call(golden_uri=f"s3://{BUCKET}/gone.csv")
    assert reports.message == f"s3://{BUCKET}/gone.csv: no such object; start a new execution."


@pytest.mark.parametrize("uri", ["gone.csv", "s3://bucket", "s3://bucket/", "https://bucket/key"])
def test_a_malformed_golden_address_is_named(call: Any, reports: Any, uri: str) -> None:
    serve((IMAGE, MODEL))
    call(golden_uri=uri)
    assert "golden_uri: must be s3://bucket/key" in reports.message


def test_golden_records_keep_quoted_features() -> None:
    assert parse_golden(b'\xef\xbb\xbfa,"x,y",1\r\n\r\n', "here") == [Record("a", '"x,y",1')]


@pytest.mark.parametrize("content", [b"", b"\n", b"alone\n", b"\xff,1\n"])
def test_unusable_golden_records_are_refused_by_place(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"^here"):
        parse_golden(content, "here")


@pytest.mark.parametrize(("label", "answer"), [("a", "a"), ("1", "1.0"), ("0.3", "0.30000001")])
def test_answers_that_mean_the_label_are_right(label: str, answer: str) -> None:
    assert same(label, answer)


@pytest.mark.parametrize(("label", "answer"), [("a", "b"), ("1", "2"), ("1", "a"), ("nan", "1")])
def test_other_answers_are_wrong(label: str, answer: str) -> None:
    assert not same(label, answer)


def test_latency_is_the_95th_percentile_by_nearest_rank() -> None:
    records = [Record("a", "1")] * 20
    assert Result(records, ["a"] * 20, [float(number) for number in range(1, 21)]).latency_ms == 19


@pytest.mark.parametrize(
    ("body", "asked", "answers"),
    [
        (b"setosa\nvirginica\n", 2, ["setosa", "virginica"]),
        (b"setosa,0.9\nvirginica,0.8\n", 2, ["setosa", "virginica"]),
        (b"0.0,2.0,1.0", 3, ["0.0", "2.0", "1.0"]),
        (b"0.0,0.9", 1, ["0.0"]),
        (b'{"predictions": [{"score": [0.1, 0.9], "predicted_label": 1.0}, {"predicted_label": 0}]}', 2, ["1.0", "0"]),
        (b'{"predictions": [{"score": 3.5}]}', 1, ["3.5"]),
        (b'{"error": "no"}', 1, []),
        (b"{", 1, []),
    ],
)
def test_the_answers_of_every_algorithm_are_read(body: bytes, asked: int, answers: list[str]) -> None:
    assert predictions(body.decode(), asked) == answers


def test_the_endpoint_is_asked_for_what_it_answers(
    call: Any, runtime: Any, reports: Any, set_env: Callable[..., None]
) -> None:
    set_env({"accept": "application/json"})
    serve((IMAGE, MODEL))
    one, both = '{"predictions": [%s]}', '{"predicted_label": 1}'
    replies(runtime, one % both, one % both, one % both, one % f"{both}, {both}")
    call()
    assert {request["Accept"] for request in runtime.requests["InvokeEndpoint"]} == {"application/json"}
