"""status, approve, reject, stop, invoke and logs, where nothing is to decide, nothing runs, or nothing is there."""

from __future__ import annotations

import datetime
import io
import json
import os
import re
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name
from lambdas.conftest import violations

from mlops_constructs.cli.main import main
from mlops_constructs.local_aws.kept import kept, running

if TYPE_CHECKING:
    from pathlib import Path

NAME = "iris-1a2b3c"
ZERO, ONE, TWO = (f"{digit * 8}-7d54-4a8e-9c61-0b5d2e8f4a17" for digit in "012")
TOKEN = "aaaaaaaa-7d54-4a8e-9c61-0b5d2e8f4a17"
_SESSION = botocore.session.get_session()
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)


def action(execution: str, stage: str, name: str, status: str, **more: Any) -> dict[str, Any]:
    """One detail of ListActionExecutions."""
    category = "Approval" if name == "Approve" else "Invoke"
    given = {"actionTypeId": {"category": category}, "configuration": {"NotificationArn": "arn"}}
    given["resolvedConfiguration"] = {"NotificationArn": "arn", "CustomData": "accuracy 0.97"}
    times = {"startTime": NOW, "lastUpdateTime": NOW}
    names = {"actionExecutionId": execution, "pipelineExecutionId": execution, "stageName": stage}
    return {**names, **times, "actionName": name, "status": status, "input": given, "output": more}


