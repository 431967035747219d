"""Every step reports exactly once, with the real reason, and no credential ever leaves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from handler_kit import clients, job, logs
from handler_kit.errors import ConfigurationError, StepError, as_step_failure
from handler_kit.report import Continue, Success, pipeline_step
from handler_kit.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def event(load_event: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return load_event("register_model")


def secrets_of(event: dict[str, Any]) -> list[str]:
    return list(event["CodePipeline.job"]["data"]["artifactCredentials"].values())


def run(step: Any, event: dict[str, Any]) -> None:
    pipeline_step(step)(event, None)


def raising(error: Exception) -> Any:
    def step(job: Any) -> Success:
        raise error

    return step


def test_a_success_is_reported_with_its_outputs(reports: Any, event: dict[str, Any]) -> None:
    run(lambda job: Success({"Value": "1"}, summary="Well.", external_id="x"), event)
    assert reports.only("success") == {
        "jobId": event["CodePipeline.job"]["id"],
        "outputVariables": {"Value": "1"},
        "executionDetails": {"summary": "Well.", "externalExecutionId": "x"},
    }


def test_a_success_without_outputs_is_reported_bare(reports: Any, event: dict[str, Any]) -> None:
    run(lambda job: Success(), event)
    assert reports.only("success") == {"jobId": event["CodePipeline.job"]["id"]}


def test_waiting_is_reported_with_the_token_and_no_outputs(reports: Any, event: dict[str, Any]) -> None:
    token = Token("name", 5)
    run(lambda job: Continue(token), event)
    assert reports.token == token.encode()
    assert "outputVariables" not in reports.only("success")


def test_a_failure_is_reported_with_its_reason(reports: Any, event: dict[str, Any]) -> None:
    run(raising(StepError("The real reason.", external_id="https://log")), event)
    assert reports.only("failure")["failureDetails"] == {
        "type": "JobFailed",
        "message": "The real reason.",
        "externalExecutionId": "https://log",
    }


def test_a_wrong_configuration_is_reported_as_such(reports: Any, event: dict[str, Any]) -> None:
    run(raising(ConfigurationError("IMAGE: missing")), event)
    assert reports.kind == "ConfigurationError"


def test_an_unforeseen_exception_is_reported_with_class_message_and_log(
    reports: Any, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/iris-step")
    run(raising(ZeroDivisionError("division by zero")), event)
    told = "ZeroDivisionError: division by zero. The log of this function (/aws/lambda/iris-step) has the details."
    assert reports.message == told


def test_an_unforeseen_exception_without_message_is_still_reported(reports: Any, event: dict[str, Any]) -> None:
    run(raising(StepError("")), event)
    assert reports.message == "StepError"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", "PermissionError"),
        ("ThrottlingException", "SystemUnavailable"),
        ("ValidationException", "JobFailed"),
    ],
)
def test_an_aws_error_is_reported_with_its_operation_and_meaning(
    reports: Any, event: dict[str, Any], code: str, kind: str
) -> None:
    run(raising(ClientError({"Error": {"Code": code, "Message": "Why."}}, "DescribeModel")), event)
    assert reports.message.startswith(f"DescribeModel was refused with {code}: Why.")
    assert reports.kind == kind


def test_an_aws_error_names_what_the_request_was_about() -> None:
    sagemaker = clients.client("sagemaker")
    with Stubber(sagemaker) as stubber:
        stubber.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.", 400)
        with pytest.raises(ClientError) as caught:
            sagemaker.describe_training_job(TrainingJobName="iris-0f5e-r1")
    assert str(as_step_failure(caught.value)) == (
        "DescribeTrainingJob (TrainingJobName iris-0f5e-r1) was refused with ValidationException: Requested resource"
        " not found. If somebody has deleted it, start a new execution."
    )


def test_what_a_request_carries_is_not_told() -> None:
    s3 = clients.client("s3")
    with Stubber(s3) as stubber:
        stubber.add_client_error("put_object", "NoSuchBucket", "The specified bucket does not exist", 404)
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket="artifacts", Key="a.json", Body="hunter2", ContentType="text/plain")
    assert str(as_step_failure(caught.value)) == (
        "PutObject (Bucket artifacts, Key a.json) was refused with NoSuchBucket: The specified bucket does not exist."
        " If somebody has deleted it, start a new execution."
    )


def test_60_a_broken_connection_is_reported_as_passing(reports: Any, event: dict[str, Any]) -> None:
    run(raising(EndpointConnectionError(endpoint_url="https://sagemaker")), event)
    assert reports.kind == "SystemUnavailable"


def test_long_texts_are_cut_to_what_codepipeline_takes(reports: Any, event: dict[str, Any]) -> None:
    run(raising(StepError("x" * 6000, external_id="y" * 2000)), event)
    details = reports.only("failure")["failureDetails"]
    assert (len(details["message"]), len(details["externalExecutionId"])) == (5000, 1500)


def test_a_long_summary_is_cut(reports: Any, event: dict[str, Any]) -> None:
    run(lambda job: Success(summary="x" * 3000), event)
    assert len(reports.only("success")["executionDetails"]["summary"]) == 2048


@pytest.mark.parametrize("code", ["InvalidJobStateException", "JobNotFoundException"])
def test_09_a_second_delivery_is_swallowed_with_a_log_line(
    reports: Any, event: dict[str, Any], capsys: pytest.CaptureFixture[str], code: str
) -> None:
    reports.refuse("PutJobSuccessResult", code)
    run(lambda job: Success(), event)
    assert [kind for kind, _ in reports.all] == ["success"]
    assert "job was already reported" in capsys.readouterr().out


def test_10_a_throttled_report_is_raised_so_that_lambda_delivers_again(reports: Any, event: dict[str, Any]) -> None:
    reports.refuse("PutJobSuccessResult", "ThrottlingException")
    with pytest.raises(ClientError):
        run(lambda job: Success(), event)
    assert [kind for kind, _ in reports.all] == ["success"]


def test_outputs_that_codepipeline_refuses_become_a_failure(reports: Any, event: dict[str, Any]) -> None:
    reports.refuse("PutJobSuccessResult", "OutputVariablesSizeExceededException", "Too large.")
    run(lambda job: Success({"Value": "1"}), event)
    _, failure = reports.all
    assert failure[1]["failureDetails"]["message"] == "CodePipeline refused the result of this action: Too large."


def test_an_event_that_lacks_a_part_is_reported(reports: Any, event: dict[str, Any]) -> None:
    del event["CodePipeline.job"]["data"]["actionConfiguration"]
    run(lambda job: Success(), event)
    assert reports.message == "The CodePipeline job event has no 'actionConfiguration'."


def test_an_event_of_another_shape_is_reported(reports: Any, event: dict[str, Any]) -> None:
    event["CodePipeline.job"]["data"] = "text"
    run(lambda job: Success(), event)
    assert "does not have the structure" in reports.message


def test_an_event_without_a_job_is_refused_without_quoting_it() -> None:
    with pytest.raises(ValueError, match="has no job id") as caught:
        run(lambda job: Success(), {"password": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_no_credential_is_logged_when_a_step_quotes_them(
    reports: Any, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def careless(job: Any) -> Success:
        logs.info(f"job is {event}", whole=event, credentials=str(job.credentials), job=repr(job))
        return Success()

    run(careless, event)
    printed = "".join(capsys.readouterr())
    assert "job is" in printed
    assert not [secret for secret in secrets_of(event) if secret in printed or json.dumps(secret)[1:-1] in printed]


def test_57_no_credential_is_logged_or_reported_on_an_exception(
    reports: Any, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run(raising(RuntimeError(" ".join(secrets_of(event)))), event)
    printed = "".join(capsys.readouterr())
    assert '"error": "RuntimeError"' in printed
    for secret in secrets_of(event):
        assert secret not in printed
        assert json.dumps(secret)[1:-1] not in printed
        assert secret not in reports.message
    assert reports.message.startswith("RuntimeError: [redacted] [redacted] [redacted]. The log of this function")


def test_credentials_are_hidden_even_when_the_event_cannot_be_read(
    reports: Any, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    event["CodePipeline.job"]["data"]["outputArtifacts"] = [secrets_of(event)[0]]
    run(lambda job: Success(), event)
    assert reports.kind == "JobFailed"
    assert not [secret for secret in secrets_of(event) if secret in "".join(capsys.readouterr())]


def test_a_job_never_shows_its_credentials(event: dict[str, Any]) -> None:
    shown = repr(job.parse(event)) + repr(job.parse(event).credentials)
    assert not [secret for secret in secrets_of(event) if secret in shown]


def test_an_undeclared_output_artifact_is_named(event: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="no output artifact 'Other'"):
        job.parse(event).output_artifact("Other")


def access_key_of(client: Any) -> str:
    return client._request_signer._credentials.access_key


def test_clients_use_the_role_of_the_function(event: dict[str, Any]) -> None:
    assert access_key_of(clients.client("codepipeline")) == "ASIAFUNCTIONROLEKEY"


def test_the_artifact_client_uses_the_lent_credentials_with_their_session(event: dict[str, Any]) -> None:
    lent = clients.artifact_client(job.parse(event).credentials)._request_signer._credentials
    assert [lent.access_key, lent.secret_key, lent.token] == secrets_of(event)


def test_a_client_is_made_once() -> None:
    assert clients.client("s3") is clients.client("s3")


def test_a_log_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.info("made\nit", job="a")
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line) == {"level": "INFO", "message": "made\nit", "job": "a"}