class Aws:
    """What AWS would answer; requests are kept."""

    def __init__(self) -> None:
        self.executions: list[tuple[str, str]] = []
        self.actions: dict[str, list[dict[str, Any]]] = {}
        self.token: str | None = TOKEN
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.stacks: set[str] = set()
        self.parameters: list[dict[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.starters: dict[str, str] = {}
        self.objects: dict[str, bytes] = {}

    def __call__(self, service: str) -> Any:
        return _Client(self, service)


class _Client:
    def __init__(self, aws: Aws, service: str) -> None:
        self._aws, self._service = aws, service

        class Meta:
            endpoint_url = f"https://{service}.us-east-1.amazonaws.com"

        self.meta = Meta

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self._aws.requests.append((name, request))
            response = getattr(self, f"_{name}")(request)
            model = _SESSION.get_service_model(self._service)
            operation = model.operation_model(next(one for one in model.operation_names if xform_name(one) == name))
            assert violations(operation.input_shape, request) == []
            assert (
                violations(operation.output_shape, {**response, "Body": b""} if "Body" in response else response) == []
            )
            return response

        return call

    def get_paginator(self, name: str) -> Any:
        client = self

        class Pages:
            def paginate(self, **request: Any) -> list[Any]:
                return [getattr(client, name)(**request)]

        return Pages()

    def _get_pipeline(self, request: dict[str, Any]) -> Any:
        if request["name"] != NAME:
            raise _error("PipelineNotFoundException", "GetPipeline")
        source = {"S3ObjectKey": "datasets/none", "S3Bucket": "data", "AllowOverrideForS3ObjectKey": "true"}
        stacks = [{"name": "Deploy", "configuration": {"StackName": f"{NAME}-{one}"}} for one in ("dev", "production")]
        stages = [{"name": "Source", "actions": [{"name": "Dataset", "configuration": source}, *stacks]}]
        return {"pipeline": {"name": NAME, "stages": stages, "artifactStore": {"location": "artifacts"}}}

    def _list_pipelines(self, _: dict[str, Any]) -> Any:
        return {"pipelines": [{"name": NAME}]}

    def _list_pipeline_executions(self, _: dict[str, Any]) -> Any:
        found = [
            {"pipelineExecutionId": id_, "status": status, "startTime": NOW, "trigger": self._trigger(id_)}
            for id_, status in self._aws.executions
        ]
        return {"pipelineExecutionSummaries": found}

    def _trigger(self, execution: str) -> Any:
        starter = self._aws.starters.get(execution, f"arn:aws:iam::123456789012:user/{NAME}-retrain.ann")
        return {"triggerType": "StartPipelineExecution", "triggerDetail": starter}

    def _get_object(self, request: dict[str, Any]) -> Any:
        if request["Key"] not in self._aws.objects:
            raise _error("AccessDenied", "GetObject")
        return {"Body": io.BytesIO(self._aws.objects[request["Key"]])}

    def _get_pipeline_execution(self, request: dict[str, Any]) -> Any:
        return {"pipelineExecution": {"status": dict(self._aws.executions)[request["pipelineExecutionId"]]}}

    def _list_action_executions(self, request: dict[str, Any]) -> Any:
        return {"actionExecutionDetails": self._aws.actions.get(request["filter"]["pipelineExecutionId"], [])}

    def _get_pipeline_state(self, _: dict[str, Any]) -> Any:
        token = {} if self._aws.token is None else {"token": self._aws.token}
        latest = {"actionName": "Approve", "latestExecution": token}
        return {"stageStates": [{"stageName": "DeployProduction", "actionStates": [latest]}]}

    def _put_approval_result(self, _: dict[str, Any]) -> Any:
        return {}

    def _stop_pipeline_execution(self, _: dict[str, Any]) -> Any:
        return {}

    def _describe_stacks(self, request: dict[str, Any]) -> Any:
        name = request["StackName"]
        if name not in self._aws.stacks:
            raise _error("ValidationError", "DescribeStacks", f"Stack with id {name} does not exist")
        outputs = [{"OutputKey": "EndpointName", "OutputValue": name}]
        facts = {"StackName": name, "StackId": name, "StackStatus": "CREATE_COMPLETE"}
        return {"Stacks": [{**facts, "Outputs": outputs, "Parameters": self._aws.parameters}]}

    def _describe_endpoint(self, request: dict[str, Any]) -> Any:
        variants = [{"VariantName": "primary", "CurrentInstanceCount": 2}]
        return {"EndpointStatus": "InService", "EndpointConfigName": "c", "ProductionVariants": variants}

    def _describe_endpoint_config(self, _: dict[str, Any]) -> Any:
        return {"ProductionVariants": [{"VariantName": "primary", "InstanceType": "ml.m5.large"}]}

    def _invoke_endpoint(self, request: dict[str, Any]) -> Any:
        body = io.BytesIO(request["Body"].upper())
        return {"Body": body, "ContentType": request["Accept"], "InvokedProductionVariant": "primary"}

    def _filter_log_events(self, request: dict[str, Any]) -> Any:
        if not self._aws.events:
            raise _error("ResourceNotFoundException", "FilterLogEvents")
        return {"events": self._aws.events}


def _error(code: str, operation: str, message: str = "no") -> Exception:
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr("mlops_constructs.cli._arguments.connect", lambda *_: made)
    return made


def waiting(aws: Aws, execution: str = ONE) -> None:
    aws.executions.append((execution, "InProgress"))
    aws.actions[execution] = [action(execution, "DeployProduction", "Approve", "InProgress")]


@pytest.mark.parametrize(
    ("body", "why"), [(b'{"why": "petal_length has drifted."}', "petal_length has drifted."), (None, "of an alarm")]
)
def test_status_says_why_alarms_started_an_execution(
    aws: Aws, capsys: pytest.CaptureFixture[str], body: bytes | None, why: str
) -> None:
    aws.executions += [(TWO, "InProgress"), (ONE, "Succeeded")]
    aws.starters[TWO] = f"arn:aws:sts::123456789012:assumed-role/{NAME}-retrain-us-east-1/{NAME}-retrain"
    if body is not None:
        aws.objects[f"retraining/{NAME}/executions/{TWO}.json"] = body
    assert main(["status", NAME]) == 0
    lines = capsys.readouterr().out.splitlines()
    (place,) = (number for number, line in enumerate(lines) if TWO in line)
    assert lines[place + 1] == f"    started because {why}"
    assert len([line for line in lines if "started because" in line]) == 1


@pytest.mark.parametrize(("command", "status"), [("approve", "Approved"), ("reject", "Rejected")])
def test_what_waits_is_decided(aws: Aws, capsys: pytest.CaptureFixture[str], command: str, status: str) -> None:
    waiting(aws)
    assert main([command, NAME, "--reason", "I read it", "--json"]) == 0
    (request,) = (given for name, given in aws.requests if name == "put_approval_result")
    assert request["result"] == {"status": status, "summary": "I read it"}
    assert (request["stageName"], request["actionName"], request["token"]) == ("DeployProduction", "Approve", TOKEN)
    assert json.loads(capsys.readouterr().out) == {
        "pipeline": NAME,
        "execution_id": ONE,
        "status": status,
        "reason": "I read it",
    }


EXPENSIVE = "up to 420 USD a month, more than max_monthly_usd (300 USD)"


@pytest.mark.parametrize(
    ("arguments", "needs", "code"),
    [
        (["approve", NAME], EXPENSIVE, 1),
        (["approve", NAME, "--reason", "Christmas"], EXPENSIVE, 0),
        (["approve", NAME], "none", 0),
        (["reject", NAME], EXPENSIVE, 0),
    ],
)
def test_only_an_approval_that_costs_more_than_the_limit_needs_a_reason(
    aws: Aws, capsys: pytest.CaptureFixture[str], arguments: list[str], needs: str, code: int
) -> None:
    waiting(aws)
    aws.actions[ONE].insert(0, action(ONE, "Approve", "Evidence", "Succeeded", outputVariables={"ReasonFor": needs}))
    assert main(arguments) == code
    assert [name for name, _ in aws.requests if name.startswith("put")] == ["put_approval_result"] * (1 - code)
    if code:
        assert (
            f"the release needs a reason ({EXPENSIVE}): say why it is approved with --reason TEXT"
            in capsys.readouterr().err
        )


@pytest.mark.parametrize(
    ("arguments", "waits", "reason"),
    [
        (["approve", NAME], False, f"mlops approve: nothing waits for approval in {NAME}; see `mlops status {NAME}`"),
        (["reject", NAME, "--execution", TWO], True, f"mlops reject: execution {ONE} waits for approval, not {TWO}"),
        (["approve", "no-pipeline"], True, "the pipeline 'no-pipeline' does not exist in this account and region"),
        (["stop", NAME], False, f"mlops stop: no execution of {NAME} is running"),
        (["stop", NAME, "--execution", TWO], True, f"execution {TWO} of {NAME} is not running; running: {ONE}"),
        (["invoke", NAME, "1,2"], True, f"nothing is deployed yet: the stack {NAME}-production does not exist"),
        (["invoke", NAME, "@nothing"], True, "mlops invoke: nothing: No such file or directory"),
        (["logs", NAME, "train"], True, f"mlops logs: no execution of {NAME} has reached the action Train"),
        (["logs", NAME, "dev"], True, f"has no log of dev yet (/aws/sagemaker/Endpoints/{NAME}-dev does not exist)"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_changed(
    aws: Aws, capsys: pytest.CaptureFixture[str], arguments: list[str], waits: bool, reason: str
) -> None:
    if waits:
        waiting(aws)
    assert main(arguments) == 1
    assert reason in capsys.readouterr().err
    assert [name for name, _ in aws.requests if name.startswith(("put", "stop", "invoke"))] == []


def test_an_approval_that_somebody_decided_before_is_told(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_constructs.cli.decide._TOKEN_SECONDS", 0.0)
    waiting(aws)
    aws.token = None
    assert main(["approve", NAME]) == 1
    assert f"execution {ONE} no longer waits for approval; somebody decided before" in capsys.readouterr().err


def test_the_only_execution_is_stopped_and_one_of_several_must_be_chosen(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting(aws)
    assert main(["stop", NAME, "--abandon"]) == 0
    (request,) = (given for name, given in aws.requests if name == "stop_pipeline_execution")
    assert (request["pipelineExecutionId"], request["abandon"]) == (ONE, True)
    aws.executions.insert(0, (TWO, "InProgress"))
    assert main(["stop", NAME]) == 1
    assert f"2 executions of {NAME} are running; choose one with --execution: {ONE}, {TWO}" in capsys.readouterr().err


def test_an_execution_that_waits_for_a_person_is_not_left_stopping(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting(aws)
    assert main(["stop", NAME]) == 1
    assert f"execution {ONE} waits for approval, and would stop only when" in capsys.readouterr().err
    # Somebody has stopped it elsewhere: it can still be decided, and abandoned.
    aws.executions = [(ONE, "Stopping")]
    assert main(["reject", NAME]) == 0
    assert main(["stop", NAME, "--abandon"]) == 0
    assert [name for name, _ in aws.requests if name.startswith(("put", "stop"))] == [
        "put_approval_result",
        "stop_pipeline_execution",
    ]


def test_the_status_shows_what_waits_what_is_queued_and_the_endpoints(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.executions = [(TWO, "InProgress"), (ONE, "InProgress"), (ZERO, "Failed")]
    aws.actions[ONE] = [action(ONE, "DeployProduction", "Approve", "InProgress")]
    failure = {"executionResult": {"externalExecutionSummary": "out of memory"}}
    aws.actions[ZERO] = [action(ZERO, "Train", "Train", "Failed", **failure)]
    aws.stacks = {f"{NAME}-production"}
    assert main(["status", NAME]) == 0
    at = "2026-11-26T12:00:00+00:00"
    assert capsys.readouterr().out.splitlines() == [
        f"{NAME}: no release yet",
        f"  DEV         nothing is deployed yet: the stack {NAME}-dev does not exist",
        "  production  InService 2 x ml.m5.large",
        f"  execution   {TWO}  {at}  InProgress at queue, behind {ONE}",
        f"  execution   {ONE}  {at}  InProgress at DeployProduction / Approve",
        "    It waits for approval. The approver reads:",
        "      accuracy 0.97",
        f"    mlops approve {NAME}, or mlops reject {NAME} --reason TEXT",
        f"  execution   {ZERO}  {at}  Failed at Train / Train",
        "    Train / Train: out of memory",
    ]


@pytest.mark.parametrize(
    ("status", "actions", "told"),
    [
        ("Stopped", [("ExecuteChangeSet", "Abandoned")], True),
        ("Failed", [("ExecuteChangeSet", "Succeeded"), ("RecordRelease", "Failed")], True),
        ("Failed", [("RecordRelease", "Failed"), ("RecordRelease", "Succeeded")], False),
        ("InProgress", [("ExecuteChangeSet", "Succeeded")], False),
    ],
)
def test_production_that_is_not_on_record_is_told(
    aws: Aws, capsys: pytest.CaptureFixture[str], status: str, actions: list[tuple[str, str]], told: bool
) -> None:
    aws.executions = [(TWO, "Failed"), (ONE, status)]
    aws.actions[ONE] = [action(ONE, "DeployProduction", name, result) for name, result in actions]
    aws.stacks = {f"{NAME}-production"}
    aws.parameters = [{"ParameterKey": "ExecutionId", "ParameterValue": ONE}]
    assert main(["status", NAME]) == 0
    sentence = f"    It serves the model of execution {ONE}, which ended before its release was recorded."
    lines = capsys.readouterr().out.splitlines()
    assert (sentence in lines) == told
    if told:
        assert lines[lines.index(sentence) - 1] == "  production  InService 2 x ml.m5.large"
    assert main(["status", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unrecorded"] == (ONE if told else None)


def test_production_of_an_execution_that_codepipeline_has_forgotten_is_left_alone(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.stacks = {f"{NAME}-production"}
    aws.parameters = [{"ParameterKey": "ExecutionId", "ParameterValue": ONE}]
    assert main(["status", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unrecorded"] is None


def test_a_response_is_printed_as_it_is(aws: Aws, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    aws.stacks = {f"{NAME}-dev"}
    (tmp_path / "rows.csv").write_bytes(b"a,b\n")
    assert main(["invoke", NAME, f"@{tmp_path / 'rows.csv'}", "--dev"]) == 0
    assert capfdbinary.readouterr().out == b"A,B\n"
    own = ["--accept", "text/plain", "--inference-id", "order 7"]
    assert main(["invoke", NAME, "x", "--dev", *own, "--json"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    facts = {"endpoint": f"{NAME}-dev", "variant": "primary", "inference_id": "order 7"}
    assert told == {**facts, "content_type": "text/plain", "body": "X"}
    sent = [request["InferenceId"] for name, request in aws.requests if name == "invoke_endpoint"]
    # Without an id of the caller, a new one.
    assert sent[1] == "order 7"
    assert re.fullmatch("[0-9a-f]{32}", sent[0])


def test_the_newest_lines_of_the_jobs_log_are_printed(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    execution = "3f2b9c1e-7d54-4a8e-9c61-0b5d2e8f4a17"
    aws.executions = [(execution, "Succeeded")]
    aws.actions[execution] = [action(execution, "Train", "Train", "Succeeded")]
    streams = [f"{NAME}-3f2b9c1e7d54/algo-1", f"{NAME}-ffffffffffff/algo-1", f"{NAME}-3f2b9c1e7d54/algo-1"]
    aws.events = [
        {"timestamp": 1000 * number, "logStreamName": stream, "eventId": str(number), "message": f"line {number}\n"}
        for number, stream in enumerate(streams)
    ]
    assert main(["logs", NAME, "train"]) == 0
    assert capsys.readouterr().out == "line 0\nline 2\n"
    assert main(["logs", NAME, "train", "--lines", "1"]) == 0
    assert capsys.readouterr().out == "line 2\n"


def test_a_command_to_copy_reaches_the_same_pipeline(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with kept("http://127.0.0.1:1", "eu-west-1"):
        assert main(["approve", NAME, "--local"]) == 1
    assert f"see `mlops status {NAME} --local`" in capsys.readouterr().err
    assert main(["reject", NAME, "--region", "eu-west-1"]) == 1
    assert f"see `mlops status {NAME} --region eu-west-1`" in capsys.readouterr().err
    waiting(aws)
    assert main(["stop", NAME, "--region", "eu-west-1"]) == 1
    assert f"or mlops reject {NAME} --region eu-west-1" in capsys.readouterr().err


def test_a_kept_rehearsal_is_found_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["status", NAME, "--local"]) == 1
    assert "no rehearsal is kept on this machine" in capsys.readouterr().err
    with kept("http://127.0.0.1:1", "eu-west-1"):
        assert [(one.url, one.region) for one in running()] == [("http://127.0.0.1:1", "eu-west-1")]
    assert running() == []
    for process in (os.getpid(), os.getppid()):
        about = {"url": f"http://127.0.0.1:{process}", "region": "eu-west-1", "process": process}
        (tmp_path / f"local-aws/kept/{process}.json").write_text(json.dumps(about))
    assert main(["status", NAME, "--local"]) == 1
    told = capsys.readouterr().err
    assert "--local: 2 rehearsals are kept (http://127.0.0.1:" in told
    assert "leave --local out and export the variables" in told
    for one in (tmp_path / "local-aws/kept").iterdir():
        one.unlink()
    (tmp_path / "local-aws/kept/999999999.json").write_text('{"url": "x", "region": "y", "process": 999999999}')
    assert running() == []
    assert list((tmp_path / "local-aws/kept").iterdir()) == []


def test_a_paused_endpoint_says_so(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.stacks = {f"{NAME}-dev", f"{NAME}-production"}
    aws.parameters = [{"ParameterKey": "Paused", "ParameterValue": "2026-11-27T18:00:00+00:00"}]
    assert main(["status", NAME]) == 0
    paused = f"the endpoint of {NAME}-production has been paused since 2026-11-27T18:00:00+00:00"
    told = capsys.readouterr().out
    assert f"  production  {paused}: `mlops resume {NAME}` brings it back" in told
    dev = paused.replace("production", "dev")
    assert f"  DEV         {dev}: `mlops resume {NAME} --dev` brings it back" in told
    assert main(["invoke", NAME, "1,2"]) == 1
    assert paused in capsys.readouterr().err
    assert "invoke_endpoint" not in [name for name, _ in aws.requests]


def test_a_dev_that_was_deleted_says_so(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_constructs.deployed.pipeline.DeployedPipeline.retires_dev", True)
    gone = f"DEV is not deployed now: {NAME}-dev is deleted after the decision; the next release brings it back"
    assert main(["status", NAME]) == 0
    assert f"  DEV         {gone}\n" in capsys.readouterr().out
    assert main(["invoke", NAME, "1,2", "--dev"]) == 1
    assert capsys.readouterr().err == f"mlops invoke: {gone}\n"
